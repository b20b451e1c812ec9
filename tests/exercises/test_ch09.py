"""Chapter 09's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lecture13 import attacks
from tests.exercises.judging import judge, judge_stub


def by_hand(model, images, labels, epsilon, sign=1.0, step=torch.sign, clip=True, inplace=False):
    inputs = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(cross_entropy(model(inputs), labels), inputs)
    images = images if inplace else images.clone()
    images += sign * epsilon * step(gradient)
    return images.clamp(0, 1) if clip else images


def with_backward(model, images, labels, epsilon):
    inputs = images.clone().requires_grad_()
    cross_entropy(model(inputs), labels).backward()
    return (images + epsilon * inputs.grad.sign()).clamp(0, 1)


def with_graph(model, images, labels, epsilon):
    return by_hand(model, images, labels, epsilon).requires_grad_()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (by_hand, None),
        (lambda *a: by_hand(*a, sign=-1.0), "goes down the loss"),
        (lambda *a: by_hand(*a, step=lambda g: 1e6 * g), "more than ε"),
        (lambda *a: by_hand(*a, step=lambda g: g / g.abs().max()), "Every pixel moves by ε"),
        (lambda *a: by_hand(*a, clip=False), "clip the result"),
        (lambda *a: by_hand(*a, inplace=True), "were changed"),
        (lambda *a: by_hand(*a)[:2], r"expected the shape \(6, 3, 4, 4\)"),
        (lambda *a: 3, "this is a int"),
        (with_backward, "parameters were given gradients"),
        (with_graph, "carries a graph"),
    ],
)
def test_fgsm(answer, says):
    judge("09.1", answer, says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda w, b, x: (w @ x + b).abs() / w.abs().sum(), None),
        (lambda w, b, x: (w @ x + b).abs() / w.norm(), r"distance in ‖·‖₂|moves by ε"),
        (lambda w, b, x: (w @ x + b) / w.abs().sum(), "a size|moves by"),
        (lambda w, b, x: (w @ x).abs() / w.abs().sum(), "moves by"),
    ],
)
def test_smallest_epsilon(answer, says):
    judge("09.2", answer, says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda *a: by_hand(*a, sign=-1.0), None),
        (by_hand, "away from it"),
        (lambda *a: by_hand(*a, sign=-1.0, step=lambda g: g), r"sign\(∇ₓJ"),
    ],
)
def test_targeted(answer, says):
    judge("09.3", answer, says)


def test_the_epsilon_that_fools_half():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 4))
    images = torch.rand(200, 3, 4, 4)
    data = SimpleNamespace(images=images, labels=model(images).argmax(1))
    shares = {
        e: (model(attacks.fgsm(model, images, data.labels, e)).argmax(1) != data.labels).float().mean()
        for e in torch.linspace(0.001, 0.2, 100).tolist()
    }
    half = min(shares, key=lambda e: abs(shares[e] - 0.5))
    context = {"model": model, "data": data}
    judge("09.4", half, None, **context)
    judge("09.4", 2 * half, "smaller one is enough", **context)
    judge("09.4", half / 2, "larger one is needed", **context)
    judge("09.4", 8, "0–255 scale", **context)
    judge("09.4", "8/255", "this is a str", **context)


@pytest.mark.parametrize("name", ["09.1", "09.2", "09.3", "09.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    context = {"model": nn.Flatten(), "data": SimpleNamespace(images=torch.rand(2, 3), labels=torch.zeros(2).long())}
    context = context if name == "09.4" else {}
    stub = ... if name == "09.4" else lambda *arguments: ...
    judge_stub(name, stub, **context)
