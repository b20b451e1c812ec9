"""DeepFool against closed forms, linear programs, the authors' algorithm image by image, and its docstring."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from torch import nn

from lecture13 import attacks
from tests.attacks.small import batch, convnet, linear, predict

few = settings(deadline=None, max_examples=25)


def norm_of(change, norm):
    return torch.linalg.vector_norm(change.flatten(1), ord=2 if norm == "l2" else torch.inf, dim=1)


# affine classifiers


@few
@given(st.integers(0, 10**6), st.sampled_from([2, 3, 7]), st.sampled_from(["l2", "linf"]), st.floats(0, 0.5))
def test_affine_classifiers_closed_form_and_the_stated_overshoot(seed, classes, norm, overshoot):
    model, images = linear(classes, seed=seed), batch(5, (1, 3, 4), seed=seed)
    found = attacks.deepfool(model, images, norm=norm, overshoot=overshoot, max_iterations=1)
    weight, scores = model[1].weight.detach(), model(images).detach()
    predicted = scores.argmax(1)
    for image, adversarial, score, k in zip(images, found, scores, predicted.tolist(), strict=True):
        others = [other for other in range(classes) if other != k]
        w, f = weight[others] - weight[k], score[others] - score[k]
        distance = f.abs() / w.norm(p=2 if norm == "l2" else 1, dim=1)
        nearest = distance.argmin()
        unit = w[nearest] / w[nearest].norm() if norm == "l2" else w[nearest].sign()
        expected = (1 + overshoot) * distance[nearest] * unit
        torch.testing.assert_close((adversarial - image).flatten(), expected, rtol=1e-6, atol=1e-9)
        crossed = model(adversarial[None])[0].detach()
        lead = crossed[others[int(nearest)]] - crossed[k]  # η·|f'| on the other side
        torch.testing.assert_close(lead, overshoot * f[nearest].abs(), rtol=1e-6, atol=1e-9)
    if overshoot > 1e-6:
        assert (predict(model, found) != predicted).all()


def nearest_in_the_box(weight, bias, image, predicted, norm, overshoot):
    """The length of the smallest change that crosses in [0, 1], by linprog (ℓ∞) or a dual search (ℓ2); None: none."""
    lengths = []
    for other in set(range(len(weight))) - {predicted}:
        w = weight[other] - weight[predicted]
        gap = -(w @ image + bias[other] - bias[predicted])
        most = linprog(-w, bounds=list(zip(-image, 1 - image, strict=True)))
        if -most.fun <= gap:
            continue
        wanted = min((1 + overshoot) * gap, -most.fun * (1 - 1e-9))
        if norm == "linf":  # min s: wᵀr ≥ wanted, −s ≤ r ≤ s, in the box
            size = len(w)
            one, eye = np.ones((size, 1)), np.eye(size)
            a = np.block([[-w[None], np.zeros((1, 1))], [eye, -one], [-eye, -one]])
            b = np.concatenate([[-wanted], np.zeros(2 * size)])
            box = [*zip(-image, 1 - image, strict=True), (0, None)]
            lengths.append(linprog(np.eye(size + 1)[-1], A_ub=a, b_ub=b, bounds=box).fun)
        else:  # r = clip(λw): bisect for λ
            low, high = 0.0, 1e9
            for _ in range(200):
                middle = (low + high) / 2
                step = np.clip(middle * w, -image, 1 - image)
                low, high = (middle, high) if w @ step < wanted else (low, middle)
            lengths.append(np.linalg.norm(np.clip(high * w, -image, 1 - image)))
    return min(lengths, default=None)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from([2, 5]), st.sampled_from(["l2", "linf"]))
def test_affine_classifiers_in_a_box_cross_wherever_linprog_finds_a_point(seed, classes, norm):
    model, images = linear(classes, 6, seed), batch(4, (6,), seed)
    images = torch.where(images > 0.6, 1.0, images)  # on a face, where many a step is blocked
    with torch.no_grad():  # gaps of all sizes: some too wide for the box
        model[1].bias.mul_(4)
    found = attacks.deepfool(model, images, norm=norm, bounds=(0, 1), max_iterations=1)
    assert found.min() >= 0 and found.max() <= 1
    weight, bias = (parameter.detach().numpy() for parameter in model[1].parameters())
    before, after = predict(model, images).tolist(), predict(model, found).tolist()
    lengths = norm_of(found - images, norm).tolist()
    for image, k, now, length in zip(images.numpy(), before, after, lengths, strict=True):
        expected = nearest_in_the_box(weight, bias, image, k, norm, 0.02)
        assert (now != k) is (expected is not None)
        if expected is not None:
            assert length == pytest.approx(expected, rel=1e-5)


def test_clipping_each_step_would_not_cross_where_the_box_holds_a_crossing_point():
    model = linear(2, 2)
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[0.0, 0.0], [10.0, 1.0]]))
        model[1].bias.copy_(torch.tensor([0.0, -10.5]))
    image = torch.tensor([[1.0, 0.2]], dtype=torch.float64)  # the steep direction is used up; the other one is enough
    assert predict(model, image) == 0
    for norm in ("l2", "linf"):
        found = attacks.deepfool(model, image, norm=norm, bounds=(0, 1))
        assert predict(model, found) == 1
        torch.testing.assert_close(found, torch.tensor([[1.0, 0.2 + 1.02 * 0.3]], dtype=torch.float64))


@few
@given(st.integers(0, 10**6), st.sampled_from(["l2", "linf"]))
def test_a_box_that_is_far_away_changes_nothing(seed, norm):
    model, images = convnet(torch.float64), batch(3, seed=seed)
    free = attacks.deepfool(model, images, norm=norm)
    torch.testing.assert_close(attacks.deepfool(model, images, norm=norm, bounds=(-1e3, 1e3)), free)


def test_where_the_box_holds_no_crossing_point_the_image_stays_in_its_class_and_in_the_box():
    model, images = linear(3, 12), batch(4, (1, 3, 4))
    with torch.no_grad():
        model[1].bias[1] += 100
    found = attacks.deepfool(model, images, bounds=(0, 1))
    assert (predict(model, found) == 1).all() and found.min() >= 0 and found.max() <= 1


# deep nets


def algorithm_2(model, image, overshoot, norm, iterations=50):
    """As the authors' published code: one image at a time, the overshoot on the total perturbation."""
    scores = model(image[None])[0]
    order = scores.argsort(descending=True)
    total, point = torch.zeros_like(image), image
    for _ in range(iterations):
        point = (image + (1 + overshoot) * total).detach().requires_grad_()
        scores = model(point[None])[0]
        if scores.argmax() != order[0]:
            break
        gradients = [torch.autograd.grad(scores[k], point, retain_graph=True)[0] for k in order]
        ways = []
        for k, gradient in zip(order[1:], gradients[1:], strict=True):
            w, gap = gradient - gradients[0], (scores[k] - scores[order[0]]).abs().detach()
            if norm == "l2":
                ways.append((gap / w.norm(), gap / w.norm() ** 2 * w))
            else:
                ways.append((gap / w.abs().sum(), gap / w.abs().sum() * w.sign()))
        total = total + min(ways, key=lambda way: way[0])[1]
    return point.detach()


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_a_deep_net_is_crossed_as_by_the_authors_algorithm(norm):
    torch.manual_seed(1)
    layers = [nn.Flatten(), nn.Linear(27, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 6)]
    model, images = nn.Sequential(*layers).double(), 3 * batch(30, (3, 3, 3))
    with torch.no_grad():
        for layer in layers[1::2]:
            layer.weight.mul_(4)  # strongly curved: several iterations
    found = attacks.deepfool(model, images, norm=norm)
    expected = torch.stack([algorithm_2(model, image, 0.02, norm) for image in images])
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)
    assert (predict(model, found) != predict(model, images)).all()
    one = attacks.deepfool(model, images, norm=norm, max_iterations=1)
    assert not torch.allclose(one, found)  # one iteration is not enough here


def test_deepfool_is_smaller_than_an_fgsm_step_that_fools():
    model, images = convnet(torch.float64), batch(20)
    labels = predict(model, images)
    found = attacks.deepfool(model, images, norm="linf")
    for epsilon in (0.01, 0.02, 0.05, 0.1):
        fooled = predict(model, attacks.fgsm(model, images, labels, epsilon, bounds=None)) != labels
        assert (norm_of(found - images, "linf")[fooled] <= 1.05 * epsilon).all()


def test_more_candidates_never_a_longer_step_on_affine_classifiers():
    model, images = linear(8, seed=3), batch(30, (12,))
    with torch.no_grad():  # far in score, near in distance: not the runner-up
        model[1].weight.mul_(torch.linspace(0.2, 5, 8)[:, None])
    lengths = [norm_of(attacks.deepfool(model, images, candidates=c) - images, "l2") for c in (2, 4, 8, 100)]
    assert all((fewer >= more - 1e-9).all() for fewer, more in itertools.pairwise(lengths))
    assert torch.equal(lengths[2], lengths[3]) and (lengths[0] > lengths[2] + 1e-6).any()


# the promises: mode, state, dtype, memory format, batch


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0)])
def test_every_dtype_crosses_and_is_kept(dtype, norm, bounds):
    model, images = convnet(dtype), batch(8, dtype=dtype)
    found = attacks.deepfool(model, images, norm=norm, bounds=bounds)
    assert found.dtype == dtype and found.shape == images.shape
    assert (predict(model, found) != predict(model, images)).all()
    if bounds:
        assert found.min() >= 0 and found.max() <= 1


def test_memory_format_is_kept():
    model, images = convnet().to(memory_format=torch.channels_last), batch(dtype=torch.float32)
    plain = attacks.deepfool(model, images)
    last = attacks.deepfool(model, images.to(memory_format=torch.channels_last))
    assert plain.is_contiguous() and last.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(plain, last, rtol=1e-3, atol=1e-3)


def test_chunks_single_images_and_no_images():
    model, images = convnet(torch.float64), batch()
    whole = attacks.deepfool(model, images)
    torch.testing.assert_close(attacks.deepfool(model, images, chunk_size=2), whole)
    torch.testing.assert_close(torch.cat([attacks.deepfool(model, image[None]) for image in images]), whole)
    assert attacks.deepfool(model, images[:0]).shape == (0, 3, 8, 8)


def test_model_images_and_random_state_are_left_as_found_and_dropout_is_off():
    model, images = convnet().train(), batch(dtype=torch.float32).requires_grad_()
    model[1].eval()
    model[5].bias.requires_grad_(False)
    model[0].weight.grad = torch.ones_like(model[0].weight)
    buffers, state = [buffer.clone() for buffer in model.buffers()], torch.get_rng_state()
    copy = images.detach().clone()
    found = attacks.deepfool(model, images)
    again = attacks.deepfool(model, images)
    assert torch.equal(found, again) and not found.requires_grad  # dropout in train mode would differ
    assert [module.training for module in model] == [True, False, True, True, True, True]
    assert not model[5].bias.requires_grad and model[5].weight.requires_grad and model[5].weight.grad is None
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert all(map(torch.equal, buffers, model.buffers())) and torch.equal(torch.get_rng_state(), state)
    assert torch.equal(images.detach(), copy) and images.grad is None
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            assert torch.equal(attacks.deepfool(model, copy + 0), found)


def test_images_that_are_done_leave_the_batch():
    model, images = convnet(torch.float64), batch(16)
    sizes = []

    def counted(points):
        sizes.append(len(points))
        return model.eval()(points)

    attacks.deepfool(counted, images)
    assert sizes[:2] == [16, 16] and sizes == sorted(sizes, reverse=True) and sizes[-1] < 16


def test_an_image_without_a_gradient_comes_back_as_it_was():
    model, images = linear(3), batch(2, (12,))
    nn.init.zeros_(model[1].weight)
    for bounds in (None, (0, 1)):
        assert torch.equal(attacks.deepfool(model, images, bounds=bounds), images)


@pytest.mark.parametrize("bounds", [None, (0, 2)])
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_an_infinite_gradient_leads_nowhere(norm, bounds):
    """The boundary towards its class is passed over, the finite one's is crossed; if it is alone, none is."""

    class Steep(nn.Module):
        def forward(self, images):
            first, second = images.flatten(1).T
            return torch.stack([torch.ones_like(first), first * 1e30 * 1e30, second], 1)[:, : self.classes]

    model, images = Steep(), torch.tensor([0.0, 0.5]).view(1, 1, 1, 2)
    model.classes = 3
    options = {"norm": norm, "bounds": bounds, "max_iterations": 1, "overshoot": 0.02}
    found = attacks.deepfool(model, images, **options)
    torch.testing.assert_close(found.flatten(), torch.tensor([0.0, 0.5 + 1.02 * 0.5]), atol=1e-5, rtol=0)
    model.classes = 2
    torch.testing.assert_close(attacks.deepfool(model, images, **options), images, atol=0, rtol=0)


def test_equal_logits_are_crossed_too():
    model, images = linear(2, 4), torch.full((1, 4), 0.5, dtype=torch.float64)
    with torch.no_grad():
        model[1].bias.copy_(3 - model[1].weight @ images[0])  # both logits 3: the first class by convention
    assert predict(model, attacks.deepfool(model, images)) != predict(model, images)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"norm": "l1"}, ValueError, "unknown norm 'l1'; choose one of 'l2', 'linf'"),
        ({"candidates": 1}, ValueError, "candidates=1 is the predicted class alone"),
        ({"candidates": 2.5}, ValueError, r"candidates=2\.5"),
        ({"max_iterations": 0}, ValueError, "max_iterations=0"),
        ({"overshoot": -0.1}, ValueError, r"overshoot=-0\.1; expected a number in \[0, inf\)"),
        ({"overshoot": "2 %"}, TypeError, "overshoot='2 %' is a str"),
        ({"bounds": (1, 0)}, ValueError, r"bounds=\(1, 0\)"),
        ({"bounds": (0.5, 1)}, ValueError, "images lie in"),
        ({"chunk_size": 0}, ValueError, "chunk_size=0"),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        attacks.deepfool(convnet(), batch(2, dtype=torch.float32), **options)


@pytest.mark.parametrize(
    ("images", "model", "error", "message"),
    [
        (torch.full((1, 12), torch.nan), linear(dtype=torch.float32), ValueError, "NaN or infinite"),
        (torch.zeros(1, 12, dtype=torch.uint8), linear(), TypeError, r"torch\.uint8"),
        (torch.rand(12), linear(), ValueError, r"image\[None\]"),
        (torch.rand(2, 12), lambda images: images.detach(), ValueError, "do not depend on the images"),
        (torch.rand(2, 12), lambda images: images[:, :1], ValueError, r"shape \(2, 1\)"),
        (torch.rand(2, 12), lambda images: images * torch.nan, ValueError, "NaN"),
    ],
)
def test_bad_images_and_models_are_named(images, model, error, message):
    with pytest.raises(error, match=message):
        attacks.deepfool(model, images)
