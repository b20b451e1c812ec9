"""Chapter 13's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
from torch.nn.functional import softmax

from tests.exercises.judging import judge, judge_stub


def rmsd(x, y, scale=255):
    return scale * (x - y).square().mean((1, 2, 3)).sqrt()


def loss(logits, alphas, labels, inside=True, targeted=False):
    each = [softmax(part, 1).gather(1, labels[:, None])[:, 0] for part in logits]
    if not inside:
        return -sum(a * (1 - p).log() for a, p in zip(alphas, each, strict=True))
    mixed = sum(a * p for a, p in zip(alphas, each, strict=True))
    return -(mixed if targeted else 1 - mixed).log()


def rate(before, after, labels):
    right = before == labels
    return (right & (after != labels)).sum() / right.sum()


def second_axis(gradient, noise):
    part = noise - (noise * gradient).sum() / gradient.square().sum() * gradient
    return part / part.square().mean().sqrt() / 255


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [
        ("13.1", rmsd, None),
        ("13.1", lambda x, y: rmsd(x, y, 1), r"units of \[0, 1\]"),
        ("13.1", lambda x, y: 255 * (x - y).flatten(1).norm(dim=1), "divide the sum"),
        ("13.1", lambda x, y: rmsd(x, y).mean(), "One number for each image"),
        ("13.1", lambda x, y: 255 * (x - y).abs().mean((1, 2, 3)), "root of the mean"),
        ("13.2", loss, None),
        ("13.2", lambda *a: loss(*a, inside=False), "inside"),
        ("13.2", lambda *a: loss(*a, targeted=True), "targeted loss"),
        ("13.2", lambda logits, alphas, labels: loss(logits, [0.5, 0.5], labels), "softmax probabilities"),
        ("13.3", rate, None),
        ("13.3", lambda b, a, y: (a != y).double().mean(), "misread before"),
        ("13.3", lambda b, a, y: ((b == y) & (a != y)).double().mean(), "not by all"),
        ("13.3", lambda b, a, y: (b != a).double().mean(), "reads right|not by all|error"),
        ("13.4", second_axis, None),
        ("13.4", lambda g, n: n / n.square().mean().sqrt() / 255, "not orthogonal"),
        ("13.4", lambda g, n: second_axis(g, n) * 255, "one level"),
        ("13.4", lambda g, n: -second_axis(g, n), "point the way"),
    ],
)
def test_answers(name, answer, says):
    judge(name, answer, says)


@pytest.mark.parametrize("name", ["13.1", "13.2", "13.3", "13.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    judge_stub(name, lambda *arguments: ...)
