import pytest
import torch
from torch import nn

from lecture13 import attacks
from lecture13.defenses.sparsity import comparison
from lecture13.defenses.sparsity.comparison import DEFENCES


def halves(count, seed):
    """Class 0 is bright in the upper half, class 1 in the lower one."""
    images = 0.4 * torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    labels = torch.arange(count) % 2
    images[labels == 0, :, :4] += 0.4
    images[labels == 1, :, 4:] += 0.4
    return images, labels


SIZES = {"keep": 12, "gammas": (1.5, 1.5), "steps": 120, "wavelet": "haar", "batch_size": 20, "learning_rate": 5e-3}


@pytest.fixture(scope="module")
def nets():
    return {name: comparison.train(*halves(80, 0), defence=name, **SIZES) for name in DEFENCES}


def test_each_defence_is_what_it_says_and_learns(nets):
    images, labels = halves(60, 1)
    for name, (sees, sparse) in DEFENCES.items():
        net = nets[name]
        assert (net.front is not None) == sees
        assert all(norm <= 1.5 * (1 + 1e-5) for norm in net.norms) == sparse
        assert (net.model(images).argmax(1) == labels).float().mean() > 0.9
        assert torch.equal(net.through("identity")(images), net.model(images))
    assert nets["both"].zeros[0] > nets["front end"].zeros[0]


def test_training_is_a_function_of_its_seed_and_leaves_chance_alone(nets):
    state = torch.get_rng_state()
    again = comparison.train(*halves(80, 0), defence="both", **SIZES)
    assert torch.equal(state, torch.get_rng_state())
    for one, other in zip(again.network.parameters(), nets["both"].network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_suite_knows_of_the_front_end(nets):
    plain = nets["none"].network
    names = list(comparison.adaptive_attacks(nets["both"], plain, 0.1, steps=2))
    assert names == [
        *(f"locally linear, {gradient}" for gradient in ("exact", "projection", "identity", "soft")),
        *(f"PGD, {gradient}" for gradient in ("exact", "projection", "identity", "soft")),
        "PGD on the plain net",
        "PGD on both nets together",
        "random search",
    ]
    alone = list(comparison.adaptive_attacks(nets["none"], plain, 0.1, queries=0))
    assert alone == ["locally linear, exact", "PGD, exact"]


def test_what_is_left_is_left_by_every_attack(nets):
    images, labels = halves(60, 2)
    plain, both = nets["none"].network, nets["both"]
    suite = comparison.adaptive_attacks(both, plain, 0.15, steps=4, queries=10)
    left, each = comparison.accuracies(both, images, labels, suite)
    assert left.value <= min(found.value for found in each.values())
    model = both.through("identity")
    found = attacks.pgd(model, images, labels, 0.15, steps=4)
    assert each["PGD, identity"].value == pytest.approx((both.model(found).argmax(1) == labels).double().mean().item())
    for name, attack in suite.items():
        change = (attack(both.model, images, labels) - images).abs().max()
        assert change <= 0.15 + 1e-6, name


def test_epsilon_of_a_net_that_is_known():
    net = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    net[1].weight.data = torch.tensor([[0.0], [1.0]])
    net = nn.Sequential(Shift(), net)
    images = torch.linspace(0.51, 0.99, 49).view(-1, 1, 1, 1)  # x is lost at ε = x − ½: half of them at ε = ¼
    labels = torch.ones(49, dtype=torch.int64)
    assert comparison.epsilon_of(net, images, labels) == pytest.approx(0.25, abs=0.01)
    with pytest.raises(ValueError, match=r"at ε = 0 and 1 at 0.001: no 0.5"):
        comparison.epsilon_of(net, images, labels, highest=0.001)


class Shift(nn.Module):
    def forward(self, images):
        return images - 0.5


def test_errors():
    images, labels = halves(4, 0)
    with pytest.raises(ValueError, match="unknown defence 'all'; choose one of 'none', 'front end'"):
        comparison.train(images, labels, defence="all", **SIZES)
    with pytest.raises(ValueError, match="labels up to 2; expected 0 and 1"):
        comparison.train(images, labels + 1, defence="none", **SIZES)
