import pytest
import torch

from lecture13 import exercises
from tests.exercises.judging import judge_stub


def penalty(critic, real, fake, *, ε=None, norm=lambda g: g.flatten(1).norm(dim=1), mean=torch.mean, graph=True):
    """The gradient penalty, and with other arguments the bugs that circulate."""
    ε = torch.rand(len(real), 1, 1, 1) if ε is None else ε
    at = (ε * real + (1 - ε) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=graph)
    return mean((norm(gradient) - 1) ** 2)


def broken(**how):
    return lambda critic, real, fake: penalty(critic, real, fake, **how)


RIGHT = {
    "03.1": lambda x, y: (x.sort().values - y.sort().values).abs().mean(),
    "03.2": penalty,
    "03.3": lambda distance, penalty: 1 + distance / (2 * penalty),
    "03.4": lambda n: (2 / n) ** 0.5,
}
WRONG = {
    "03.1": [
        lambda x, y: (x - y).abs().mean(),
        lambda x, y: (x.mean() - y.mean()).abs(),
        lambda x, y: (x.sort().values - y.sort().values).abs().sum(),
        lambda x, y: (x.sort().values - y.sort().values).square().mean().sqrt(),
        lambda x, y: torch.cdist(x[:, None], y[:, None]).min(1).values.mean(),
    ],
    "03.2": [
        broken(ε=torch.rand(1)),  # one ε for the batch
        broken(ε=torch.rand(32, 2, 3, 3)),  # one for each number
        broken(ε=torch.ones(1)),  # only at the data
        broken(ε=2 * torch.rand(32, 1, 1, 1)),
        broken(norm=lambda g: g.norm()),  # one norm for the batch
        broken(norm=lambda g: g.norm(dim=1)),  # over the channels alone
        broken(mean=torch.sum),
        broken(mean=lambda values: values),
        broken(graph=False),
        lambda critic, real, fake: penalty(critic, real, fake).detach(),
        lambda critic, real, fake: penalty(critic, real, fake).sqrt(),
    ],
    "03.3": [
        lambda distance, penalty: 1.0,
        lambda distance, penalty: 1 + distance / penalty,
        lambda distance, penalty: distance / (2 * penalty),
    ],
    "03.4": [lambda n: 0.01, lambda n: 1 / n, lambda n: n**-0.5, lambda n: 2 / n, lambda n: -1.0],
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes(name):
    exercises.check(name, RIGHT[name]).require()


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name in WRONG for answer in WRONG[name]])
def test_a_wrong_answer_is_told_so(name, answer):
    assert exercises.check(name, answer).status == "not yet"


@pytest.mark.parametrize("name", RIGHT)
def test_a_stub_is_not_attempted_and_fails_when_taken_for_an_answer(name):
    def stub(*inputs):
        return ...

    judge_stub(name, stub)


def test_one_epsilon_for_the_batch_is_named():
    assert "same ε" in exercises.check("03.2", WRONG["03.2"][0]).message
