from dataclasses import replace

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lecture13.zoo.fast_gradient import FastGradient

PLAN = FastGradient(
    "", "", "shallow_softmax", "digits", 28, steps=2, batch_size=4, learning_rate=1e-3, weight_decay=0.0, augment=()
)


def test_the_loss_is_the_mean_of_clean_and_attacked():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    images, labels = 0.3 + 0.4 * torch.rand(6, 1, 4, 4), torch.arange(6) % 3
    shown, names = replace(PLAN, epsilon=0.1).augmented(net, images, labels, torch.Generator())
    inputs = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(cross_entropy(net(inputs), labels, reduction="sum"), inputs)
    both = [cross_entropy(net(x), labels) for x in (images, images + 0.1 * gradient.sign())]  # J, J̃; inside the box
    torch.testing.assert_close(cross_entropy(net(shown), names), (both[0] + both[1]) / 2)


def test_without_epsilon_nothing_is_added():
    images, labels = torch.rand(2, 1, 28, 28), torch.tensor([0, 1])
    shown, names = PLAN.augmented(PLAN.build(), images, labels, torch.Generator())
    assert shown is images and names is labels


def test_epsilon_is_among_the_settings():
    assert replace(PLAN, epsilon=0.25).settings()["epsilon"] == 0.25
