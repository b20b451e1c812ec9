"""L-BFGS against SciPy's, closed forms and brute force; the attack's promises."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch import nn

from lecture13 import attacks
from lecture13.attacks.quasi_newton import minimise
from tests.attacks.small import batch, convnet, linear, predict

few = settings(deadline=None, max_examples=15)


def lengths(change):
    return change.double().flatten(1).norm(dim=1)


# the minimiser


@few
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_quadratics_in_a_box_as_scipy(seed, count):
    generator = torch.Generator().manual_seed(seed)
    factor = torch.randn(count, 6, 6, generator=generator, dtype=torch.float64)
    matrix, b = factor @ factor.mT + 0.1 * torch.eye(6), 3 * torch.randn(count, 6, generator=generator).double()

    def objective(points, rows):
        product = (matrix[rows] @ points[:, :, None])[:, :, 0]
        return 0.5 * (points * product).sum(1) - (b[rows] * points).sum(1), product - b[rows]

    found = minimise(objective, torch.zeros(count, 6).double(), -1.0, 1.0, iterations=500, tolerance=1e-14)
    for row in range(count):
        a, c = matrix[row].numpy(), b[row].numpy()
        expected = minimize(
            lambda x, a=a, c=c: (0.5 * x @ a @ x - c @ x, a @ x - c),
            np.zeros(6),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-1, 1)] * 6,
            options={"ftol": 1e-15, "gtol": 1e-12},
        )
        assert objective(found[row : row + 1], torch.tensor([row]))[0].item() == pytest.approx(expected.fun, abs=1e-7)
    assert found.abs().max() <= 1


def rosenbrock(points, rows):
    x, y = points.unbind(1)
    gradient = torch.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], 1)
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2, gradient


def test_rosenbrock_free_and_in_a_box():
    start = torch.tensor([[-1.2, 1.0], [0.5, -0.5], [2.0, 2.0]], dtype=torch.float64)
    free = minimise(rosenbrock, start, -torch.inf, torch.inf, iterations=300, tolerance=1e-15)
    torch.testing.assert_close(free, torch.ones_like(free), rtol=0, atol=1e-4)
    boxed = minimise(rosenbrock, start, start.new_full((3, 2), -2), start.new_full((3, 2), 0.8), iterations=300)
    torch.testing.assert_close(boxed, torch.tensor([[0.8, 0.64]]).double().expand(3, 2), rtol=0, atol=2e-2)
    assert boxed.max() <= 0.8


def test_rows_do_not_influence_each_other_and_never_rise():
    start = torch.tensor([[-1.2, 1.0], [0.5, -0.5], [2.0, 2.0]], dtype=torch.float64)
    together = minimise(rosenbrock, start, -3.0, 3.0, iterations=25)
    alone = torch.cat([minimise(rosenbrock, row[None], -3.0, 3.0, iterations=25) for row in start])
    torch.testing.assert_close(together, alone)
    values = [rosenbrock(minimise(rosenbrock, start, -3.0, 3.0, iterations=n), None)[0] for n in (1, 3, 9, 27)]
    assert all((later <= sooner).all() for sooner, later in itertools.pairwise(values))


# the attack


@few
@given(st.integers(0, 10**6), st.sampled_from([2, 5]))
def test_affine_classifiers_closed_form(seed, classes):
    model, images = linear(classes, 8, seed), batch(4, (8,), seed)
    targets = (predict(model, images) + 1) % classes
    found = attacks.lbfgs(model, images, targets, bounds=None, search_steps=14)
    assert (predict(model, found) == targets).all()
    weight, scores = model[1].weight.detach(), model(images).detach()
    if classes == 2:
        w = weight[targets] - weight[1 - targets]
        gap = (scores.gather(1, 1 - targets[:, None]) - scores.gather(1, targets[:, None]))[:, 0]
        nearest = gap / w.norm(dim=1)
        assert (lengths(found - images) >= nearest - 1e-9).all()
        torch.testing.assert_close(lengths(found - images), nearest, rtol=0.04, atol=1e-3)
    else:  # never shorter than the way to the boundary with any other class
        for other in range(classes):
            w = weight[targets] - weight[other]
            gap = scores[:, other] - scores.gather(1, targets[:, None])[:, 0]
            assert (lengths(found - images) >= (gap / w.norm(dim=1)).nan_to_num() - 1e-9).all()


def test_in_a_box_it_is_the_nearest_point_of_the_target_that_deepfool_finds_too():
    model, images = linear(2, 6), batch(20, (6,))
    targets = 1 - predict(model, images)
    found = attacks.lbfgs(model, images, targets, search_steps=14)
    nearest = attacks.deepfool(model, images, overshoot=0.0, bounds=(0, 1))
    inside = predict(model, attacks.deepfool(model, images, bounds=(0, 1))) == targets
    assert inside.sum() > 2
    assert torch.equal(predict(model, found) == targets, inside)
    torch.testing.assert_close(lengths(found - images)[inside], lengths(nearest - images)[inside], rtol=0.02, atol=1e-4)
    assert torch.equal(found[~inside], images[~inside])  # no point of the box is of the target's class
    assert found.min() >= 0 and found.max() <= 1


def test_it_is_near_what_brute_force_finds_on_a_net_of_two_inputs():
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 3)).double()
    with torch.no_grad():
        model[0].weight.mul_(3)
        model[2].weight.mul_(4)
    axis = torch.linspace(0, 1, 401, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    classes = predict(model, grid)
    images = batch(12, (2,))
    for target in classes.unique().tolist():
        found = attacks.lbfgs(model, images, torch.full((12,), target))
        nearest = torch.cdist(images, grid[classes == target]).amin(1)
        reached = predict(model, found) == target
        assert reached.float().mean() > 0.9
        assert (lengths(found - images)[reached] >= nearest[reached] - 0.005).all()
        assert (lengths(found - images)[reached] <= 1.1 * nearest[reached] + 0.005).float().mean() > 0.8


def test_more_search_is_never_worse_for_images_that_were_reached():
    model, images = convnet(torch.float64), batch(6)
    targets = (predict(model, images) + 2) % 4
    sizes = [lengths(attacks.lbfgs(model, images, targets, search_steps=n) - images) for n in (4, 7, 10)]
    assert (sizes[0] > 0).all()
    assert (sizes[1] <= sizes[0] + 1e-12).all() and (sizes[2] <= sizes[1] + 1e-12).all()
    far = attacks.lbfgs(model, images, targets, initial_c=1e3, search_steps=14)  # any first c will do
    torch.testing.assert_close(lengths(far - images), sizes[2], rtol=0.05, atol=1e-3)


def test_images_of_their_target_come_back_as_they_are_and_the_unreachable_too():
    model, images = convnet(torch.float64), batch(6)
    assert torch.equal(attacks.lbfgs(model, images, predict(model, images)), images)
    with torch.no_grad():
        model[5].bias[3] = -100.0
    assert torch.equal(attacks.lbfgs(model, images, torch.full((6,), 3)), images)


def test_untargeted_is_the_second_class_or_the_best_of_all():
    model, images = convnet(torch.float64), batch(6)
    with torch.no_grad():
        order = model.eval()(images).argsort(1, descending=True)
    second = attacks.lbfgs_untargeted(model, images, search_steps=4)
    assert torch.equal(second, attacks.lbfgs(model, images, order[:, 1].contiguous(), search_steps=4))
    everything = attacks.lbfgs_untargeted(model, images, targets="all", search_steps=4)
    each = torch.stack(
        [lengths(attacks.lbfgs(model, images, order[:, k].contiguous(), search_steps=4) - images) for k in (1, 2, 3)]
    )
    torch.testing.assert_close(lengths(everything - images), each.amin(0))
    assert (predict(model, everything) != order[:, 0]).all()
    assert attacks.lbfgs_untargeted(model, images[:0]).shape == (0, 3, 8, 8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)])
def test_dtype_mode_state_and_chunks(dtype, bounds):
    model, images = convnet(dtype), batch(3, dtype=dtype)
    targets = (predict(model, images) + 1) % 4
    model.train()[1].eval()
    model[5].bias.requires_grad_(False)
    model[0].weight.grad = torch.ones_like(model[0].weight)
    options = {"bounds": bounds, "search_steps": 5, "iterations": 20}
    state, copy = torch.get_rng_state(), images.clone()
    found = attacks.lbfgs(model, images.requires_grad_(), targets, **options)
    assert found.dtype == dtype and not found.requires_grad
    assert [module.training for module in model] == [True, False, True, True, True, True]
    assert not model[5].bias.requires_grad and model[5].weight.requires_grad and model[5].weight.grad is None
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert torch.equal(torch.get_rng_state(), state) and torch.equal(images.detach(), copy) and images.grad is None
    assert torch.equal(attacks.lbfgs(model, copy, targets, **options), found)  # dropout is off
    assert (predict(model, found) == targets).all()
    if bounds:
        assert found.min() >= 0 and found.max() <= 1
    if dtype == torch.float64:
        torch.testing.assert_close(attacks.lbfgs(model, copy, targets, **options, chunk_size=2), found)
        with torch.inference_mode():
            torch.testing.assert_close(attacks.lbfgs(model, copy + 0, targets + 0, **options), found)
        assert attacks.lbfgs(model, copy[:0], targets[:0]).shape == (0, 3, 8, 8)


def test_memory_format_is_kept():
    model, images = convnet().to(memory_format=torch.channels_last), batch(dtype=torch.float32)
    targets = (predict(model, images) + 1) % 4
    last = attacks.lbfgs(model, images.to(memory_format=torch.channels_last), targets)
    assert last.is_contiguous(memory_format=torch.channels_last) and (predict(model, last) == targets).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"search_steps": 0}, ValueError, "search_steps=0"),
        ({"iterations": 0}, ValueError, "iterations=0"),
        ({"initial_c": 0}, ValueError, r"initial_c=0; expected a number in \(0, inf\)"),
        ({"initial_c": None}, TypeError, "initial_c=None is a NoneType"),
        ({"bounds": (1, 0)}, ValueError, r"bounds=\(1, 0\)"),
        ({"chunk_size": 0}, ValueError, "chunk_size=0"),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        attacks.lbfgs(convnet(), batch(2, dtype=torch.float32), torch.tensor([0, 1]), **options)


def test_bad_images_targets_and_models_are_named():
    model, images, targets = convnet(torch.float64), batch(2), torch.tensor([0, 1])
    with pytest.raises(ValueError, match="unknown targets 'third'; choose one of 'second', 'all'"):
        attacks.lbfgs_untargeted(model, images, targets="third")
    with pytest.raises(ValueError, match="images lie in"):
        attacks.lbfgs(model, images * 255, targets)
    with pytest.raises(ValueError, match="NaN or infinite"):
        attacks.lbfgs(model, images * torch.nan, targets)
    with pytest.raises(ValueError, match="label 4 is out of range"):
        attacks.lbfgs(model, images, targets + 3)
    with pytest.raises(TypeError, match="int32"):
        attacks.lbfgs(model, images, targets.int())
    with pytest.raises(ValueError, match="NaN"):
        attacks.lbfgs(lambda images: images.flatten(1) * torch.nan, images, targets)
    with pytest.raises(ValueError, match="do not depend on the images"):
        attacks.lbfgs(lambda images: images.flatten(1).detach(), images, targets)
