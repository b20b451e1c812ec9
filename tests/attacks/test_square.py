import pytest
import torch
from torch import nn

from lecture13 import attacks
from lecture13.attacks.locally_linear import lead


def problem(count=20):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, 3))
    images = torch.rand(count, 3, 4, 4)
    return net, images, net(images).argmax(1)


def test_it_needs_no_gradient_and_comes_close_to_one():
    net, images, labels = problem()

    def model(x):
        with torch.no_grad():
            return net(x)

    found = attacks.square(model, images, labels, 0.1, queries=400)
    assert (found - images).abs().max() <= 0.1 + 1e-6 and found.min() >= 0 and found.max() <= 1
    by_gradient = attacks.pgd(net, images, labels, 0.1)
    reached = (lead(net(found), labels) - lead(net(images), labels)).mean()
    assert reached > 0.6 * (lead(net(by_gradient), labels) - lead(net(images), labels)).mean()


def test_every_value_is_at_a_corner():
    net, images, labels = problem()
    change = (attacks.square(net, images, labels, 0.1, queries=30, bounds=None) - images).abs()
    torch.testing.assert_close(change, torch.full_like(change, 0.1), atol=1e-6, rtol=0)


def test_more_queries_are_never_weaker():
    """Each query keeps what is better, whatever the schedule of the squares."""
    net, images, labels = problem()
    start = lead(net(attacks.square(net, images, labels, 0.1, queries=1)), labels)
    more = lead(net(attacks.square(net, images, labels, 0.1, queries=50)), labels)
    assert (more >= start - 1e-6).all() and (more > start + 1e-3).any()


def test_the_same_seed_gives_the_same_images():
    net, images, labels = problem(4)
    first, second = (
        attacks.square(net, images, labels, 0.1, queries=9, generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    assert torch.equal(first, second)
    assert attacks.square(net, images[:0], labels[:0], 0.1).shape == (0, 3, 4, 4)
    assert torch.equal(attacks.square(net, images, labels, 0.0, queries=3), images)


def test_the_model_is_left_as_it_was(unchanged):
    net, images, labels = problem(2)
    check = unchanged(net)
    attacks.square(net, images, labels, 0.1, queries=3)
    check()


def test_errors():
    net, images, labels = problem(2)
    with pytest.raises(ValueError, match="queries=0"):
        attacks.square(net, images, labels, 0.1, queries=0)
    with pytest.raises(ValueError, match=r"share=0; expected a number in \(0, 1\]"):
        attacks.square(net, images, labels, 0.1, share=0)
    with pytest.raises(ValueError, match="squares need a place"):
        attacks.square(net, images.flatten(1), labels, 0.1)
