import pytest
import torch

from lecture13 import exercises


def alone(D, x):
    with torch.no_grad():
        return torch.allclose(D(x)[:1], D(torch.cat([x[:1], 3 * x[1:] + 1]))[:1], rtol=1e-3, atol=1e-5)


def score(p):
    marginal = p.mean(0, keepdim=True)
    return (torch.xlogy(p, p) - torch.xlogy(p, marginal)).sum(1).mean().exp()


RIGHT = {
    "04.1": lambda x: x.chunk(2, 1)[0].sigmoid() * x.chunk(2, 1)[1].tanh(),
    "04.2": alone,
    "04.3": score,
    "04.4": lambda size, depth: 3 * ((size.bit_length() - 2) * depth - 1 + size.bit_length() - 3) + 2,
}
WRONG = {
    "04.1": [
        lambda x: x.chunk(2, 1)[0].tanh() * x.chunk(2, 1)[1].sigmoid(),
        lambda x: x.sigmoid() * x.tanh(),
        lambda x: x[:, ::2].sigmoid() * x[:, 1::2].tanh(),
        lambda x: 3,
    ],
    "04.2": [
        lambda D, x: True,
        lambda D, x: False,
        lambda D, x: bool((D(x) != D(x.flip(0)).flip(0)).any()),
        lambda D, x: D(x),
    ],
    "04.3": [
        lambda p: score(p).log(),
        lambda p: p.max(1).values.mean(),
        lambda p: (p * (p.log() - p.mean(0).log())).sum(1).mean().exp(),
        lambda p: torch.tensor(float(p.shape[1])),
    ],
    "04.4": [lambda size, depth: 101, lambda size, depth: 16 * depth + 5, lambda size, depth: 3 * 5 * depth],
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes(name):
    exercises.check(name, RIGHT[name]).require()


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name in WRONG for answer in WRONG[name]])
def test_a_wrong_answer_is_told_so(name, answer):
    assert exercises.check(name, answer).status == "not yet"


@pytest.mark.parametrize("name", RIGHT)
def test_a_stub_is_not_attempted_and_fails_when_taken_for_an_answer(name):
    assert exercises.check(name, lambda *inputs: ...).status == "not attempted"
    assert exercises.check(name, lambda *inputs: ..., attempted=True).status == "not yet"
