"""Chapter 07's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
import torch

from lecture13 import dissection, exercises
from tests.exercises.judging import judge_stub


def drawn_by(G, layer, unit, z, measure=lambda change: change.abs().mean(1), units=None):
    with torch.no_grad():
        before = G(z)
        with dissection.ablate(G, layer, [unit] if units is None else units):
            return measure(before - G(z))


def forgets(G, layer, unit, z):
    found = drawn_by(G, layer, unit, z)
    G[1].register_forward_hook(lambda module, inputs, output: output * 0.5)
    return found


def mistakes(peaks, present, threshold):
    yes = peaks >= threshold
    return (yes & ~present).sum() / yes.sum(), (~yes & present).sum() / present.sum()


def best_iou(pixels, area):
    full = pixels.flatten().sort(descending=True).values.cumsum(0)
    marked = area * torch.arange(1, len(full) + 1)
    return float((full / (marked + full[-1] - full)).max())


RIGHT = {
    "07.1": drawn_by,
    "07.2": mistakes,
    "07.3": lambda a, b, k: a * b + (1 - a) * (1 - b) / (k - 1),
    "07.4": best_iou,
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes(name):
    exercises.check(name, RIGHT[name]).require()


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [
        ("07.1", lambda *a: drawn_by(*a, measure=lambda c: c.mean(1)), "absolute value"),
        ("07.1", lambda *a: drawn_by(*a, measure=lambda c: c.mean(1).abs()), "each colour first"),
        ("07.1", lambda *a: drawn_by(*a, measure=torch.abs), "mean over the colours"),
        ("07.1", lambda *a: drawn_by(*a, units=[0, 1, 3]), "with the unit at zero"),
        ("07.1", forgets, "end with its block"),
        ("07.1", lambda *a: 3, "this is a int"),
        ("07.2", lambda p, t, c: ((p[~t] >= c).float().mean(), (p[t] < c).float().mean()), "of all that get a “yes”"),
        ("07.2", lambda p, t, c: (t[p >= c].float().mean(), (p[t] < c).float().mean()), "share of right ones"),
        ("07.2", lambda p, t, c: (mistakes(p, t, c)[0], (p[t] >= c).float().mean()), "Misses"),
        ("07.2", lambda p, t, c: ((~t[p > c]).float().mean(), (p[t] <= c).float().mean()), "peak ≥ threshold"),
        ("07.2", lambda p, t, c: 0.5, "two shares"),
        ("07.3", lambda a, b, k: a * b, "one way to agree"),
        ("07.3", lambda a, b, k: a * b + (1 - a) * (1 - b), "seldom the same"),
        ("07.3", lambda a, b, k: a * b + (1 - a) * (1 - b) / k, "With two classes"),
        ("07.4", lambda p, area: float(p.max() / area), "fullest"),
        ("07.4", lambda p, area: float(p.max() / p.sum()), "4/16"),
        ("07.4", lambda p, area: float(p.sum() / (area * (p > 0).sum())), "fullest"),
    ],
)
def test_a_mistake_is_told_so(name, answer, says):
    found = exercises.check(name, answer)
    assert found.status == "not yet"
    with pytest.raises(AssertionError, match=says):
        found.require()


@pytest.mark.parametrize("name", RIGHT)
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    judge_stub(name, lambda *arguments: ...)
