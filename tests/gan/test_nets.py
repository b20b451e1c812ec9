import pytest
import torch
from torch import nn

from lecture13.gan import nets


def test_perceptron_has_no_activation_at_its_end():
    net = nets.mlp([3, 5, 4, 2], nn.Tanh)
    assert [type(layer) for layer in net] == [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]
    assert [(layer.in_features, layer.out_features) for layer in net[::2]] == [(3, 5), (5, 4), (4, 2)]


@pytest.mark.parametrize("count", [1, 7])
def test_shapes_and_ranges(count):
    G, D = nets.ConditionalGenerator((1, 5, 3), classes=4, noise=6), nets.ConditionalCritic((1, 5, 3), classes=4)
    z, y = nets.normal(6)(count, None), torch.arange(count) % 4
    images = G(z, y)
    assert images.shape == (count, 1, 5, 3)
    assert images.min() > 0 and images.max() < 1
    assert D(images, y).shape == (count,)
    assert nets.Critic(2)(torch.zeros(count, 2)).shape == (count,)


def test_labels_matter_to_both():
    torch.manual_seed(0)
    G, D = nets.ConditionalGenerator((1, 4, 4), classes=3, noise=2), nets.ConditionalCritic((1, 4, 4), classes=3)
    z = torch.ones(3, 2)
    images = G(z, torch.arange(3))
    assert torch.pdist(images.flatten(1)).min() > 0
    assert D(images[:1].expand(3, -1, -1, -1), torch.arange(3)).unique().numel() == 3


@pytest.mark.parametrize("labels", [torch.tensor([0, 3]), torch.tensor([-1, 0]), torch.tensor([0])])
def test_bad_labels_are_named(labels):
    with pytest.raises(ValueError, match="from 0 to 2"):
        nets.ConditionalGenerator((1, 4, 4), classes=3, noise=2)(torch.zeros(2, 2), labels)
    with pytest.raises(ValueError, match="from 0 to 2"):
        nets.ConditionalCritic((1, 4, 4), classes=3)(torch.zeros(2, 1, 4, 4), labels)


def test_noise_is_normal_and_comes_from_the_generator():
    draw = nets.normal(3)
    first, second = (draw(4000, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    assert first.mean().abs() < 0.05 and abs(first.std() - 1) < 0.05
