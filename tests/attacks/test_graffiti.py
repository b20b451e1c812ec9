from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lecture13 import attacks
from lecture13.attacks.graffiti import total_variation
from lecture13.render.snapshots import Snapshots

PALETTE = torch.tensor([[0.1, 0.1, 0.1], [0.9, 0.9, 0.9], [0.8, 0.2, 0.1]])


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 16), nn.Tanh(), nn.Linear(16, 4)).eval()


@pytest.fixture
def sign():
    return torch.rand(1, 3, 8, 8, generator=chance(1)) * 0.6 + 0.2


@pytest.fixture
def mask():
    found = torch.zeros(8, 8)
    found[2:6, 1:7] = 1
    return found


def other(net, sign):
    """A class that the net does not see."""
    return int(net(sign).argmin())


small = partial(Snapshots, size=8, distance=(5, 10), angle=(-20, 20))


# ---- the attack


def test_without_transforms_it_is_a_masked_attack_of_adam(net, sign, mask):
    target = other(net, sign)
    found = attacks.graffiti(net, sign, target, mask=mask, steps=12, learning_rate=0.05)
    delta = torch.zeros_like(sign)
    first, second = torch.zeros_like(sign), torch.zeros_like(sign)
    for step in range(1, 13):  # Kingma & Ba 2015, Algorithm 1, and a projection
        point = (sign + mask * delta).clamp(0, 1).requires_grad_()
        loss = nn.functional.cross_entropy(net(point), torch.tensor([target]))
        gradient = torch.autograd.grad(loss, point)[0] * mask
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        move = 0.05 * first / (1 - 0.9**step) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
        delta = (delta - move).clamp(-sign, 1 - sign) * mask
    assert torch.allclose(found, delta, atol=1e-5) and found.abs().max() > 0.1


def closed_form(terms, seen, painted, inside):
    """λ‖M·δ‖ + NPS + TV of one sign by loops, in nats (eq. 3, and the total variation)."""
    total, pixels = 0, inside.nonzero().tolist()
    values = torch.stack([painted[0, :, row, column] for row, column in pixels])
    total = total + terms.get("l1", 0) * values.abs().sum() / values.numel()
    if "l2" in terms:
        total = total + terms["l2"] * (values.square().sum() / values.numel() + 1e-12).sqrt()
    for row, column in pixels:
        distances = [(seen[0, :, row, column] - colour).square().sum().sqrt() for colour in PALETTE.to(seen)]
        total = total + terms.get("nps", 0) * distances[0] * distances[1] * distances[2] / len(pixels)
    pairs = [(a, b) for a in pixels for b in pixels if (b[0] - a[0], b[1] - a[1]) in ((0, 1), (1, 0))]
    for a, b in pairs:
        change = (seen[0, :, a[0], a[1]] - seen[0, :, b[0], b[1]]).abs().sum()
        total = total + terms.get("tv", 0) * change / (3 * len(pairs))
    return total


@pytest.mark.parametrize(
    ("terms", "changes"),
    [
        ({"l1": 0.5}, {"norm_weight": 0.5}),
        ({"l2": 0.5}, {"norm_weight": 0.5, "norm": "l2"}),
        ({"nps": 30.0}, {"palette": PALETTE, "printability_weight": 30.0}),
        ({"tv": 20.0}, {"smoothness_weight": 20.0}),
        (
            {"l2": 0.5, "nps": 7.0, "tv": 9.0},
            {
                "norm_weight": 0.5,
                "norm": "l2",
                "palette": PALETTE,
                "printability_weight": 7.0,
                "smoothness_weight": 9.0,
            },
        ),
    ],
)
def test_every_term_is_that_of_the_equation(net, sign, mask, terms, changes):
    """Adam by hand on the whole of eq. 3, the mask soft at its rim."""
    net, sign, mask = net.double(), sign.double(), mask.double().clone()
    mask[2] = 0.4
    target, delta = other(net, sign), torch.zeros_like(sign)
    found = attacks.graffiti(net, sign, target, mask=mask, steps=6, learning_rate=0.02, **changes)
    first, second = torch.zeros_like(sign), torch.zeros_like(sign)
    for step in range(1, 7):
        delta = delta.detach().requires_grad_()
        painted = mask * delta
        loss = nn.functional.cross_entropy(net(sign + painted), torch.tensor([target]))
        loss = loss + closed_form(terms, sign + painted, painted, mask > 0)
        (gradient,) = torch.autograd.grad(loss, delta)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        move = 0.02 * first / (1 - 0.9**step) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
        delta = torch.minimum(torch.maximum(delta - move, -sign), 1 - sign)
    assert torch.allclose(found, (mask * delta).detach(), atol=1e-6) and found.abs().max() > 0.02


def test_paint_stays_in_the_mask_and_in_the_box(net, sign, mask):
    found = attacks.graffiti(net, sign, other(net, sign), mask=mask, transforms=small(), steps=30, learning_rate=0.3)
    assert found.shape == sign.shape and (found[:, :, mask == 0] == 0).all() and (found[:, :, mask == 1] != 0).any()
    assert (sign + found).min() >= 0 and (sign + found).max() <= 1
    soft = attacks.graffiti(net, sign, other(net, sign), mask=mask / 2, steps=30, learning_rate=0.3)
    assert (soft.abs() <= torch.maximum(sign, 1 - sign) / 2 + 1e-6).all()  # half the paint, at most


def test_it_is_seen_from_elsewhere_too(net, sign):
    target, transforms = other(net, sign), small()
    found = attacks.graffiti(net, sign, target, mask=torch.ones(8, 8), transforms=transforms, steps=60)
    views = transforms(attacks.paint(sign, found).expand(64, -1, -1, -1), chance(9))
    before = transforms(sign.expand(64, -1, -1, -1), chance(9))
    assert (net(views).argmax(1) == target).double().mean() > 0.9 > (net(before).argmax(1) == target).double().mean()


def test_photographs_are_painted_alike_and_cut_to_the_box(net, sign, mask):
    photographs = torch.cat([sign * light for light in (0.7, 1.0, 1.2)]).clamp(0, 1)
    target = other(net, photographs.mean(0, keepdim=True))
    seen = []

    def spy(images, generator):
        seen.append(images.detach())
        return images

    found = attacks.graffiti(net, photographs, target, mask=mask, transforms=spy, steps=25, learning_rate=0.1)
    assert found.shape == sign.shape
    average = photographs.mean(0, keepdim=True)
    assert (average + found).min() > -1e-6 and (average + found).max() < 1 + 1e-6
    assert all(images.min() >= 0 and images.max() <= 1 and len(images) == 32 for images in seen)
    assert len({float(image.mean()) for image in seen[0]}) == 3  # without paint: three lights


def test_the_norm_empties_and_the_palette_colours(net, sign, mask):
    target, run = other(net, sign), partial(attacks.graffiti, net, sign, mask=mask, steps=150, learning_rate=0.02)
    free = run(target)
    sparse = run(target, norm_weight=30.0)
    assert sparse.abs().sum() < 0.7 * free.abs().sum()
    inked = run(target, palette=PALETTE, printability_weight=50.0)

    def score(paint):
        return attacks.non_printability((sign + paint)[:, :, mask == 1], PALETTE).item()

    assert score(inked) < 0.5 * score(free)
    even = run(target, smoothness_weight=20.0)
    inside = (mask == 1).expand_as(sign)
    assert total_variation(sign + even, inside) < 0.5 * total_variation(sign + free, inside)
    assert run(target, norm="l2", norm_weight=30.0).norm() < free.norm()


def test_it_stops_when_enough_pictures_are_read_as_the_target(net, sign):
    calls = []

    def spy(images, generator):
        calls.append(1)
        return images

    attacks.graffiti(
        net,
        sign,
        other(net, sign),
        mask=torch.ones(8, 8),
        transforms=spy,
        steps=200,
        learning_rate=0.1,
        success_rate=0.9,
    )
    assert 200 / 32 < len(calls) < 60


def test_the_same_generator_gives_the_same_paint(net, sign, mask):
    run = partial(attacks.graffiti, net, sign, other(net, sign), mask=mask, transforms=small(), steps=5)
    assert torch.equal(run(generator=chance(1)), run(generator=chance(1)))
    assert not torch.equal(run(generator=chance(1)), run(generator=chance(2)))
    state = torch.get_rng_state()
    assert torch.equal(run(), run()) and torch.equal(state, torch.get_rng_state())


def test_the_model_is_left_as_it_was(sign, mask):
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.Dropout(0.5)).train()
    net[1].weight.grad = torch.ones_like(net[1].weight)
    attacks.graffiti(net, sign, int(net.eval()(sign).argmin()), mask=mask, steps=2)
    net.train()
    attacks.graffiti(net, sign, int(net.eval()(sign).argmin()), mask=mask, steps=2)
    assert net[1].weight.requires_grad and (net[1].weight.grad == 1).all()
    net.train()
    with pytest.raises(ValueError):
        attacks.graffiti(net, sign, 9, mask=mask)
    assert net.training and net[2].training and net[1].weight.requires_grad


def test_dtype_is_kept_and_no_box_is_none(net, sign, mask):
    double = net.double()
    found = attacks.graffiti(double, sign.double(), other(double, sign.double()), mask=mask, steps=2)
    assert found.dtype == torch.float64
    far = attacks.graffiti(
        double, sign.double(), other(double, sign.double()), mask=mask, steps=40, learning_rate=0.5, bounds=None
    )
    assert (sign + far).max() > 1.5


@pytest.mark.parametrize(("dtype", "near"), [(torch.float16, 0.02), (torch.bfloat16, 0.1)])
def test_half_precision_gives_nearly_the_same_paint(net, sign, mask, dtype, near):
    """Adam's ε is 0 in float16: what is moved is moved in float32."""
    settings = {"mask": mask, "steps": 8, "palette": PALETTE, "norm_weight": 0.1, "smoothness_weight": 0.1}
    target, coarse = other(net, sign), sign.to(dtype)
    exact = attacks.graffiti(net, coarse.float(), target, **settings)
    found = attacks.graffiti(net.to(dtype), coarse, target, **settings)
    assert found.dtype == dtype and found.isfinite().all()
    assert (found.float() - exact).abs().mean() < near * exact.abs().max()


def test_it_works_within_inference_mode(net, sign, mask):
    expected = attacks.graffiti(net, sign, other(net, sign), mask=mask, palette=PALETTE, steps=3)
    with torch.inference_mode():
        made = {"mask": mask.clone(), "palette": PALETTE.clone()}
        assert torch.equal(attacks.graffiti(net, sign.clone(), other(net, sign), steps=3, **made), expected)


def nan(images):
    return images.flatten(1)[:, :4] * float("nan")


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"mask": torch.zeros(8, 8)}, ValueError, "the mask is empty"),
        ({"mask": torch.ones(4, 8)}, ValueError, r"the mask has shape \(4, 8\); expected \(8, 8\)"),
        ({"mask": torch.ones(2, 1, 8, 8)}, ValueError, r"the mask has shape \(2, 1, 8, 8\)"),
        ({"mask": 2 * torch.ones(8, 8)}, ValueError, r"the mask lies in \[2, 2\]"),
        ({"mask": None}, ValueError, "the mask is a NoneType"),
        ({"mask": torch.full((8, 8), torch.nan)}, ValueError, r"the mask lies in \[nan, nan\]"),
        ({"palette": torch.full((2, 3), torch.nan)}, ValueError, r"palette lies in \[nan, nan\]"),
        ({"palette": 255 * PALETTE}, ValueError, r"palette lies in \[25.5, 229.5\]; expected .* in \[0, 1\]"),
        ({"palette": [[0.0, 0.0, 0.0]]}, ValueError, "palette is a list"),
        ({"generator": 3}, TypeError, "generator is a int"),
        ({"target": -1}, ValueError, "target=-1"),
        ({"target": 1.0}, TypeError, "target=1.0 is a float"),
        ({"target": 4}, ValueError, "label 4 is out of range"),
        ({"images": torch.rand(3, 8, 8)}, ValueError, r"images have shape \(3, 8, 8\)"),
        ({"images": 2 + torch.rand(1, 3, 8, 8)}, ValueError, "outside bounds"),
        ({"norm": "l3"}, ValueError, "unknown norm 'l3'"),
        ({"norm_weight": -1.0}, ValueError, "norm_weight=-1"),
        ({"steps": 0}, ValueError, "steps=0"),
        ({"success_rate": 1.5}, ValueError, "success_rate=1.5"),
        ({"palette": torch.rand(3)}, ValueError, r"palette has shape \(3,\)"),
        ({"transforms": lambda images, generator: images[:1]}, ValueError, r"transforms returned shape \(1, 3, 8, 8\)"),
        ({"transforms": lambda images, generator: images * 0}, ValueError, "no painted pixel changes"),
        ({"transforms": lambda images, generator: images.detach()}, ValueError, "through a gradient"),
        ({"model": nan}, ValueError, "NaN"),
    ],
)
def test_what_is_wrong_is_named(net, sign, mask, changes, error, says):
    given = {"model": net, "images": sign, "target": other(net, sign), "mask": mask, "steps": 3} | changes
    model, images, target = (given.pop(name) for name in ("model", "images", "target"))
    with pytest.raises(error, match=says):
        attacks.graffiti(model, images, target, **given)


def test_a_target_that_is_the_signs_own_class_is_an_error(net, sign, mask):
    own = int(net(sign).argmax())
    with pytest.raises(ValueError, match=rf"target={own} is what the model sees without paint already, in 100%"):
        attacks.graffiti(net, sign, own, mask=mask)


# ---- printability


def test_printability_by_a_hand_formula():
    colours = torch.tensor([[0.5, 0.5, 0.5], [0.1, 0.1, 0.1]]).T.view(1, 3, 1, 2)
    first = np.sqrt(3 * 0.4**2) * np.sqrt(3 * 0.4**2) * np.sqrt(0.3**2 + 0.3**2 + 0.4**2)
    assert attacks.non_printability(colours, PALETTE).tolist() == pytest.approx([first])  # the second can be printed
    both = attacks.non_printability(colours.expand(2, -1, 5, -1), PALETTE)
    assert both.tolist() == pytest.approx([5 * first] * 2)
    assert torch.equal(attacks.non_printability(colours.flatten(2), PALETTE), both[:1] / 5)


def test_the_gradient_of_printability_is_finite_on_a_colour():
    colours = PALETTE.T.reshape(1, 3, 1, 3).clone().requires_grad_()
    (gradient,) = torch.autograd.grad(attacks.non_printability(colours, PALETTE).sum(), colours)
    assert gradient.isfinite().all()


def test_print_in_takes_the_nearest_colour():
    colours = torch.rand(2, 3, 4, 5, generator=chance())
    found = attacks.printed_in(colours, PALETTE)
    flat = colours.movedim(1, -1).reshape(-1, 3).numpy()
    nearest = np.linalg.norm(flat[:, None] - PALETTE.numpy(), axis=2).argmin(1)
    assert torch.equal(found.movedim(1, -1).reshape(-1, 3), PALETTE[torch.from_numpy(nearest)])
    with pytest.raises(ValueError, match=r"palette has shape \(2, 4\)"):
        attacks.printed_in(colours, torch.rand(2, 4))


def test_total_variation_by_hand():
    image = torch.tensor([[0.0, 1.0, 3.0], [0.0, 0.0, 0.0]]).view(1, 1, 2, 3)
    inside = torch.tensor([[True, True, False], [True, True, True]]).view(1, 1, 2, 3)
    # across: 0→1, and the lower 0→0, 0→0; down: 0→0, 1→0
    assert total_variation(image, inside).item() == pytest.approx((1 + 0 + 0 + 0 + 1) / 5)
    assert total_variation(image, torch.zeros_like(inside)).item() == 0


# ---- masks


def test_the_paint_of_an_l1_pass_lies_where_the_model_looks():
    weight = torch.zeros(2, 1, 8, 8)
    weight[1, 0, 5, 3] = 30.0
    weight[1, 0, 2, 6] = 0.1
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2, bias=False))
    net[1].weight.data = weight.flatten(1)
    net = nn.Sequential(nn.Flatten(), net[1])
    images = torch.full((1, 1, 8, 8), 0.5)
    shifted = lambda x: net(x - 0.6)  # noqa: E731  class 0 before
    heat = attacks.vulnerable(shifted, images, 1, region=torch.ones(8, 8), steps=60, norm_weight=10.0)
    assert heat.shape == (8, 8) and heat.flatten().argmax() == 5 * 8 + 3
    assert heat[2, 6] < 0.1 * heat[5, 3]


def test_rectangles_lie_on_the_heat_and_in_the_region():
    heat = torch.zeros(20, 20)
    heat[3, 4:12] = 1.0
    heat[15, 8:16] = 0.5
    region = torch.ones(20, 20)
    region[:, 0] = 0
    mask = attacks.graffiti_mask(heat, region, share=32 / 380, count=2, aspect=4.0)
    assert mask.sum() == 32 and set(mask.unique().tolist()) == {0, 1}
    assert (mask * heat).sum() == heat.sum() and (mask * (1 - region)).sum() == 0
    one = attacks.graffiti_mask(heat, region, share=16 / 380, count=1, aspect=4.0)
    rows, columns = one.nonzero().T
    assert rows.max() - rows.min() == 1 and columns.max() - columns.min() == 7 and (one * heat)[3].sum() == 8


def test_stickers_do_not_overlap_where_all_the_heat_is_in_one_spot():
    heat = torch.zeros(12, 12)
    heat[:2, :2] = 1.0
    mask = attacks.graffiti_mask(heat, torch.ones(12, 12), share=24 / 144, count=3, aspect=2.0)
    assert mask.sum() == 24 and mask[:2, :4].all()


def test_camouflage_takes_the_warmest_share():
    heat = torch.rand(20, 20, generator=chance())
    region = torch.ones(20, 20)
    region[10:] = 0
    mask = attacks.graffiti_mask(heat, region, shape="camouflage", share=0.25, smooth=0.0)
    assert mask.sum() == 50 and mask[10:].sum() == 0
    assert heat[:10][mask[:10] == 1].min() >= heat[:10][mask[:10] == 0].max()
    smooth = attacks.graffiti_mask(heat, region, shape="camouflage", share=0.25, smooth=2.0)
    edges = [(m[1:] != m[:-1]).sum() + (m[:, 1:] != m[:, :-1]).sum() for m in (mask, smooth)]
    assert edges[1] < edges[0]  # blotches, not dust


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"shape": "stars"}, "unknown shape 'stars'; choose one of 'rectangles', 'camouflage'"),
        ({"share": 0.0}, "share=0"),
        ({"count": 0}, "count=0"),
        ({"heat": torch.rand(3, 8, 8)}, r"heat is torch.float32 \(3, 8, 8\)"),
        ({"heat": torch.ones(8, 8, dtype=torch.int64)}, r"heat is torch.int64 \(8, 8\)"),
        ({"heat": [[1.0]]}, "heat is a list"),
        ({"heat": torch.rand(0, 8)}, r"heat is torch.float32 \(0, 8\)"),
        ({"heat": -torch.ones(8, 8)}, r"heat lies in \[-1, -1\]"),
        ({"heat": torch.full((8, 8), torch.nan)}, r"heat lies in \[nan, nan\]"),
        ({"region": torch.zeros(8, 8)}, "the mask is empty"),
        ({"region": torch.eye(8), "share": 1.0}, "no place is left for sticker 1"),
        ({"share": 1.0, "count": 1, "aspect": 8.0}, "larger than the sign"),
    ],
)
def test_masks_that_cannot_be(changes, says):
    given = {"heat": torch.ones(8, 8), "region": torch.ones(8, 8)} | changes
    with pytest.raises(ValueError, match=says):
        attacks.graffiti_mask(given.pop("heat"), given.pop("region"), **given)
