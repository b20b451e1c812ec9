"""Chapter 12's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
import torch

from tests.exercises.judging import judge, judge_stub


def project(v, epsilon, norm):
    return v.clamp(-epsilon, epsilon) if norm == "linf" else v * (epsilon / max(epsilon, float(v.norm())))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (project, None),
        (lambda v, e, n: v.clamp_(-e, e) if n == "linf" else project(v, e, n), "was changed"),
        (lambda v, e, n: e * v.sign() if n == "linf" else project(v, e, n), "cut each entry"),
        (lambda v, e, n: v, "no entry is larger"),
        (lambda v, e, n: project(v, e, "linf"), "the length is at most ξ"),
        (lambda v, e, n: project(v, e, n) if n == "linf" else e * v / v.norm(), "inside the ball"),
    ],
)
def test_project(answer, says):
    judge("12.1", answer, says)


def rate(model, images, v, cut=True, average=True):
    after = (images + v).clamp(0, 1) if cut else images + v
    changed = (model(after).argmax(1) != model(images).argmax(1)).double()
    return changed.mean() if average else changed.sum()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (rate, None),
        (lambda *a: rate(*a, cut=False), r"\[0, 1\]"),
        (lambda *a: rate(*a, average=False), "take the mean"),
        (lambda *a: 1 - rate(*a), "the rate is 0"),
    ],
)
def test_fooling_rate(answer, says):
    judge("12.2", answer, says)


def one_pass(model, images, v, epsilon, attack, every=False, last=False, skip=False):
    for x in images.split(1)[1:] if skip else images.split(1):
        with torch.no_grad():
            fooled = model(x + v).argmax(1) != model(x).argmax(1)
        if every or not fooled:
            v = v + attack(model, x + v) - (x + v)
            v = v if last else v.clamp(-epsilon, epsilon)
    return v


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (one_pass, None),
        (lambda *a: one_pass(*a, last=True), "leaves its ball"),
        (lambda *a: one_pass(*a, last=True).clamp(-a[3], a[3]), "passed over|in turn|only those"),
        (lambda *a: one_pass(*a, every=True), "only those that v does not fool"),
        (lambda *a: one_pass(*a, skip=True), "passed over"),
        (lambda model, images, v, epsilon, attack: v, "in turn"),
    ],
)
def test_one_pass(answer, says):
    judge("12.3", answer, says)


def dominant(before, after):
    became = after[before != after].bincount()
    return int(became.argmax()), float(became.max() / became.sum())


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (dominant, None),
        (lambda b, a: (3, 0.3), "most frequent"),
        (lambda b, a: (0, 0.1), "for each class"),
        (lambda b, a: (2, 0.5), r"of the \*fooled\* images"),
        (lambda b, a: (2, 0.3), "three became class 2"),
    ],
)
def test_dominant(answer, says):
    judge("12.4", answer, says)


@pytest.mark.parametrize("name", ["12.1", "12.2", "12.3", "12.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    judge_stub(name, lambda *arguments: ...)
