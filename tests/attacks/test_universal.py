"""Universal perturbations: Algorithm 1 on affine classifiers, norms, stopping, going on after a kill."""

import importlib
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lecture13 import attacks
from lecture13.attacks.descent import descend
from lecture13.checkpoints import CheckpointError
from tests.attacks.small import batch, convnet

few = settings(deadline=None, max_examples=15)


def slopes(dtype=torch.float64):
    """Two classes, split by the mean of the image at 0.5: one direction moves all images alike."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 2)).to(dtype)
    with torch.no_grad():
        model[1].weight.copy_(torch.stack([torch.zeros(192), torch.ones(192) / 192]))
        model[1].bias.copy_(torch.tensor([0.0, -0.5]))
    return model


def algorithm_1(model, images, epsilon, norm, seed):
    """One pass as the paper has it, an image at a time."""
    predicted, v = model(images).argmax(1), torch.zeros_like(images[:1])
    drawn = int(torch.randint(2**31, (1,), generator=torch.Generator().manual_seed(seed)))
    for index in torch.randperm(len(images), generator=torch.Generator().manual_seed(drawn)):
        point = images[index : index + 1] + v
        if model(point).argmax(1) == predicted[index]:
            v = v + attacks.deepfool(model, point, max_iterations=10) - point
            v = v.clamp(-epsilon, epsilon) if norm == "linf" else v * min(1.0, epsilon / float(v.norm()))
    return v


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.02), ("l2", 0.4)])
def test_single_images_and_no_box_are_the_papers_algorithm_1(norm, epsilon):
    model, images = convnet(torch.float64).eval(), batch(20)
    options = {"epsilon": epsilon, "norm": norm, "batch_size": 1, "max_passes": 1, "fooling_rate": 1.0, "bounds": None}
    found = attacks.universal(model, images, generator=torch.Generator().manual_seed(3), **options)
    torch.testing.assert_close(found, algorithm_1(model, images, epsilon, norm, 3))
    assert found.abs().max() > 0


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_images_on_one_side_of_a_plane_are_all_fooled_by_the_one_direction(norm):
    model, images = slopes(), 0.4 + 0.05 * batch(20)  # of class 0, about 0.075 from the plane
    epsilon = 0.09 if norm == "linf" else 0.09 * 192**0.5
    v = attacks.universal(model, images, epsilon=epsilon, norm=norm, fooling_rate=1.0)
    assert v.shape == (1, 3, 8, 8) and attacks.measure_fooling(model, images, v) == 1
    assert (v - v.mean()).abs().max() < 1e-6 and v.mean() > 0.07  # the normal of the plane
    noise = epsilon * (torch.randint(0, 2, v.shape) * 2 - 1) / (1 if norm == "linf" else 192**0.5)
    assert attacks.measure_fooling(model, images, noise.double()) < 0.5


@few
@given(
    st.integers(0, 10**6),
    st.floats(1e-3, 0.9),
    st.sampled_from(["linf", "l2"]),
    st.sampled_from([torch.float32, torch.float64, torch.bfloat16]),
    st.sampled_from([1, 7, 50]),
)
def test_the_norm_is_respected_and_the_dtype_kept(seed, epsilon, norm, dtype, batch_size):
    model, images = convnet(dtype), batch(10, dtype=dtype, seed=seed)
    v = attacks.universal(model, images, epsilon=epsilon, norm=norm, max_passes=2, batch_size=batch_size)
    assert v.dtype == dtype and v.shape == (1, 3, 8, 8)
    size = v.double().abs().max() if norm == "linf" else v.double().norm()
    assert size <= epsilon * (1 + 2 * torch.finfo(dtype).eps)


def test_it_stops_at_its_fooling_rate_and_more_passes_are_never_worse():
    model, images = convnet(torch.float64), batch(30)
    rates, calls = [], []

    def inner(model, images):
        calls.append(len(images))
        return attacks.deepfool(model, images, max_iterations=10)

    for passes in (1, 2, 5):
        v = attacks.universal(
            model, images, epsilon=0.08, fooling_rate=1.0, max_passes=passes, batch_size=5, attack=inner
        )
        rates.append(attacks.measure_fooling(model, images, v))
    assert rates == sorted(rates) and rates[-1] < 1 and rates[0] > 0.1
    all_calls = len(calls)
    calls.clear()
    v = attacks.universal(model, images, epsilon=0.08, fooling_rate=rates[0], max_passes=50, batch_size=5, attack=inner)
    assert attacks.measure_fooling(model, images, v) >= rates[0] and len(calls) <= 6 < all_calls


@pytest.mark.parametrize(
    "inner",
    [
        partial(attacks.fgsm, epsilon=0.005, bounds=None),
        partial(attacks.pgd, epsilon=0.02, steps=3, bounds=None),
        partial(attacks.deepfool, norm="linf"),
    ],
)
def test_any_inner_attack_will_do_with_labels_or_without(inner):
    model, images = convnet(torch.float64), batch(30)
    v = attacks.universal(model, images, epsilon=0.03, attack=inner, max_passes=4, batch_size=10)
    noise = 0.03 * (torch.randint(0, 2, v.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1).double()
    held_out = batch(60, seed=1)
    assert attacks.measure_fooling(model, held_out, v) > attacks.measure_fooling(model, held_out, noise) + 0.1


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_descent_finds_the_one_direction_too_and_keeps_the_norm(norm):
    model, images = slopes(), 0.4 + 0.05 * batch(20)
    epsilon = 0.09 if norm == "linf" else 0.09 * 192**0.5
    options = {"epsilon": epsilon, "norm": norm, "method": "descent", "fooling_rate": 1.0, "batch_size": 4}
    v = attacks.universal(model, images, max_passes=10, **options)
    assert attacks.measure_fooling(model, images, v) == 1
    assert (v - v.mean()).abs().max() < 1e-6 and v.mean() > 0.07
    size = v.abs().max() if norm == "linf" else v.norm()
    assert size <= epsilon * (1 + 1e-12)


def test_a_step_of_descent_is_momentum_down_the_mean_clipped_margin():
    model, images = convnet(torch.float64).eval(), batch(6)
    predicted, v = model(images).argmax(1), 0.01 * batch(1, seed=4) - 0.005
    m = batch(1, seed=5) - 0.5
    point = v.clone().requires_grad_()
    p = model(images + point).softmax(1).gather(1, predicted[:, None])[:, 0]
    loss = torch.maximum((p / (1 - p)).log(), torch.tensor(-3.0)).mean()
    (slope,) = torch.autograd.grad(loss, point)
    expected = 0.9 * m + slope / slope.abs().mean()
    step, momentum = descend(model, images, predicted, v, m, 0.02, "linf", None)
    torch.testing.assert_close(momentum, expected)
    torch.testing.assert_close(step, -0.02 * expected.sign())
    step, _ = descend(model, images, predicted, v, m, 0.02, "l2", None)
    torch.testing.assert_close(step, -0.02 * expected / expected.norm())


def test_descent_goes_on_after_a_kill_with_its_momentum(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.import_module("lecture13.attacks.universal"), "SAVE_EVERY", 3)
    model, images, left = convnet(torch.float64).eval(), batch(20), [22]  # a function cannot be set to eval
    options = {"epsilon": 0.02, "fooling_rate": 1.0, "max_passes": 6, "batch_size": 4, "method": "descent"}
    whole = attacks.universal(model, images, **options)

    def mortal(points):
        left[0] -= 1
        if not left[0]:
            raise Killed
        return model(points)

    with pytest.raises(Killed):
        attacks.universal(mortal, images, checkpoint=tmp_path / "u.ckpt", **options)
    resumed = attacks.universal(model, images, checkpoint=tmp_path / "u.ckpt", **options)
    assert torch.equal(resumed, whole)
    with pytest.raises(CheckpointError, match="method was 'descent' and is 'algorithm-1'"):
        attacks.universal(model, images, checkpoint=tmp_path / "u.ckpt", **(options | {"method": "algorithm-1"}))


def test_images_that_are_fooled_are_not_attacked_again():
    model, images = slopes(), 0.4 + 0.05 * batch(20)
    seen = []

    def inner(model, images):
        seen.append(len(images))
        return attacks.deepfool(model, images, overshoot=0.5)

    attacks.universal(model, images, epsilon=0.2, attack=inner, batch_size=1, fooling_rate=1.0)
    assert len(seen) < 5


class Killed(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("dies_at", [3, 60, 75])
def test_a_killed_run_goes_on_to_the_same_result(tmp_path, dies_at, monkeypatch):
    monkeypatch.setattr(importlib.import_module("lecture13.attacks.universal"), "SAVE_EVERY", 4)
    model, images = convnet(torch.float64), batch(20)
    options = {"epsilon": 0.02, "fooling_rate": 1.0, "max_passes": 6, "batch_size": 1}
    whole = attacks.universal(model, images, **options)
    calls = []

    def deadly(model, images):
        calls.append(1)
        if len(calls) == dies_at:
            raise Killed
        return attacks.deepfool(model, images, max_iterations=10)

    path = tmp_path / "run" / "universal.ckpt"
    with pytest.raises(Killed):
        attacks.universal(model, images, attack=deadly, checkpoint=path, **options)
    done = len(calls)
    assert torch.equal(attacks.universal(model, images, attack=deadly, checkpoint=path, **options), whole)
    calls_after = len(calls) - done
    calls.clear()
    assert torch.equal(attacks.universal(model, images, checkpoint=path, **options), whole)  # nothing left to do
    if dies_at > 10:
        fresh = []
        attacks.universal(
            model,
            images,
            attack=lambda m, x: (fresh.append(1), attacks.deepfool(m, x, max_iterations=10))[1],
            **options,
        )
        assert calls_after < len(fresh) - dies_at + 8  # it did not begin again
    with pytest.raises(CheckpointError, match=r"epsilon was 0\.02 and is 0\.03"):
        attacks.universal(model, images, checkpoint=path, **(options | {"epsilon": 0.03}))
    with pytest.raises(CheckpointError, match="data was"):
        attacks.universal(model, batch(20, seed=5), checkpoint=path, **options)


def test_mode_state_and_chance():
    model, images = convnet().train(), batch(20, dtype=torch.float32)
    model[1].eval()
    model[5].bias.requires_grad_(False)
    model[0].weight.grad = torch.ones_like(model[0].weight)
    state, copy = torch.get_rng_state(), images.clone()

    def run(generator=None):
        return attacks.universal(model, images, epsilon=0.02, max_passes=1, batch_size=4, generator=generator)

    found = run()
    assert [module.training for module in model] == [True, False, True, True, True, True]
    assert not model[5].bias.requires_grad and model[5].weight.requires_grad and model[5].weight.grad is None
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert torch.equal(torch.get_rng_state(), state) and torch.equal(images, copy) and not found.requires_grad
    assert torch.equal(run(), found)  # dropout is off
    assert torch.equal(run(torch.Generator().manual_seed(1)), run(torch.Generator().manual_seed(1)))
    assert not torch.equal(run(torch.Generator().manual_seed(1)), run(torch.Generator().manual_seed(2)))
    model.to(memory_format=torch.channels_last)
    images = images.to(memory_format=torch.channels_last)
    torch.testing.assert_close(run(), found, rtol=0, atol=1e-3)


def test_fooling_is_counted_against_the_prediction_after_the_cut_to_the_box():
    model, images = slopes(), torch.full((4, 3, 8, 8), 0.9, dtype=torch.float64)
    images[0] = 0.45
    v = torch.full((1, 3, 8, 8), 0.2, dtype=torch.float64)
    assert attacks.measure_fooling(model, images, v) == 0.25
    assert attacks.measure_fooling(model, images, -5 * v, chunk_size=3) == 0.75
    assert attacks.measure_fooling(model, images, torch.cat([v, v, v, -5 * v])) == 0.5
    with pytest.raises(ValueError, match=r"the perturbation has shape \(1, 3, 8, 7\)"):
        attacks.measure_fooling(model, images, v[..., 1:])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "art"}, ValueError, "unknown method 'art'; choose one of 'algorithm-1', 'descent'"),
        ({"method": "descent", "attack": attacks.fgsm}, ValueError, "which has no inner attack"),
        ({"norm": "l1"}, ValueError, "unknown norm 'l1'; choose one of 'linf', 'l2'"),
        ({"epsilon": 0}, ValueError, r"epsilon=0\.0; expected a finite number > 0"),
        ({"epsilon": 10}, ValueError, "write 10 / 255"),
        ({"epsilon": "10"}, TypeError, "epsilon='10'"),
        ({"fooling_rate": 80}, ValueError, r"fooling_rate=80; expected a number in \(0, 1\]"),
        ({"max_passes": 0}, ValueError, "max_passes=0"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"chunk_size": 0}, ValueError, "chunk_size=0"),
        ({"bounds": (0.5, 1)}, ValueError, "images lie in"),
        ({"attack": lambda model, images: images[:1]}, ValueError, r"the attack returned shape \(1, 3, 8, 8\)"),
        ({"attack": lambda model: model}, TypeError, "positional argument"),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        attacks.universal(convnet(), batch(4, dtype=torch.float32), **({"epsilon": 0.1} | options))


def test_bad_images_and_models_are_named():
    with pytest.raises(ValueError, match="there are no images"):
        attacks.universal(convnet(), batch(0, dtype=torch.float32), epsilon=0.1)
    with pytest.raises(ValueError, match="NaN or infinite"):
        attacks.universal(convnet(), batch(2) * torch.nan, epsilon=0.1)
    with pytest.raises(ValueError, match="logits hold NaN"):
        attacks.universal(lambda images: images.flatten(1) * torch.nan, batch(2), epsilon=0.1)
