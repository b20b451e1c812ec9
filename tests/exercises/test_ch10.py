"""Chapter 10's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
import torch
from torch.autograd.functional import jacobian

from tests.exercises.judging import judge, judge_stub


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda w, b, x: -(w @ x + b) / w.square().sum() * w, None),
        (lambda w, b, x: (w @ x + b) / w.square().sum() * w, "against the sign"),
        (lambda w, b, x: -(w @ x + b) / w.norm() * w, r"‖w‖₂² below"),
        (lambda w, b, x: -(w @ x + b) / w.abs().sum() * w.sign(), "not at its nearest point"),
        (lambda w, b, x: (w @ x + b).abs() / w.norm(), "a tensor of the image's shape"),
    ],
)
def test_one_hyperplane(answer, says):
    judge("10.1", answer, says)


def face(weight, bias, image, norm, *, dual=True, own=False, by_score=False):
    scores = weight @ image + bias
    k_hat = scores.argmax()
    w, gap = weight - weight[k_hat], scores[k_hat] - scores
    euclidean = (norm == "l2") is dual
    distance = gap / (w.norm(dim=1) if euclidean else w.abs().sum(1))
    distance[k_hat] = 0.0 if own else torch.inf
    gap[k_hat] = torch.inf
    nearest = gap.argmin() if by_score else distance.argmin()
    return int(nearest), distance[nearest]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (face, None),
        (lambda *a: face(*a, dual=False), "the dual norm"),
        (lambda *a: face(*a, own=True), "predicted class itself"),
        (lambda *a: face(*a, by_score=True), "The least|dual norm"),
        (lambda *a: (face(*a)[0] % 3 + 1, face(*a)[1]), "its face is that of class|predicted class itself"),
        (lambda *a: face(*a)[1], "Give a pair"),
    ],
)
def test_the_nearest_face(answer, says):
    judge("10.2", answer, says)


def deepfool(model, image, eta=0.02, *, norm="linf", total_overshoot=True, most=50, inplace=False, graph=False):
    first, point, total = model(image[None]).argmax(), image.clone(), torch.zeros_like(image)
    for _ in range(most):
        scores = model(point[None])[0]
        gradients = jacobian(lambda z: model(z[None])[0], point)
        scores = scores if graph else scores.detach()
        w, gap = gradients - gradients[first], (scores - scores[first]).abs()
        dual = w.flatten(1).norm(dim=1) if norm == "l2" else w.flatten(1).abs().sum(1)
        distance = gap / dual
        distance[first] = torch.inf
        k = distance.argmin()
        step = distance[k] * (w[k] / dual[k] if norm == "l2" else w[k].sign())
        total = total + (step if total_overshoot else (1 + eta) * step)
        point = image + ((1 + eta) if total_overshoot else 1.0) * total
        if model(point[None]).argmax() != first:
            break
    if inplace:
        image += 0.1
    return point


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (deepfool, None),
        (lambda *a, **k: deepfool(*a, total_overshoot=False, **k), None),  # (1 + η)·Σ rᵢ = Σ (1 + η)·rᵢ
        (lambda *a, **k: deepfool(*a, norm="l2", **k), "DeepFool for ℓ₂"),
        (lambda *a, **k: deepfool(*a, most=1, **k), "has not changed"),
        (lambda model, image, eta=0.02: deepfool(model, image, eta=0.0), "has not changed|on the total"),
        (lambda *a, **k: deepfool(*a, inplace=True, **k), "was changed"),
        (lambda *a, **k: deepfool(*a, **k)[0], "a tensor of shape"),
        (lambda model, image, eta=0.02: deepfool(model, image, eta).requires_grad_(), "carries a graph"),
    ],
)
def test_deepfool(answer, says):
    judge("10.3", answer, says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda s, eta, n: max(1 - (1 - s) * (1 + eta), 0.0) ** n, None),
        (lambda s, eta, n: max(1 - (1 - s) * (1 + eta), 0.0), "played through"),
        (lambda s, eta, n: n * max(1 - (1 - s) * (1 + eta), 0.0), "do not add up"),
        (lambda s, eta, n: s**n, "played through"),
        (lambda s, eta, n: (1 - (1 - s) * (1 + eta)) ** n, "nothing is left"),
    ],
)
def test_the_gap_that_clipping_leaves(answer, says):
    judge("10.4", answer, says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda n, right, e: (right[None] & (n[None] > e[:, None])).double().mean(1), None),
        (lambda n, right, e: (n[None] > e[:, None]).double().mean(1), "clean accuracy"),
        (lambda n, right, e: (right[None] & (n[None] <= e[:, None])).double().mean(1), "clean accuracy"),
        (lambda n, right, e: right.double().mean() * torch.tensor([1, 0.9, 0.5, 0.0]), "whose norm is above"),
        (lambda n, right, e: right.double().mean() * (1 + e), "never rises"),
        (lambda n, right, e: right.double().mean(), r"shape \(4,\)"),
    ],
)
def test_robust_accuracy(answer, says):
    judge("10.5", answer, says)


@pytest.mark.parametrize("name", ["10.1", "10.2", "10.3", "10.4", "10.5"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    def stub(*arguments, **options): ...

    judge_stub(name, stub)
