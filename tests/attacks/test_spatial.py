"""Rotations and translations against torchvision, sub-grids, brute force, and the promises of the docstrings."""

from functools import partial

import pytest
import torch
import torchvision.transforms.v2.functional as transforms
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from lecture13 import attacks

few = settings(deadline=None, max_examples=25)


def convnet(dtype=torch.float32):
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 6, 5), nn.BatchNorm2d(6), nn.Tanh(), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(3), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(54, 4)).to(dtype)


def batch(count=6, shape=(1, 12, 12), dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, *shape, generator=generator, dtype=torch.float64).to(dtype)
    return images, torch.randint(0, 4, (count,), generator=generator)


@pytest.fixture
def case():
    """A net, images it mostly gets right, and their labels."""
    model, (images, labels) = convnet(torch.float64), batch(12)
    labels[2:] = model.eval()(images).argmax(1)[2:]
    return model, images, labels


def score(model, images, labels):
    logits = model.eval()(images).detach()
    return logits.argmax(1) != labels, cross_entropy(logits, labels, reduction="none")


def at_least_as_strong(strong, weak):
    (fooled, high), (weak_fooled, low) = strong, weak
    same = fooled == weak_fooled
    return bool((fooled >= weak_fooled).all() and (high[same] >= low[same] - 1e-9).all())


# the transform


@few
@given(
    st.integers(0, 10**6),
    st.floats(-180, 180),
    st.floats(-9, 9),
    st.floats(-9, 9),
    st.sampled_from([(3, 12, 12), (1, 9, 17), (2, 16, 5)]),
)
def test_transforms_agree_with_torchvision(seed, angle, right, down, shape):
    images, _ = batch(2, shape, seed=seed)
    found = attacks.rotate_and_translate(images, torch.full((2,), angle), torch.tensor([[right, down]] * 2))
    expected = transforms.affine(
        images, angle, [right, down], 1.0, [0.0, 0.0], interpolation=transforms.InterpolationMode.BILINEAR
    )
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)  # the angle was rounded to float32


def test_every_image_has_a_pose_of_its_own():
    images, _ = batch(3)
    angles, shifts = torch.tensor([0.0, 20.0, -70.0]), torch.tensor([[0.0, 0.0], [1.5, 0.0], [-2.0, 3.0]])
    found = attacks.rotate_and_translate(images, angles, shifts)
    for one, image, angle, shift in zip(found, images, angles, shifts, strict=True):
        torch.testing.assert_close(one[None], attacks.rotate_and_translate(image[None], angle[None], shift[None]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("size", [(28, 28), (7, 33), (224, 61)])
def test_no_motion_is_the_identity_and_whole_shifts_move_pixels_exactly(dtype, size):
    images = batch(2, (2, *size), dtype=dtype)[0]
    still = torch.zeros(2)
    assert torch.equal(attacks.rotate_and_translate(images, still, torch.zeros(2, 2)), images)
    moved = attacks.rotate_and_translate(images, still, torch.tensor([[3.0, -2.0]] * 2))
    assert torch.equal(moved[:, :, :-2, 3:], images[:, :, 2:, :-3])
    assert moved[:, :, -2:].abs().max() == 0 and moved[:, :, :, :3].abs().max() == 0


def test_positive_angles_turn_clockwise_and_positive_shifts_go_right_and_down():
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 0, 2] = 1  # top
    turned = attacks.rotate_and_translate(image, torch.tensor([90.0]), torch.zeros(1, 2))
    assert turned[0, 0, 2, 4] == pytest.approx(1, abs=1e-5)  # right
    moved = attacks.rotate_and_translate(image, torch.zeros(1), torch.tensor([[1.0, 2.0]]))
    assert moved[0, 0, 2, 3] == 1


def test_gradients_with_respect_to_pose_are_right():
    images = batch(1, (1, 5, 4))[0]
    pose = torch.tensor([[11.3, 0.37, -0.61]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda pose: attacks.rotate_and_translate(images, pose[:, 0], pose[:, 1:]), pose, eps=1e-6
    )


@few
@given(st.floats(0, 180), st.floats(-1, 1), st.floats(0, 3), st.sampled_from([(8, 8), (6, 11)]))
@example(57.0, 0.75, 2.625, (8, 8))  # a corner's bilinear half pixel
def test_nothing_leaves_a_black_canvas(limit, share, shift, size):
    image = torch.ones(1, 1, *size, dtype=torch.float64)
    canvas = attacks.black_canvas(image, limit, (shift, 0.5 * shift))
    assert canvas.sum() == image.sum()
    padded = nn.functional.pad(canvas, (4, 4, 4, 4))
    for sign in (-1, 1):
        pose = torch.tensor([share * limit]), torch.tensor([[sign * shift, 0.5 * shift]])
        inside = attacks.rotate_and_translate(canvas, *pose)
        torch.testing.assert_close(inside.sum(), attacks.rotate_and_translate(padded, *pose).sum(), rtol=1e-6, atol=0)


# the attack


def test_angle_and_shift_say_how_the_images_were_made(case):
    model, images, labels = case
    for method in ("grid", "worst-of-k", "first-order"):
        found = attacks.spatial(model, images, labels, method=method, grid=(3, 3, 5), steps=4)
        again = attacks.rotate_and_translate(images, found.angle, found.shift)
        torch.testing.assert_close(found.images, again, rtol=0, atol=1e-12)
        assert found.angle.abs().max() <= 30 + 1e-6 and found.shift.abs().max() <= 1.2 + 1e-6
        assert len(found.angle.unique()) > 1  # not one transform for the whole batch


def test_the_grid_finds_what_brute_force_finds(case):
    model, images, labels = case
    found = attacks.spatial(model, images, labels, grid=(3, 1, 5), max_translation=0.25)
    tried = []
    for angle in (-30.0, -15.0, 0.0, 15.0, 30.0):
        for right in (-3.0, 0.0, 3.0):
            pose = torch.full((12,), angle), torch.tensor([[right, 0.0]] * 12)
            tried.append(score(model, attacks.rotate_and_translate(images, *pose), labels))
    fooled, loss = (torch.stack(column) for column in zip(*tried, strict=True))
    assert torch.equal(score(model, found.images, labels)[0], fooled.any(0))
    best = torch.where(fooled == fooled.any(0), loss, -torch.inf).amax(0)
    torch.testing.assert_close(score(model, found.images, labels)[1], best)


def test_the_grid_has_775_poses_without_being_told_and_the_pose_at_rest_is_one(case):
    model, images, labels = case
    seen = []

    def counted(points):
        seen.append(len(points))
        return model.eval()(points)

    attacks.spatial(counted, images[:1], labels[:1])
    assert sum(seen) == 775 and len(seen) < 10  # poses of one image share a pass
    still = attacks.spatial(model, images, labels, grid=(1, 1, 1))
    assert torch.equal(still.images, images) and not still.angle.any() and not still.shift.any()


@few
@given(
    st.integers(0, 10**6),
    st.tuples(st.sampled_from([1, 3]), st.sampled_from([1, 3]), st.sampled_from([1, 3, 5])),
)
def test_a_grid_is_at_least_as_strong_as_its_sub_grids(seed, coarse):
    model, (images, labels) = convnet(torch.float64), batch(4, seed=seed)
    fine = tuple(2 * count - 1 if count > 1 else 3 for count in coarse)
    scores = [
        score(model, attacks.spatial(model, images, labels, grid=counts).images, labels) for counts in (fine, coarse)
    ]
    assert at_least_as_strong(*scores)


def test_more_tries_are_never_weaker_for_the_same_draw(case):
    model, images, labels = case

    def run(tries):
        generator = torch.Generator().manual_seed(3)
        found = attacks.spatial(model, images, labels, method="worst-of-k", tries=tries, generator=generator)
        return score(model, found.images, labels)

    one, ten, forty = run(1), run(10), run(40)
    assert at_least_as_strong(ten, one) and at_least_as_strong(forty, ten)
    assert (ten[1] > one[1]).any() and (forty[1] > ten[1]).any()


def test_first_order_climbs_from_its_random_pose(case):
    model, images, labels = case
    options = {"method": "first-order", "max_rotation": 90.0, "max_translation": 0.3}

    def run(steps):
        found = attacks.spatial(
            model, images, labels, steps=steps, generator=torch.Generator().manual_seed(0), **options
        )
        return score(model, found.images, labels)

    start = attacks.spatial(
        model,
        images,
        labels,
        tries=1,
        generator=torch.Generator().manual_seed(0),
        **(options | {"method": "worst-of-k"}),
    )
    assert at_least_as_strong(run(20), score(model, start.images, labels))
    assert (run(20)[1] > score(model, start.images, labels)[1] + 1e-4).float().mean() > 0.8


def test_first_success_fools_the_same_images_with_fewer_passes(case):
    model, images, labels = case
    labels[:6] = (labels[:6] + 1) % 4  # misclassified at once
    sizes = {}
    for early in (False, True):

        def counted(points, early=early):
            sizes[early] = sizes.get(early, 0) + len(points)
            return model.eval()(points)

        found = attacks.spatial(counted, images, labels, first_success=early, chunk_size=24)
        sizes[early, "fooled"] = score(model, found.images, labels)[0]
    assert torch.equal(sizes[True, "fooled"], sizes[False, "fooled"]) and sizes[True, "fooled"][:6].all()
    assert sizes[True] < 0.7 * sizes[False]
    for method in ("worst-of-k", "first-order"):
        found = attacks.spatial(model, images, labels, method=method, steps=5, first_success=True)
        assert score(model, found.images, labels)[0][:6].all()


@pytest.mark.parametrize("method", ["grid", "worst-of-k", "first-order"])
def test_combined_with_an_attack_on_the_pixels(case, method):
    model, images, labels = case
    options = {"method": method, "grid": (1, 1, 3), "tries": 3, "steps": 2}
    alone = attacks.spatial(model, images, labels, **options, generator=torch.Generator().manual_seed(0))
    for inner in (partial(attacks.fgsm, epsilon=0.02), partial(attacks.deepfool, overshoot=0.1)):
        both = attacks.spatial(model, images, labels, then=inner, **options, generator=torch.Generator().manual_seed(0))
        assert score(model, both.images, labels)[0].sum() >= score(model, alone.images, labels)[0].sum()
        posed = attacks.rotate_and_translate(images, both.angle, both.shift)
        change = (both.images - posed).abs().amax((1, 2, 3))
        assert change.max() > 1e-3
    fast = attacks.spatial(model, images, labels, then=partial(attacks.fgsm, epsilon=0.02), **options)
    posed = attacks.rotate_and_translate(images, fast.angle, fast.shift)
    assert (fast.images - posed).abs().max() <= 0.02 + 1e-9


def test_black_canvas(case):
    model, images, labels = case
    found = attacks.spatial(model, images, labels, padding="black-canvas", grid=(3, 3, 3))
    canvas = attacks.black_canvas(images, 30.0, (1.2, 1.2))
    assert found.images.shape == canvas.shape and canvas.shape[-1] > 14
    torch.testing.assert_close(found.images, attacks.rotate_and_translate(canvas, found.angle, found.shift))


def test_a_model_of_fixed_size_and_a_canvas_do_not_go_together(case):
    _, images, labels = case
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 4)).double()
    with pytest.raises(ValueError, match=r"does not take images of \d+×\d+, the black canvas of 12×12 ones"):
        attacks.spatial(model, images, labels, padding="black-canvas")


# the promises


@pytest.mark.parametrize("method", ["grid", "worst-of-k", "first-order"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_dtype_chunks_mode_and_state(method, dtype):
    model, (images, labels) = convnet(dtype).train(), batch(5, dtype=dtype)
    model[1].eval()
    model[6].bias.requires_grad_(False)
    model[0].weight.grad = torch.ones_like(model[0].weight)
    state, copy = torch.get_rng_state(), images.clone()
    options = {"method": method, "grid": (3, 1, 3), "tries": 4, "steps": 3}
    found = attacks.spatial(model, images.requires_grad_(), labels, **options)
    assert found.images.dtype == dtype and not found.images.requires_grad
    assert [module.training for module in model] == [True, False, True, True, True, True, True]
    assert not model[6].bias.requires_grad and model[6].weight.requires_grad and model[6].weight.grad is None
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert torch.equal(torch.get_rng_state(), state) and torch.equal(images.detach(), copy) and images.grad is None
    assert torch.equal(attacks.spatial(model, copy, labels, **options).images, found.images)  # dropout is off
    if dtype == torch.float64:
        parts = attacks.spatial(model, copy, labels, chunk_size=2, **options)
        torch.testing.assert_close(parts.images, found.images)
        with torch.inference_mode():
            torch.testing.assert_close(attacks.spatial(model, copy + 0, labels + 0, **options).images, found.images)


def test_channels_last_and_empty_batches():
    model, (images, labels) = convnet().to(memory_format=torch.channels_last), batch(dtype=torch.float32)
    last = attacks.spatial(model, images.to(memory_format=torch.channels_last), labels, grid=(3, 3, 3))
    plain = attacks.spatial(model, images, labels, grid=(3, 3, 3))
    torch.testing.assert_close(last.images, plain.images)
    assert last.images.is_contiguous(memory_format=torch.channels_last) and plain.images.is_contiguous()
    assert attacks.spatial(model, images[:0], labels[:0]).images.shape == (0, 1, 12, 12)


def test_random_poses_follow_generator_and_seed(case):
    model, images, labels = case

    def run(generator=None):
        return attacks.spatial(model, images, labels, method="worst-of-k", tries=2, generator=generator).angle

    assert torch.equal(run(torch.Generator().manual_seed(1)), run(torch.Generator().manual_seed(1)))
    assert not torch.equal(run(torch.Generator().manual_seed(1)), run(torch.Generator().manual_seed(2)))
    torch.manual_seed(7)
    first = run()
    torch.rand(5)
    assert torch.equal(run(), first)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"method": "random"},
            ValueError,
            "unknown method 'random'; choose one of 'grid', 'worst-of-k', 'first-order'",
        ),
        ({"padding": "reflect"}, ValueError, "unknown padding 'reflect'; choose one of 'zeros', 'black-canvas'"),
        ({"max_rotation": 200}, ValueError, r"max_rotation=200; expected a number in \[0, 180\] degrees"),
        ({"max_rotation": "30"}, TypeError, "max_rotation='30' is a str"),
        ({"max_translation": 3}, ValueError, r"max_translation=3; expected a number in \[0, 1\]"),
        ({"max_translation": float("nan")}, ValueError, "max_translation=nan"),
        ({"grid": 5}, ValueError, "grid=5; expected three counts"),
        ({"grid": (5, 0, 31)}, ValueError, r"grid\[1\]=0"),
        ({"tries": 0}, ValueError, "tries=0"),
        ({"steps": 0}, ValueError, "steps=0"),
        ({"chunk_size": 0}, ValueError, "chunk_size=0"),
        ({"then": lambda model, images, labels: images[:1]}, ValueError, r"returned shape \(1, 1, 12, 12\)"),
        ({"then": lambda model, images, labels: None}, ValueError, "returned NoneType"),
    ],
)
def test_bad_options_are_named(case, options, error, message):
    with pytest.raises(error, match=message):
        attacks.spatial(*case, **options)


def test_bad_images_labels_and_models_are_named(case):
    model, images, labels = case
    with pytest.raises(ValueError, match="NaN"):
        attacks.spatial(model, images * torch.nan, labels)
    with pytest.raises(TypeError, match="uint8"):
        attacks.spatial(model, (255 * images).byte(), labels)
    with pytest.raises(ValueError, match=r"expected \(N, C, H, W\), which can be rotated"):
        attacks.spatial(model, images.flatten(1), labels)
    with pytest.raises(ValueError, match="label 4 is out of range"):
        attacks.spatial(model, images, labels * 0 + 4)
    with pytest.raises(ValueError, match="NaN in every pose"):
        attacks.spatial(lambda images: images.flatten(1)[:, :4] * torch.nan, images, labels, grid=(1, 1, 1))
    with pytest.raises(ValueError, match="do not depend on the images"):
        attacks.spatial(lambda images: images.flatten(1)[:, :4].detach(), images, labels, method="first-order")
    with pytest.raises(ValueError, match=r"expected \(N, C, H, W\), \(N,\) and \(N, 2\)"):
        attacks.rotate_and_translate(images, torch.zeros(1), torch.zeros(1, 2))


# the landscape


def test_the_landscape_is_the_loss_at_each_pose(case):
    model, images, labels = case
    angles, shifts = torch.tensor([-20.0, 0.0, 5.0, 40.0]), torch.tensor([-1.0, 0.0, 2.5])
    model.train()
    surface = attacks.loss_landscape(model, images, labels, angles, shifts, chunk_size=5)
    assert surface.shape == (12, 4, 3) and model.training
    torch.testing.assert_close(surface[:, 1, 1], score(model, images, labels)[1])
    pose = torch.full((12,), 40.0), torch.tensor([[2.5, 0.0]] * 12)
    torch.testing.assert_close(surface[:, 3, 2], score(model, attacks.rotate_and_translate(images, *pose), labels)[1])
    assert attacks.loss_landscape(model, images, labels, angles, shifts, padding="black-canvas").shape == (12, 4, 3)
    with pytest.raises(ValueError, match=r"angles=\[\]; expected one finite number"):
        attacks.loss_landscape(model, images, labels, angles[:0], shifts)
    with pytest.raises(ValueError, match="unknown padding"):
        attacks.loss_landscape(model, images, labels, angles, shifts, padding="same")
