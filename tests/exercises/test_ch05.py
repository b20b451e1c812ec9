import math

import pytest
import torch
from torch.nn.functional import interpolate

from lecture13 import exercises
from tests.exercises.judging import judge_stub


def pixel_norm(maps):
    return maps / (maps.square().mean(1, keepdim=True) + 1e-8).sqrt()


def fade_in(lower, grown, alpha):
    return (1 - alpha) * interpolate(lower, scale_factor=2, mode="nearest") + alpha * grown


RIGHT = {
    "05.1": pixel_norm,
    "05.2": fade_in,
    "05.3": lambda inputs, kernel: math.sqrt(2 / (inputs * kernel**2)),
    "05.4": lambda maps: maps.std(0, correction=0).mean(),
    "05.5": 6_000_000,
}
WRONG = {
    "05.1": [
        lambda maps: maps / maps.norm(dim=1, keepdim=True),  # the sum of squares, not their mean
        lambda maps: maps / (maps.square().mean((1, 2, 3), keepdim=True) + 1e-8).sqrt(),
        lambda maps: maps / (maps.square().mean(0, keepdim=True) + 1e-8).sqrt(),
        lambda maps: maps / maps.square().mean(1, keepdim=True).sqrt(),  # not a number at 0
        lambda maps: pixel_norm(maps).abs(),
        lambda maps: pixel_norm(maps).mean(1),
    ],
    "05.2": [
        lambda lower, grown, alpha: fade_in(lower, grown, 1 - alpha),
        lambda lower, grown, alpha: interpolate(lower, scale_factor=2, mode="nearest") + alpha * grown,
        lambda lower, grown, alpha: fade_in(lower.flip(-1), grown, alpha),
        lambda lower, grown, alpha: lower,
        lambda lower, grown, alpha: interpolate(lower, scale_factor=2, mode="bilinear") * (1 - alpha) + alpha * grown,
    ],
    "05.3": [
        lambda inputs, kernel: math.sqrt(2 / inputs),
        lambda inputs, kernel: 2 / (inputs * kernel**2),
        lambda inputs, kernel: math.sqrt(1 / (inputs * kernel**2)),
    ],
    "05.4": [
        lambda maps: maps.std((1, 2, 3)).mean(),
        lambda maps: maps.std(0).mean(),
        lambda maps: maps.var(0, correction=0).mean(),
        lambda maps: maps.std(0, correction=0),
    ],
    "05.5": [6.4e6, 3_200_000, -1, "6 M", 5_600_000],
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes(name):
    exercises.check(name, RIGHT[name]).require()


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name in WRONG for answer in WRONG[name]])
def test_a_wrong_answer_is_told_so(name, answer):
    assert exercises.check(name, answer).status == "not yet"


@pytest.mark.parametrize("name", RIGHT)
def test_a_stub_is_not_attempted_and_fails_when_taken_for_an_answer(name):
    stub = (lambda *inputs: ...) if callable(RIGHT[name]) else ...
    judge_stub(name, stub)


def test_the_answers_need_no_gradient_and_leave_chance_alone():
    before = torch.get_rng_state()
    exercises.check("05.4", RIGHT["05.4"]).require()
    assert torch.equal(before, torch.get_rng_state())
