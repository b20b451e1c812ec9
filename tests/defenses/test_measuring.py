"""A row of Table 1 on a linear net, where all four shares have a closed form."""

import json

import pytest
import torch
from torch import nn

from lecture13 import data, zoo
from lecture13.defenses.measuring import Row, measure


def test_on_a_linear_net_attacks_and_bound_are_the_closed_form():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).eval()
    images, labels = torch.rand(200, 1, 2, 2), torch.randint(0, 2, (200,))
    with torch.no_grad():
        logits = net(images)
        gap = net[1].weight[0] - net[1].weight[1]
    margin = torch.where(labels == 0, 1, -1) * (logits[:, 0] - logits[:, 1])
    row = measure(net, images, labels, 0.1)
    assert row.error.value == pytest.approx(float((margin < 0).float().mean()))
    fallen = float((margin < 0.1 * gap.abs().sum()).float().mean())
    for found in (row.fgsm, row.pgd, row.bound):
        assert found.value == pytest.approx(fallen)
    assert row.cells() == pytest.approx(
        {"ε": 0.1, "test error": 100 * row.error.value}
        | dict.fromkeys(("FGSM error", "PGD error", "robust bound"), 100 * fallen)
    )
    assert Row.of(json.loads(json.dumps(row.plain()))) == row


@pytest.mark.parametrize("name", [name for name in zoo.names() if name.startswith("digits-")])
def test_no_attack_crosses_the_bound_of_a_net_that_ships(name):
    try:
        net = zoo.load(name)
    except FileNotFoundError:
        pytest.skip(f"{name} is not trained yet")
    test = data.load("digits", "test", size=28).subset(range(0, 360, 9))
    for epsilon in (0.02, 0.1, 0.2):
        row = measure(net, test.images, test.labels, epsilon, steps=20)
        assert row.error.value <= row.pgd.value <= row.bound.value and row.fgsm.value <= row.bound.value
