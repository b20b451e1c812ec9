import math

import numpy as np
import pytest
import torch
from sklearn.datasets import make_swiss_roll
from torch import nn

from lecture13.gan import nets, toys, training, transport


def test_gaussians_lie_where_the_authors_code_puts_them():
    """gan_toy.py: centres of radius 2 and std .02, divided by 1.414; centres 2(i, j) and std .05, divided by 2.828."""
    np.testing.assert_allclose(toys.EIGHT.means.norm(dim=1), 2 / 1.414, rtol=1e-3)
    np.testing.assert_allclose(toys.EIGHT.stds, 0.02 / 1.414, rtol=1e-3)
    wanted = sorted((2 * i / 2.828, 2 * j / 2.828) for i in range(-2, 3) for j in range(-2, 3))
    np.testing.assert_allclose(sorted(map(tuple, toys.TWENTY_FIVE.means.tolist())), wanted, atol=1e-3)
    np.testing.assert_allclose(toys.TWENTY_FIVE.stds, 0.05 / 2.828, rtol=1e-3)


def test_swiss_roll_is_scikit_learns():
    theirs = torch.tensor(make_swiss_roll(800, noise=0.25, random_state=0)[0][:, [0, 2]] / 7.5)
    again = torch.tensor(make_swiss_roll(800, noise=0.25, random_state=1)[0][:, [0, 2]] / 7.5)
    (ours,) = toys.swiss_roll(0, 800, torch.Generator().manual_seed(0))
    apart = transport.wasserstein(ours, theirs)
    assert apart < 1.5 * transport.wasserstein(again, theirs)  # as near as another draw of theirs
    assert apart < 0.1


@pytest.mark.parametrize("name", toys.TOYS)
def test_toys_are_reproducible_samplers_of_about_unit_variance(name):
    draw = toys.TOYS[name]
    (x,) = draw(0, 2000, torch.Generator().manual_seed(3))
    assert torch.equal(x, draw(1, 2000, torch.Generator().manual_seed(3))[0])
    assert x.shape == (2000, 2) and x.dtype == torch.float32
    assert 0.7 < x.std() < 1.1


def test_noise_is_added_to_fresh_data():
    still = toys.noisy(lambda number, count, generator=None: (torch.full((count, 2), 5.0),), std=0.5)
    drawn = still(4000, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(drawn.mean(0), 5, atol=0.05)
    np.testing.assert_allclose(drawn.std(0), 0.5, atol=0.05)


@pytest.mark.parametrize("box", [training.wgan, training.wgan_gp])
def test_held_generator_stays_while_the_critic_learns(box):
    torch.manual_seed(0)
    G, D = toys.Held(), nets.Critic(2, (8,))
    before = D.layers[0].weight.clone()
    data = toys.TOYS["8 Gaussians"]
    box(G, D, data, toys.noisy(data), steps=3, n_critic=2, batch=8)
    z = torch.randn(5, 2)
    assert G.nothing.item() == 0 and torch.equal(G(z), z)
    assert not torch.equal(D.layers[0].weight, before)


def test_gradients_by_layer_are_those_of_the_chain_rule():
    """A chain of linear layers w₁, w₂, w₃ with no kink on the way: dL/d(output l) = ± w₃⋯w_{l+1} / N."""
    chain = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
    for layer, weight in zip((chain[0], chain[2], chain[4]), (2.0, 3.0, 5.0), strict=True):
        nn.init.constant_(layer.weight, weight)
        nn.init.zeros_(layer.bias)
    real, fake = torch.ones(4, 1), torch.ones(4, 1)
    each = math.sqrt(8) / 4  # eight samples, each with 1/4
    assert toys.gradients_by_layer(chain, real, fake) == pytest.approx([15 * each, 5 * each, each])
