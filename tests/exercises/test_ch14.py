"""Chapter 14's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
import torch
import torch.nn.functional as F

from tests.exercises.judging import judge, judge_stub


def look_up(texture, uv, flip=True, corners=False, scale=True):
    u, v = uv.unbind(-1)
    v = 1 - v if flip else v
    grid = torch.stack([2 * u - 1, 2 * v - 1] if scale else [u, v], -1)
    texture = texture.expand(len(uv), -1, -1, -1)
    return F.grid_sample(texture, grid, padding_mode="border", align_corners=corners)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (look_up, None),
        (lambda t, uv: look_up(t, uv, flip=False), "upside down"),
        (lambda t, uv: look_up(t, uv, corners=True), "align_corners=False"),
        (lambda t, uv: look_up(t, uv, scale=False), r"\(2u − 1, 1 − 2v\)"),
        (lambda t, uv: look_up(t, uv).permute(0, 2, 3, 1), r"shape \(N, 3, s, s\)"),
    ],
)
def test_look_up(answer, says):
    judge("14.1", answer, says)


def expected(model, render, texture, target, views):
    return model(render(texture, views)).log_softmax(1)[:, target].mean()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (expected, None),
        (lambda *a: -expected(*a), "never above 0|each pose"),
        (lambda *a: expected(*a) * len(a[4]), "not a sum"),
        (lambda m, r, t, k, v: m(r(t, v)).softmax(1)[:, k].mean().log(), "log first"),
        (lambda m, r, t, k, v: m(r(t, v))[:, k].mean(), "log_softmax|never above"),
        (lambda *a: expected(*a).detach(), "no gradient"),
        (lambda m, r, t, k, v: m(r(t, v)).log_softmax(1)[:, k], "one number"),
        (lambda m, r, t, k, v: expected(m, r, t, k, v[:1]), "average over the poses"),
    ],
)
def test_expected(answer, says):
    judge("14.2", answer, says)


def shares(found, label, target):
    hit, right = ((found == k).double().mean().item() for k in (target, label))
    return hit, right, 1 - hit - right


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (shares, None),
        (lambda f, y, t: shares(f, t, y), "the target's share"),
        (lambda f, y, t: [10 * each for each in shares(f, y, t)], "counts"),
        (lambda f, y, t: (*shares(f, y, t)[:2], shares(f, y, t)[1]), "add up to"),
        (lambda f, y, t: shares(f, y, t)[:2], "three numbers"),
    ],
)
def test_shares(answer, says):
    judge("14.3", answer, says)


def angle(first, second, clamp=True, degrees=True, turn=True):
    both = (first.mT if turn else first) @ second
    cosine = (both.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2
    found = (cosine.clamp(-1, 1) if clamp else cosine * (1 + 1e-9)).acos()
    return found.rad2deg() if degrees else found


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (angle, None),
        (lambda a, b: angle(a, b, degrees=False), "radians"),
        (lambda a, b: angle(a, b, turn=False), "not RR'"),
        (lambda a, b: angle(a, b, clamp=False), "NaN"),
        (lambda a, b: angle(a, b).mean(), "one angle for each pair"),
        (lambda a, b: angle(a, b) / 2, "trace"),
    ],
)
def test_angle(answer, says):
    judge("14.4", answer, says)


@pytest.mark.parametrize("name", ["14.1", "14.2", "14.3", "14.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    judge_stub(name, lambda *arguments: ...)
