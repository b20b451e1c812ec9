"""Chapter 15's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import math

import pytest
import torch
from torch import nn

from tests.exercises.judging import judge, judge_stub


def project(u, v, distance, angle, focal, half, degrees=True, deep=True):
    a = math.radians(angle) if degrees else angle
    z = distance - (half * u * math.sin(a) if deep else 0)
    return focal * half * u * math.cos(a) / z, focal * half * v / z


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (project, None),
        (lambda *a: project(*a, deep=False), "one depth in your camera"),
        (lambda *a: project(*a, degrees=False), "narrower|in degrees"),
        (lambda u, v, d, a, f, h: project(u, v, d, -a, f, h), "nearer and so taller"),
        (lambda u, v, d, a, f, h: project(2 * u, 2 * v, d, a, f, h), "From the front"),
        (lambda u, v, d, a, f, h: (1.0, 0.0), "the sign's middle"),
    ],
)
def test_project(answer, says):
    judge("15.1", answer, says)


def distances(colours, palette):
    return (colours[:, None] - palette[None, :, :, None, None]).norm(dim=2)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda c, p: distances(c, p).prod(1).sum(), None),
        (lambda c, p: distances(c, p).sum(), "score is 0"),
        (lambda c, p: distances(c, p).amin(1).sum(), "nearest colour"),
        (lambda c, p: distances(c, p).prod(1).mean(), "taken their mean"),
        (lambda c, p: distances(c, p).square().prod(1).sum(), "Euclidean"),
    ],
)
def test_score(answer, says):
    judge("15.2", answer, says)


def step(net, sign, mask, delta, target, views, rate, first=False, summed=False, free=False):
    point = delta.clone().requires_grad_()
    paint = point if free else mask * point
    views = views[:1] if first else views
    losses = [nn.functional.cross_entropy(net(view(sign + paint)), torch.tensor([target])) for view in views]
    loss = sum(losses) if summed else sum(losses) / len(losses)
    return delta - rate * torch.autograd.grad(loss, point)[0]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (step, None),
        (lambda *a: step(*a, first=True), "Only the first view"),
        (lambda *a: step(*a, summed=True), "summed"),
        (lambda *a: step(*a, free=True), "left the mask"),
        (lambda *a: step(*a[:6], -a[6]), "went up"),
        (lambda *a: a[3], "mean over the views"),
        (lambda *a: a[3][0], "Return the new"),
    ],
)
def test_step(answer, says):
    judge("15.3", answer, says)


def place(heat, height, width):
    sums = nn.functional.avg_pool2d(heat[None, None], (height, width), stride=1)[0, 0]
    return divmod(int(sums.argmax()), sums.shape[1])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (place, None),
        (lambda heat, height, width: divmod(int(heat.argmax()), heat.shape[1]), "hottest pixel|fits"),
        (lambda heat, height, width: (0, 0), "is possible"),
        (lambda heat, height, width: (11, 13), "fits"),
        (lambda heat, height, width: place(heat, width, height), "fits|is possible"),
    ],
)
def test_place(answer, says):
    judge("15.4", answer, says)


@pytest.mark.parametrize("name", ["15.1", "15.2", "15.3", "15.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    judge_stub(name, lambda *arguments: ...)
