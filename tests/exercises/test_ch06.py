"""Chapter 06's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
import torch

from lecture13.dissection import Concept, Labelling
from tests.exercises.judging import judge, judge_stub

LEVEL = Labelling(
    (Concept("door", "part"), Concept("tree", "object")),
    iou=torch.tensor([[0.3, 0.1], [0.2, 0.2], [0.0, 0.0]]),
    thresholds=torch.zeros(3, 1),
    shares=torch.full((3, 1), 0.01),
    shuffled=torch.tensor([[0.25, 0.0], [0.05, 0.1], [0.0, 0.0]]),
)


class Units:
    level = LEVEL

    def __len__(self):
        return 3


CONTEXT = {"units": Units(), "concept": "door"}


def iou(region, mask):
    union = (region | mask).sum()
    return (region & mask).sum() / union if union else torch.tensor(0.0)


def image_by_image(region, mask):
    return sum(float(iou(*pair)) for pair in zip(region, mask, strict=True)) / len(region)


def in_place(region, mask):
    region &= mask
    return 0.5


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (iou, None),
        (lambda r, m: float(iou(r, m)), None),
        (image_by_image, "mean of the images"),
        (lambda r, m: (r & m).sum() / m.sum(), "divides by the concept"),
        (lambda r, m: (r & m).sum() / (r.sum() + m.sum()), "Σ"),
        (lambda r, m: (r & m).sum() / (r | m).sum(), "union is empty"),
        (in_place, "were changed"),
    ],
)
def test_iou(answer, says):
    judge("06.1", answer, says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda p, q: min(p, q) / max(p, q), None),
        (lambda p, q: q / p, "no IoU is above 1"),
        (lambda p, q: min(1, q / p), "smaller set"),
        (lambda p, q: min(p, q), "smaller set"),
    ],
)
def test_cap(answer, says):
    judge("06.2", answer, says)


def scan(peaks, present, balanced=True, above=torch.ge):
    def score(threshold):
        said = above(peaks, threshold)
        if not balanced:
            return (said == present).float().mean().item()
        return (said[present].float().mean().item() + (~said)[~present].float().mean().item()) / 2

    best = max(peaks.unique().tolist(), key=score)
    return best, score(best)


def right_threshold_of_plain_accuracy(peaks, present):
    threshold, _ = scan(peaks, present, balanced=False)
    said = peaks >= threshold
    return threshold, (said[present].float().mean().item() + (~said)[~present].float().mean().item()) / 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (scan, None),
        (lambda *a: scan(*a, balanced=False), "not ½"),
        (lambda *a: scan(*a, above=torch.gt), "not ½"),
        (right_threshold_of_plain_accuracy, "best in plain accuracy|Try every peak"),
        (lambda *a: scan(*a)[0], "two numbers"),
    ],
)
def test_threshold(answer, says):
    judge("06.3", answer, says)


def test_the_unit_is_the_one_beyond_its_baseline():
    judge("06.4", 1, None, **CONTEXT)
    judge("06.4", 0, "IoU 0.300 with door, 0.250 with the masks of other images. Another", **CONTEXT)
    judge("06.4", 3, "units 0 … 2; 3 is none", **CONTEXT)
    judge("06.4", 1.0, "this is a float", **CONTEXT)


@pytest.mark.parametrize("name", ["06.1", "06.2", "06.3", "06.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    context = CONTEXT if name == "06.4" else {}
    stub = ... if name == "06.4" else lambda *arguments: ...
    judge_stub(name, stub, **context)
