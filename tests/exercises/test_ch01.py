import math

import pytest
from torch.nn.functional import logsigmoid

from lecture13 import exercises
from lecture13.gan import densities

RING = densities.ring(8, std=0.1)


def play(k, critic_rate, steps):
    """A game that covers the ring exactly where the critic keeps up."""
    assert (k, steps) == (1, 1000)
    modes = 8 if critic_rate > 5e-4 else 2
    return [(step, RING.means[:modes].repeat(20, 1)) for step in range(11)]


CONTEXT = {"01.5": {"play": play, "target": RING}}
RIGHT = {
    "01.1": lambda p, q: p / (p + q),
    "01.2": lambda logits: -logsigmoid(logits).mean(),
    "01.3": lambda value: (value + math.log(4)) / 2,
    "01.4": 5.0,
    "01.5": 1e-3,
}
WRONG = {
    "01.1": [
        lambda p, q: p / q,
        lambda p, q: q / (p + q),
        lambda p, q: (p > q).double(),
        lambda p, q: (p / (p + q))[:2],
    ],
    "01.2": [
        lambda logits: -logits.sigmoid().log().mean(),
        lambda logits: (-logits.sigmoid().clamp(min=1e-12).log()).mean(),
        lambda logits: -logsigmoid(logits).sum(),
        lambda logits: logsigmoid(-logits).mean(),
        lambda logits: -logsigmoid(logits),
    ],
    "01.3": [lambda value: value + math.log(4), lambda value: value / 2, lambda value: (value + math.log(2)) / 2],
    "01.4": [3.0, 8.0, -4.6, "4.6"],
    "01.5": [3e-4, 0.0, 2.0, "fast"],
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes(name):
    exercises.check(name, RIGHT[name], **CONTEXT.get(name, {})).require()


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name in WRONG for answer in WRONG[name]])
def test_a_wrong_answer_is_told_so(name, answer):
    assert exercises.check(name, answer, **CONTEXT.get(name, {})).status == "not yet"


@pytest.mark.parametrize("name", RIGHT)
def test_a_stub_is_not_attempted_and_fails_when_taken_for_an_answer(name):
    stub = (lambda *inputs: ...) if callable(RIGHT[name]) else ...
    assert exercises.check(name, stub, **CONTEXT.get(name, {})).status == "not attempted"
    assert exercises.check(name, stub, attempted=True, **CONTEXT.get(name, {})).status == "not yet"


def test_an_overflowing_loss_is_told_why():
    message = exercises.check("01.2", WRONG["01.2"][0]).message
    assert "inf" in message and "logsigmoid" in message
