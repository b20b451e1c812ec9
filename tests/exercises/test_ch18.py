"""Chapter 18's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
import torch

from lecture13.defenses.sparsity import project_rows_l1_
from tests.exercises.judging import judge, judge_stub


def keep(c, k):
    flat = c.flatten(1)
    indices = flat.abs().topk(k).indices
    return torch.zeros_like(flat).scatter(1, indices, flat.gather(1, indices)).view_as(c)


def keep_by_value(c, k):
    flat = c.flatten(1)
    indices = flat.topk(k).indices
    return torch.zeros_like(flat).scatter(1, indices, flat.gather(1, indices)).view_as(c)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (keep, None),
        (lambda c, k: c.clone(), "Nothing was set to 0"),
        (lambda c, k: c.mul_(0), "were changed"),
        (keep_by_value, "in magnitude"),
        (lambda c, k: keep(c.flatten()[None], k).view_as(c), "of the whole batch"),
        (lambda c, k: keep(c, k).sign(), "keep their value"),
    ],
)
def test_keep_largest(answer, says):
    judge("18.1", answer, says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda w, g: project_rows_l1_(w.clone()[None], g)[0], None),
        (lambda w, g: project_rows_l1_(w[None], g)[0], "was changed"),
        (lambda w, g: w * min(1, g / w.abs().sum()), "Scaling"),
        (lambda w, g: w.clone(), "above γ"),
        (lambda w, g: w * g / w.abs().sum(), "Scaling|inside the ball already"),
        (lambda w, g: 0 * w if w.abs().sum() > g else w.clone(), "sign"),
    ],
)
def test_project(answer, says):
    judge("18.2", answer, says)


def bound(weights, epsilon, norm=torch.inf, start=True):
    found, size = [], epsilon if start else 1.0
    for weight in weights:
        size = size * torch.linalg.matrix_norm(weight, norm)
        found.append(size)
    return found


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (bound, None),
        (lambda w, e: bound(w, e, 1), "a unit is a row"),
        (lambda w, e: bound(w, e, 2), "for ‖e‖₂"),
        (lambda w, e: bound(w, e, start=False), "Where is ε"),
        (lambda w, e: bound(w, e)[-1:], "One number after each layer"),
    ],
)
def test_propagation(answer, says):
    judge("18.3", answer, says)


def bpda(front, net, images, labels, seen=True, sign=1, exact=False):
    inputs = (front(images) if seen else images).clone().requires_grad_()
    z = net(front(inputs)) if exact else net(inputs)
    lead = z.gather(1, 1 - labels[:, None]) - z.gather(1, labels[:, None])
    return sign * torch.autograd.grad(lead.sum(), inputs)[0]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (bpda, None),
        (lambda *a: bpda(*a, seen=False), "does not see x"),
        (lambda *a: bpda(*a, seen=False, exact=True), "the exact gradient"),
        (lambda *a: bpda(*a, sign=-1), "points back"),
        (lambda *a: bpda(*a).sum(0), "shape"),
    ],
)
def test_around_the_front_end(answer, says):
    judge("18.4", answer, says)


@pytest.mark.parametrize("name", ["18.1", "18.2", "18.3", "18.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    judge_stub(name, lambda *arguments: ...)
