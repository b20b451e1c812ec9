"""Chapter 17's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from lecture13 import exercises
from lecture13.defenses.separated import separated_points
from tests.exercises.judging import judge, judge_stub


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda m, y: cross_entropy(-m, y), None),
        (lambda m, y: cross_entropy(-m, y).item(), "a tensor"),
        (lambda m, y: cross_entropy(-m, y, reduction="none"), "one number"),
        (cross_entropy, "The sign"),
        (lambda m, y: (-m).exp().sum(1).mean(), "minus its margin"),
    ],
)
def test_robust_loss(answer, says):
    judge("17.1", answer, says)


def ramp(index, last, steps):
    return last / 2 + last / 2 * min(1, index / (steps // 2))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (ramp, None),
        (lambda i, last, steps: last * min(1, i / (steps // 2)), "half of the final"),
        (lambda i, last, steps: last / 2 + last / 2 * i / (steps // 2), "beyond its final"),
        (lambda i, last, steps: last / 2, "second half"),
        (lambda i, last, steps: last / 2 + last / 2 * min(1, i / (steps - 1)), "straight line"),
    ],
)
def test_ramp(answer, says):
    judge("17.2", answer, says)


def both_sides(attacked, margins, labels, leave_out=True):
    others = margins.scatter(1, labels[:, None], float("inf")) if leave_out else margins
    certified = (others > 0).all(1)
    return (attacked != labels).double().mean(), (~certified).double().mean()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (both_sides, None),
        (lambda *a: both_sides(*a)[0], "two numbers"),
        (lambda *a: both_sides(*a)[::-1], "At least those|wrong whose"),
        (lambda *a: both_sides(*a, leave_out=False), "leave it out"),
        (lambda *a: (both_sides(*a)[0], 1 - both_sides(*a)[1]), "share that is certified|above 0"),
    ],
)
def test_both_sides(answer, says):
    judge("17.3", answer, says)


POINTS, LABELS = separated_points(12, seed=0)
APART = (POINTS[:, None] - POINTS[None]).abs()
OTHER = LABELS[:, None] != LABELS[None]
LARGEST = float(APART.amax(2)[OTHER].min()) / 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (LARGEST, None),
        ("0.1", "one number"),
        (float(APART.sum(2)[OTHER].min()) / 2, "ℓ1"),
        (2 * LARGEST, "half of the distance"),
        (1.5 * LARGEST, "overlap"),
        (0.9 * LARGEST, "still room"),
    ],
)
def test_largest_epsilon(answer, says):
    judge("17.4", answer, says, points=POINTS, labels=LABELS)


@pytest.mark.parametrize("name", ["17.1", "17.2", "17.3"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    judge_stub(name, lambda *arguments: ...)


def test_the_stub_of_a_number():
    assert exercises.check("17.4", ..., points=POINTS, labels=torch.ones(12)).status == "not attempted"
