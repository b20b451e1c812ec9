import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lecture13 import attacks
from lecture13.attacks.locally_linear import lead


def chance(seed):
    return torch.Generator().manual_seed(seed)


def linear(classes, features, seed):
    net = nn.Sequential(nn.Flatten(), nn.Linear(features, classes).double())
    net[1].weight.data = torch.randn(classes, features, generator=chance(seed), dtype=torch.float64)
    net[1].bias.data = torch.randn(classes, generator=chance(seed + 1), dtype=torch.float64)
    return net


def images(count, *shape, seed=0):
    return torch.rand(count, *shape, generator=chance(seed), dtype=torch.float64)


@settings(max_examples=30, deadline=None)
@given(classes=st.integers(2, 5), epsilon=st.floats(0, 0.6), boxed=st.booleans(), seed=st.integers(0, 999))
def test_of_a_linear_net_it_is_the_optimum(classes, epsilon, boxed, seed):
    net, x = linear(classes, 6, seed), images(4, 1, 2, 3, seed=seed)
    labels = torch.randint(classes, (4,), generator=chance(seed))
    box = (0.0, 1.0) if boxed else None
    found = attacks.locally_linear(net, x, labels, epsilon, bounds=box)
    corners = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=6)), dtype=torch.float64).view(-1, 1, 1, 2, 3)
    everywhere = x + epsilon * corners  # a linear function is largest at a corner, also of a box
    everywhere = everywhere.clamp(0, 1) if boxed else everywhere
    best = torch.stack([lead(net(points), labels) for points in everywhere]).amax(0)
    torch.testing.assert_close(lead(net(found), labels), best)
    assert (found - x).abs().max() <= epsilon + 1e-12


def test_for_two_classes_it_is_fgsm():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    x, labels = images(5, 1, 4, 4), torch.tensor([0, 1, 0, 1, 1])
    torch.testing.assert_close(attacks.locally_linear(net, x, labels, 0.1), attacks.fgsm(net, x, labels, 0.1))


def test_it_takes_the_worst_class_for_each_image():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 20), nn.ReLU(), nn.Linear(20, 6)).double()
    x, labels = images(30, 1, 4, 4), torch.randint(6, (30,), generator=chance(1))
    found = lead(net(attacks.locally_linear(net, x, labels, 0.1)), labels)
    for target in range(6):
        inputs = x.clone().requires_grad_()
        z = net(inputs)
        (gradient,) = torch.autograd.grad((z[:, target] - z.gather(1, labels[:, None])[:, 0]).sum(), inputs)
        one = lead(net((x + 0.1 * gradient.sign()).clamp(0, 1)), labels)
        assert (one <= found + 1e-12)[labels != target].all()


def test_each_image_alone_and_in_chunks():
    net, x, labels = linear(3, 16, 0), images(7, 1, 4, 4), torch.arange(7) % 3
    whole = attacks.locally_linear(net, x, labels, 0.2)
    assert torch.equal(whole, attacks.locally_linear(net, x, labels, 0.2, chunk_size=2))
    assert torch.equal(attacks.locally_linear(net, x, labels, 0.0), x)
    assert attacks.locally_linear(net, x[:0], labels[:0], 0.1).shape == (0, 1, 4, 4)
    assert attacks.locally_linear(net.float(), x.float(), labels, 0.1).dtype == torch.float32


def test_the_model_is_left_as_it_was(unchanged):
    net, x = linear(3, 16, 0), images(2, 1, 4, 4)
    check = unchanged(net)
    attacks.locally_linear(net, x, torch.tensor([0, 2]), 0.1)
    check()


def test_errors():
    net, x, labels = linear(3, 16, 0), images(2, 1, 4, 4), torch.tensor([0, 1])
    with pytest.raises(ValueError, match="epsilon=8 is wider than the box"):
        attacks.locally_linear(net, x, labels, 8)
    with pytest.raises(ValueError, match="label 3 is out of range"):
        attacks.locally_linear(net, x, labels + 2, 0.1)
    with pytest.raises(ValueError, match="outside bounds"):
        attacks.locally_linear(net, 2 + x, labels, 0.1)
    with pytest.raises(ValueError, match="detached inside"):
        attacks.locally_linear(lambda z: net(z).detach(), x, labels, 0.1)
    net[1].weight.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        attacks.locally_linear(net, x, labels, 0.1)
