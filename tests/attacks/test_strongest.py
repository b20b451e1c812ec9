import pytest
import torch
from torch import nn

from lecture13 import attacks


def problem():
    net = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    net[1].weight.data = torch.tensor([[0.0], [1.0]])  # class 1 where the pixel is above 0
    images = torch.tensor([-0.3, -0.1, 0.1, 0.3]).view(4, 1, 1, 1)
    return net, images, torch.tensor([0, 0, 1, 1])


def test_each_image_keeps_the_worst():
    net, images, labels = problem()
    up, down = lambda m, x, y: x + 0.2, lambda m, x, y: x - 0.2
    best, broken = attacks.strongest(net, images, labels, {"up": up, "down": down})
    assert broken["up"].tolist() == [False, True, False, False]
    assert broken["down"].tolist() == [False, False, True, False]
    torch.testing.assert_close(best.flatten(), torch.tensor([-0.1, 0.1, -0.1, 0.1]))


def test_an_attack_that_makes_it_better_changes_nothing():
    net, images, labels = problem()
    best, broken = attacks.strongest(net, images, labels, {"away": lambda m, x, y: x + 0.2 * x.sign()})
    assert torch.equal(best, images) and not broken["away"].any()


def test_an_attack_on_another_model_is_judged_by_this_one():
    net, images, labels = problem()
    other = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    other[1].weight.data = -net[1].weight.data
    attack = {"transfer": lambda m, x, y: attacks.fgsm(other, x, y, 0.2, bounds=None)}
    assert not attacks.strongest(net, images, labels, attack)[1]["transfer"].any()
    assert attacks.strongest(other, images, labels, attack)[1]["transfer"].all()


def test_a_tie_counts_as_broken():
    net, images, labels = problem()
    _, broken = attacks.strongest(net, images, labels, {"zero": lambda m, x, y: 0 * x})
    assert broken["zero"].all()


def test_errors():
    net, images, labels = problem()
    with pytest.raises(ValueError, match="no attacks"):
        attacks.strongest(net, images, labels, {})
    with pytest.raises(ValueError, match="nothing returned"):
        attacks.strongest(net, images, labels, {"nothing": lambda m, x, y: x[:0]})
