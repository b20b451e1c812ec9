"""Chapter 11's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from lecture13 import attacks
from tests.exercises.judging import judge, judge_stub


def destination(p, angle, shift, centre, *, sign=1.0, shift_sign=1.0, early=False, about=True, degrees=False):
    theta = angle if degrees else math.radians(angle)
    cos, sin = math.cos(theta), sign * math.sin(theta)
    rotation = torch.tensor([[cos, -sin], [sin, cos]], dtype=p.dtype)
    middle = centre if about else 0 * centre
    if early:
        return (p + shift_sign * shift - middle) @ rotation.T + middle
    return (p - middle) @ rotation.T + middle + shift_sign * shift


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, None),
        ({"sign": -1.0}, "turns the other way"),
        ({"shift_sign": -1.0}, "where the pixel p came from"),
        ({"early": True}, "shifted first"),
        ({"about": False}, "centre of the image stays"),
        ({"degrees": True}, "in radians"),
    ],
)
def test_where_a_pixel_goes(options, says):
    judge("11.1", lambda *a: destination(*a, **options), says)


def test_a_dot_goes_where_the_right_answer_says():
    dot = torch.zeros(1, 1, 25, 33, dtype=torch.float64)
    dot[0, 0, 6, 20] = 1
    moved = attacks.rotate_and_translate(dot, torch.tensor([20.0]), torch.tensor([[2.5, -1.0]]))[0, 0]
    y, x = torch.meshgrid(torch.arange(25.0), torch.arange(33.0), indexing="ij")
    found = torch.stack([(moved * x).sum(), (moved * y).sum()]) / moved.sum()
    centre, shift = torch.tensor([16.0, 12.0]).double(), torch.tensor([2.5, -1.0]).double()
    expected = destination(torch.tensor([20.0, 6.0]).double(), 20.0, shift, centre)
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0)  # the dot is a pixel wide


def losses(logits, labels):
    return torch.stack([cross_entropy(each, labels, reduction="none") for each in logits])


def worst(logits, labels):
    fooled = logits.argmax(2) != labels
    return (losses(logits, labels) + 1e6 * fooled).argmax(0)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (worst, None),
        (lambda z, y: losses(z, y).argmax(0), "misclassified ones come first"),
        (lambda z, y: losses(z, y).argmin(0), "likes best"),
        (lambda z, y: (z.argmax(2) != y).int().argmax(0), "first misclassified pose"),
        (lambda z, y: losses(z, y).sum(1).argmax(0), r"expected the shape \(40,\)"),
        (lambda z, y: [0] * 40, "this is a list"),
        (lambda z, y: worst(z, y) * (z.argmax(2) != y).any(0), "no pose is misclassified"),
        (lambda z, y: torch.zeros(40).long(), "A misclassified pose before|no pose is misclassified"),
    ],
)
def test_the_worst_of_k(answer, says):
    judge("11.2", answer, says)


def logits_of(model, images, angles, shifts):
    n = len(images)
    return torch.stack(
        [
            model(attacks.rotate_and_translate(images, a.expand(n), s.expand(n, 2)))
            for a, s in zip(angles, shifts, strict=True)
        ]
    )


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda *a: logits_of(*a).argmax(2).mode(0).values, None),
        (lambda *a: one_hot(logits_of(*a).argmax(2), 3).sum(0).argmax(1), None),
        (lambda *a: logits_of(*a).mean(0).argmax(1), "averages the logits"),
        (lambda model, images, angles, shifts: model(images).argmax(1), "as they are"),
        (lambda *a: logits_of(*a).argmax(2), r"expected whole numbers \(30,\)"),
        (lambda *a: logits_of(*a).mean(0), r"expected whole numbers \(30,\)"),
        (lambda *a: (logits_of(*a).argmax(2).mode(0).values + 1) % 3, "fewer poses voted for"),
    ],
)
def test_a_majority_over_poses(answer, says):
    judge("11.3", answer, says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda s, a, t: s * (math.cos(math.radians(a)) + math.sin(math.radians(a))) + 2 * t, None),
        (lambda s, a, t: s * (math.cos(math.radians(a)) + math.sin(math.radians(a))) + t, "either way"),
        (lambda s, a, t: s * math.sqrt(2) + 2 * t if a else s + 2 * t, "enough for any angle"),
        (lambda s, a, t: s / math.cos(math.radians(a)) + 2 * t, "turned by θ spans"),
        (lambda s, a, t: s * (math.cos(a) + math.sin(a)) + 2 * t, "as wide as its diagonal"),
    ],
)
def test_the_black_canvas(answer, says):
    judge("11.4", answer, says)


@pytest.mark.parametrize(("side", "angle", "shift"), [(32, 30, 3.2), (28, 17, 2.8), (12, 44, 0.5)])
def test_the_formula_is_the_library_s_canvas(side, angle, shift):
    theta = math.radians(angle)
    exact = side * (math.cos(theta) + math.sin(theta)) + 2 * shift
    canvas = attacks.black_canvas(torch.ones(1, 1, side, side), angle, (shift, shift)).shape[-1]
    reach = math.cos(theta) + math.sin(theta) - 1  # of bilinear weights, half a pixel beyond each turned edge
    assert exact + reach <= canvas < exact + reach + 2  # a whole number of pixels on each side


@pytest.mark.parametrize("name", ["11.1", "11.2", "11.3", "11.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    judge_stub(name, lambda *arguments: ...)
