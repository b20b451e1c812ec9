"""Chapter 16's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
import torch

from tests.exercises.judging import judge, judge_stub


def upper_edge(lower, upper):
    slope = upper / (upper - lower)
    return slope, -slope * lower


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (upper_edge, None),
        (lambda low, high: upper_edge(low, high)[0], "two numbers"),
        (lambda low, high: (1.0, 0.0), "own right part"),
        (lambda low, high: (high / (high - low), 0.0), "through the origin"),
        (lambda low, high: (high / (high - low), -low), "At ẑ = ℓ"),
        (lambda low, high: (0.5 * high / (high - low), -0.5 * low * high / (high - low)), "At ẑ = u"),
    ],
)
def test_upper_edge(answer, says):
    judge("16.1", answer, says)


def first_bounds(weight, bias, x, epsilon, radius=None):
    centre = weight @ x + bias
    radius = epsilon * weight.abs().sum(1) if radius is None else radius(weight, epsilon)
    return centre - radius, centre + radius


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (first_bounds, None),
        (lambda *a: first_bounds(*a)[0], r"\(lower, upper\)"),
        (lambda *a: tuple(each.mean() for each in first_bounds(*a)), "shape of b"),
        (lambda *a: first_bounds(*a, radius=lambda w, e: e * w.norm(dim=1)), "below your lower"),
        (lambda *a: first_bounds(*a, radius=lambda w, e: e * w.sum(1)), "goes below|goes above"),
        (lambda *a: first_bounds(*a, radius=lambda w, e: e * w.abs().sum()), "not tight"),
    ],
)
def test_first_bounds(answer, says):
    judge("16.2", answer, says)


def questions(label, classes):
    rows = torch.eye(classes)[label] - torch.eye(classes)
    return rows[[k for k in range(classes) if k != label]]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (questions, None),
        (lambda y, k: questions(y, k).tolist(), "a tensor"),
        (lambda y, k: torch.eye(k)[y] - torch.eye(k), "A row for each"),
        (lambda y, k: (2 * torch.eye(k)[y] - 1).expand(k - 1, -1), "adds all other"),
        (lambda y, k: -questions(y, k), "The sign"),
        (lambda y, k: questions(y, k).flip(0), "in their order"),
    ],
)
def test_questions(answer, says):
    judge("16.3", answer, says)


def lower_bound(c, W1, b1, W2, b2, x, epsilon, price=True, constant=True, early=False):
    middle, radius = W1 @ x + b1, epsilon * W1.abs().sum(1)
    lower, upper = middle - radius, middle + radius
    unstable = (lower < 0) & (upper > 0)
    d = torch.where(unstable, upper / (upper - lower), (lower >= 0).to(x))
    nu = d * (W2.T @ c)
    if early:
        low, high = lower.clamp(min=0), upper.clamp(min=0)
        row = W2.T @ c
        return row @ (low + high) / 2 - row.abs() @ (high - low) / 2 + c @ b2
    value = nu @ middle + (c @ b2 if constant else 0) - epsilon * (W1.T @ nu).abs().sum()
    return value + (lower * (-nu).clamp(min=0))[unstable].sum() if price else value


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lower_bound, None),
        (lambda *a: lower_bound(*a, constant=False), "With ε = 0"),
        (lambda *a: lower_bound(*a) + a[-1], "above the exact minimum|νᵀ"),
        (lambda *a: lower_bound(*a, early=True), "interval arithmetic"),
        (lambda *a: lower_bound(*a) - a[-1], "unstable units"),
    ],
)
def test_lower_bound(answer, says):
    judge("16.4", answer, says)


@pytest.mark.parametrize("name", ["16.1", "16.2", "16.3", "16.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    judge_stub(name, lambda *arguments: ...)
