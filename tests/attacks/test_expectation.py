"""Expectation over transformation: its first step in closed form, its batches, its stops, going on after a kill."""

import importlib

import pytest
import torch
from torch import nn

from lecture13 import attacks
from lecture13.checkpoints import CheckpointError
from lecture13.render import solids
from tests.attacks.small import convnet
from tests.render.solids.small import STILL, cube

SIZE = (1, 3, 8, 8)


def texture(seed=0, dtype=torch.float32):
    return torch.rand(SIZE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype) * 0.6 + 0.2


def brightness(count, generator):
    """Poses of a world in which a pose is a factor."""
    return 0.5 + torch.rand(count, 1, 1, 1, generator=generator)


def multiply(texels, factors):
    return (texels * factors.to(texels)).clamp(0, 1)


def options(**changes):
    return {"poses": brightness, "steps": 6, "batch_size": 12, "fresh": 4} | changes


def target_of(model, texels):
    """A class that the original is hardly taken for."""
    model.eval()
    with torch.no_grad():
        return int(model(texels)[0].argmin())


def test_the_first_step_goes_along_the_sign_of_the_expected_gradient():
    """Adam's first step is η·sign(∇): of E log P(target | t(x)), as the distance has no slope at x."""
    model, x = convnet(torch.float64).eval(), texture(dtype=torch.float64)
    target = target_of(model, x)
    seen = []

    def poses(count, generator):
        seen.append(brightness(count, generator))
        return seen[-1]

    found = attacks.expectation(
        model, multiply, x, target, learning_rate=0.01, distance_weight=3.0, **options(poses=poses, steps=1)
    )
    point = x.clone().requires_grad_()
    images = multiply(point, torch.cat(seen[:3]))
    (gradient,) = torch.autograd.grad(model(images).log_softmax(1)[:, target].mean(), point)
    torch.testing.assert_close(found, x + 0.01 * gradient.sign(), atol=1e-4, rtol=0)


def test_the_result_maximises_the_stated_objective():
    """With all poses in each batch, many small steps end where any small step makes the objective smaller."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3)).double()
    pool, x = torch.linspace(0.6, 1.2, 4, dtype=torch.float64).view(4, 1, 1, 1), texture(dtype=torch.float64) * 0.5
    target = target_of(model, x)

    def objective(texels, distance, weight):
        images, before = multiply(texels, pool), multiply(x, pool)
        if distance == "lab":
            change = (attacks.lab(images) - attacks.lab(before)).square().sum(1).mean((1, 2)).sqrt()
        else:
            change = 255 * (images - before).square().mean((1, 2, 3)).sqrt()
        return float((model(images).detach().log_softmax(1)[:, target] - weight * change).mean())

    whole = {"poses": lambda count, generator: pool, "batch_size": 4, "fresh": 4, "steps": 600, "learning_rate": 2e-3}
    for distance, weight in (("lab", 0.01), ("rgb", 0.01)):
        found = attacks.expectation(model, multiply, x, target, distance=distance, distance_weight=weight, **whole)
        best = objective(found, distance, weight)
        assert best > objective(x, distance, weight) + 0.05
        generator = torch.Generator().manual_seed(0)
        for _ in range(20):
            step = torch.randn(SIZE, generator=generator, dtype=torch.float64)
            near = (found + 0.02 * step).clamp(0, 1)
            assert objective(near, distance, weight) < best + 1e-3


def test_a_heavier_distance_gives_a_smaller_change():
    model, x = convnet(), texture()
    target = target_of(model, x)
    sizes = []
    for weight in (0.0, 0.003, 0.01):
        found = attacks.expectation(model, multiply, x, target, distance_weight=weight, **options(steps=40))
        sizes.append(float((attacks.lab(found) - attacks.lab(x)).norm()))
    assert sizes[0] > sizes[1] > sizes[2]


def test_most_of_a_batch_is_kept_for_the_next_step():
    model, x = convnet(), texture()
    drawn, used = [], []

    def poses(count, generator):
        drawn.append(count)
        return torch.full((count, 1, 1, 1), 0.5 + 0.01 * len(drawn))

    def render(texels, factors):
        if texels.requires_grad:
            used.append(float(factors[0]))
        return multiply(texels, factors)

    attacks.expectation(model, render, x, target_of(model, x), **options(poses=poses, steps=3))
    assert set(drawn) == {4}
    groups = [round((factor - 0.5) * 100) for factor in used]
    assert groups == [1, 2, 3, 2, 3, 4, 3, 4, 5]


def test_one_texture_for_all_poses_beats_one_for_a_single_view():
    """A texture that is shown as it is or inverted: what was made for one is undone by the other."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 3))

    def render(texels, flips):
        return torch.where(flips > 0.5, texels.flip(3).flip(1), texels)

    pool, x = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1), texture()
    labels = model(render(x, pool).detach()).argmax(1)
    target = next(k for k in range(3) if k not in labels.tolist())
    both = {"steps": 60, "distance_weight": 0.0, "poses": pool}
    single = attacks.expectation(model, render, x, target, **(both | {"poses": pool[:1], "batch_size": 1, "fresh": 1}))
    found = attacks.expectation(model, render, x, target, batch_size=8, fresh=8, **both)
    for texels, right in ((single, [True, None]), (found, [True, True])):
        hits = (attacks.predict_poses(model, render, texels, poses=pool, count=2) == target).tolist()
        assert all(want is None or hit == want for hit, want in zip(hits, right, strict=True))


def solid_world():
    """A cube whose texture is seen from all sides, and a classifier by the colour in the middle."""

    class Middle(nn.Module):
        def forward(self, images):
            return 12 * images[:, :, 6:10, 6:10].mean((2, 3))

    grey = torch.full((1, 3, 8, 8), 0.5)
    grey[:, 0] += 0.1
    ranges = {name: value for name, value in STILL.items() if name != "ambient"}
    return Middle(), solids.camera(cube(colours=grey), solids.Poses(**ranges), size=16), grey


def test_a_solid_is_taken_for_the_target_from_every_side():
    model, shoot, grey = solid_world()
    found = attacks.expectation(model, solids.render, grey, 2, poses=shoot, steps=25, learning_rate=0.05)
    count = {"poses": shoot, "count": 100, "generator": torch.Generator().manual_seed(9)}
    before = attacks.predict_poses(model, solids.render, grey, **count)
    after = attacks.predict_poses(model, solids.render, found, **count)
    assert (before == 0).float().mean() > 0.95 and (after == 2).float().mean() > 0.95
    assert found.shape == grey.shape and found.min() >= 0 and found.max() <= 1


def test_it_stops_when_new_poses_are_taken_for_the_target():
    model, shoot, grey = solid_world()
    calls = []

    def poses(count, generator):
        calls.append(count)
        return shoot(count, generator)

    settings = {"poses": poses, "steps": 200, "learning_rate": 0.05, "distance_weight": 0.0, "success_rate": 0.9}
    found = attacks.expectation(model, solids.render, grey, 1, **settings)
    assert 10 < len(calls) < 100
    unseen = {"poses": shoot, "count": 100, "generator": torch.Generator().manual_seed(9)}
    assert (attacks.predict_poses(model, solids.render, found, **unseen) == 1).float().mean() > 0.85


def test_the_change_keeps_to_epsilon_and_the_box():
    model, x = convnet(), texture()
    x[0, 0, 0, 0] = 1.0
    kept = {"epsilon": 0.03, "learning_rate": 0.05, "distance_weight": 0.0}
    found = attacks.expectation(model, multiply, x, target_of(model, x), **kept, **options())
    assert (found - x).abs().max() <= 0.03 + 1e-6 and found.max() <= 1
    assert (found - x).abs().max() > 0.029
    free = attacks.expectation(model, multiply, x, target_of(model, x), learning_rate=0.3, bounds=None, **options())
    assert free.max() > 1 or free.min() < 0


@pytest.mark.parametrize("chunk_size", [1, 5, 100])
def test_chunks_do_not_matter(chunk_size):
    model, x = convnet(torch.float64), texture(dtype=torch.float64)
    whole = attacks.expectation(model, multiply, x, target_of(model, x), **options())
    parts = attacks.expectation(model, multiply, x, target_of(model, x), **options(chunk_size=chunk_size))
    torch.testing.assert_close(parts, whole)


class Killed(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("dies_at", [2, 9, 14])
def test_a_killed_run_goes_on_to_the_same_result(tmp_path, dies_at, monkeypatch):
    monkeypatch.setattr(importlib.import_module("lecture13.attacks.expectation"), "SAVE_EVERY", 4)
    model, x = convnet(torch.float64), texture(dtype=torch.float64)
    target, settings = target_of(model, x), options(steps=12)
    whole = attacks.expectation(model, multiply, x, target, **settings)
    calls = []

    def deadly(count, generator):
        calls.append(count)
        if len(calls) == dies_at:
            raise Killed
        return brightness(count, generator)

    path = tmp_path / "run" / "turtle.ckpt"
    with pytest.raises(Killed):
        attacks.expectation(model, multiply, x, target, checkpoint=path, **(settings | {"poses": deadly}))
    assert path.exists() == (dies_at > 7)
    assert torch.equal(attacks.expectation(model, multiply, x, target, checkpoint=path, **settings), whole)
    assert torch.equal(attacks.expectation(model, multiply, x, target, checkpoint=path, **settings), whole)
    with pytest.raises(CheckpointError, match=r"learning_rate was 0\.02 and is 0\.03"):
        attacks.expectation(model, multiply, x, target, checkpoint=path, learning_rate=0.03, **settings)
    with pytest.raises(CheckpointError, match="data was"):
        attacks.expectation(model, multiply, texture(4, torch.float64), target, checkpoint=path, **settings)


def test_a_killed_run_stops_where_it_would_have(tmp_path, monkeypatch):
    """The poses that the stop is judged on, and those not judged yet, are kept with the run."""
    module = importlib.import_module("lecture13.attacks.expectation")
    monkeypatch.setattr(module, "SAVE_EVERY", 4)
    model, x = convnet(), texture()
    target, settings = target_of(model, x), options(steps=11)
    paths = [tmp_path / name for name in ("whole.ckpt", "killed.ckpt")]
    attacks.expectation(model, multiply, x, target, checkpoint=paths[0], **settings)
    attacks.expectation(model, multiply, x, target, checkpoint=paths[1], **(settings | {"steps": 5}))
    attacks.expectation(model, multiply, x, target, checkpoint=paths[1], **settings)
    whole, killed = (torch.load(path, weights_only=True) for path in paths)
    recent = whole["state"]["expectation"]["recent"]
    assert len(recent) == 12 + 10 * 4 and killed["state"]["expectation"]["recent"] == recent  # each pose once


def test_a_checkpoint_goes_on_with_its_own_model_poses_and_steps_alone(tmp_path):
    model, x, path = convnet(), texture(), tmp_path / "turtle.ckpt"
    target = target_of(model, x)
    attacks.expectation(model, multiply, x, target, checkpoint=path, **options())
    torch.manual_seed(3)
    another = convnet().eval()
    with torch.no_grad():
        for parameter in another.parameters():
            parameter.mul_(0.97)  # the same classes, other logits
    narrow = options(poses=lambda count, generator: 0.9 * brightness(count, generator))
    for net, settings in ((another, options()), (model, narrow)):
        with pytest.raises(CheckpointError, match="another model, render or poses"):
            attacks.expectation(net, multiply, x, target, checkpoint=path, **settings)
    with pytest.raises(CheckpointError, match="stands at step 6, beyond steps=5"):
        attacks.expectation(model, multiply, x, target, checkpoint=path, **options(steps=5))


def test_views_are_drawn_by_the_generator():
    model, x, pool = convnet(), texture(), 0.5 + 0.005 * torch.arange(100).view(-1, 1, 1, 1)

    def seen(seed):
        used = set()

        def render(texels, factors):
            used.update(round((float(factor) - 0.5) / 0.005) for factor in factors)
            return multiply(texels, factors)

        generator = torch.Generator().manual_seed(seed)
        attacks.expectation(model, render, x, target_of(model, x), generator=generator, **options(poses=pool, steps=10))
        return used

    first, second = seen(0), seen(1)
    assert first != second and 30 < len(first) < 52 and max(first) > 80 and min(first) < 20


def test_more_steps_go_on_from_fewer(tmp_path):
    model, x = convnet(), texture()
    target, path = target_of(model, x), tmp_path / "turtle.ckpt"
    attacks.expectation(model, multiply, x, target, checkpoint=path, **options(steps=3))
    longer = attacks.expectation(model, multiply, x, target, checkpoint=path, **options(steps=9))
    assert torch.equal(longer, attacks.expectation(model, multiply, x, target, **options(steps=9)))


def test_mode_state_and_chance(unchanged):
    model, x = convnet().train(), texture()
    target = target_of(convnet(), x)
    model[1].eval()
    check, copy = unchanged(model), x.clone()

    def run(seed=None):
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        return attacks.expectation(model, multiply, x, target, generator=generator, **options())

    found = run()
    attacks.predict_poses(model, multiply, x, poses=brightness, count=3)
    check()
    assert torch.equal(x, copy) and not found.requires_grad and found.dtype == torch.float32
    assert torch.equal(run(), found) and torch.equal(run(1), run(1)) and not torch.equal(run(1), run(2))


def test_predictions_over_poses_are_the_models():
    model, x = convnet().eval(), texture()
    found = attacks.predict_poses(
        model, multiply, x, poses=brightness, count=100, generator=torch.Generator().manual_seed(1), chunk_size=100
    )
    factors = brightness(100, torch.Generator().manual_seed(1))
    assert found.dtype == torch.int64 and torch.equal(found, model(multiply(x, factors)).argmax(1))
    assert torch.equal(attacks.predict_poses(model, multiply, x, poses=factors, count=7), found[:7])
    with pytest.raises(ValueError, match="count=101 poses of 100 views"):
        attacks.predict_poses(model, multiply, x, poses=factors, count=101)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"distance": "hsv"}, ValueError, "unknown distance 'hsv'; choose one of 'lab', 'rgb'"),
        ({"distance_weight": -1}, ValueError, "distance_weight=-1"),
        ({"steps": 0}, ValueError, "steps=0"),
        ({"fresh": 5}, ValueError, "fresh=5 does not divide batch_size=12"),
        ({"learning_rate": 0}, ValueError, "learning_rate=0"),
        ({"success_rate": 90}, ValueError, r"success_rate=90; expected a number in \(0, 1\]"),
        ({"epsilon": 8}, ValueError, "write 8 / 255"),
        ({"chunk_size": 0}, ValueError, "chunk_size=0"),
        ({"bounds": (0.9, 1)}, ValueError, "images lie in"),
        ({"poses": None}, ValueError, "poses is NoneType; expected"),
        ({"poses": torch.rand(0, 1, 1, 1)}, ValueError, "poses is no views"),
        ({"generator": 3}, TypeError, "generator is a int"),
    ],
)
def test_bad_options_are_named(changes, error, message):
    with pytest.raises(error, match=message):
        attacks.expectation(convnet(), multiply, texture(), 0, **options(**changes))


def test_bad_targets_are_named():
    model, x = convnet(), texture()
    with pytest.raises(TypeError, match=r"target=1.0 is a float"):
        attacks.expectation(model, multiply, x, 1.0, **options())
    with pytest.raises(ValueError, match="target=-1"):
        attacks.expectation(model, multiply, x, -1, **options())
    with pytest.raises(ValueError, match="label 4 is out of range: the model has 4 classes"):
        attacks.expectation(model, multiply, x, 4, **options())
    with torch.no_grad():
        label = int(model.eval()(x).argmax())
    with pytest.raises(ValueError, match=f"target={label} is what the model sees in the original .*, in 100"):
        attacks.expectation(
            model, multiply, x, label, **options(poses=lambda count, generator: torch.ones(count, 1, 1, 1))
        )


def test_worlds_in_which_nothing_can_be_done_are_named():
    model, x = convnet(), texture()
    target = target_of(model, x)
    with pytest.raises(ValueError, match="in none of 12 poses does a texel change what the model says"):
        attacks.expectation(model, lambda texels, factors: texels * 0 + factors * 0 + x, x, target, **options())
    with pytest.raises(ValueError, match="do not depend on the texture through a gradient"):
        attacks.expectation(model, lambda texels, factors: multiply(texels.detach(), factors), x, target, **options())
    with pytest.raises(ValueError, match=r"render returned torch.float32 \(1, 3, 8, 8\) for 4 poses"):
        attacks.expectation(model, lambda texels, factors: texels, x, target, **options())
    with pytest.raises(ValueError, match=r"the texture has shape \(2, 3, 8, 8\)"):
        attacks.expectation(model, multiply, x.expand(2, -1, -1, -1), target, **options())
    with pytest.raises(ValueError, match="render returned images that hold NaN"):
        attacks.expectation(
            model, lambda texels, factors: multiply(texels, factors) * torch.nan, x, target, **options()
        )
    with pytest.raises(TypeError, match="images are torch"):
        attacks.expectation(model, multiply, x.byte(), target, **options())

    class Broken(nn.Module):
        def forward(self, images):
            return images.flatten(1)[:, :4] * (torch.nan if images.requires_grad else 1.0)

    with pytest.raises(ValueError, match="gradient of the loss is NaN"):
        attacks.expectation(Broken(), multiply, x, target_of(Broken(), x), **options())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_on_a_gpu_the_texture_stays_there():
    model, shoot, grey = solid_world()
    shoot = solids.camera(cube(colours=grey), size=16, device="cuda")
    for poses in (shoot, shoot(4, torch.Generator().manual_seed(0))):
        found = attacks.expectation(model.cuda(), solids.render, grey.cuda(), 2, poses=poses, steps=3)
        assert found.is_cuda and not torch.equal(found.cpu(), grey)
