import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lecture13.defenses import polytope
from lecture13.defenses.sparsity import (
    SparseFrontEnd,
    polytope_growth,
    project_network_,
    propagation_bound,
    row_norms,
    stages,
    worst_growth,
)
from lecture13.models.binary_mlp import binary_mlp
from lecture13.models.normalize import Normalize


def chance(seed):
    return torch.Generator().manual_seed(seed)


def mlp(seed, activation=nn.ReLU):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(16, 9), activation(), nn.Linear(9, 7), activation(), nn.Linear(7, 3)
    ).double()


def convnet(seed):
    torch.manual_seed(seed)
    return nn.Sequential(
        Normalize([0.5], [0.25]),
        nn.Conv2d(1, 3, 3, padding=1, padding_mode="reflect"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Sequential(nn.Conv2d(3, 2, 2), nn.Tanh()),
        nn.AvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 2),
    ).double()


def test_the_product_of_the_largest_row_norms():
    net = mlp(0)
    first, second, third = row_norms(net)
    assert propagation_bound(net, 0.1) == pytest.approx(
        [0.1 * first, 0.1 * first * second, 0.1 * first * second * third]
    )
    by_norm = [float(torch.linalg.matrix_norm(layer.weight.detach(), torch.inf)) for layer in (net[1], net[3], net[5])]
    assert [first, second, third] == pytest.approx(by_norm)
    assert propagation_bound(net, 0) == [0, 0, 0]


def test_normalisation_and_pooling_count():
    net = nn.Sequential(Normalize([0.5], [0.25]), nn.AvgPool2d(2, divisor_override=1), nn.Flatten(), nn.ReLU())
    assert propagation_bound(net, 0.1) == pytest.approx([0.1 * 4 * 4, 0.1 * 4 * 4])
    assert len(propagation_bound(convnet(0), 0.1)) == 3


@settings(max_examples=25, deadline=None)
@given(
    build=st.sampled_from([mlp, lambda seed: mlp(seed, nn.Sigmoid), convnet]),
    epsilon=st.floats(0.001, 0.5),
    boxed=st.booleans(),
    seed=st.integers(0, 999),
)
def test_no_measured_growth_is_above_it(build, epsilon, boxed, seed):
    net, images = build(seed), torch.rand(3, 1, 4, 4, generator=chance(seed), dtype=torch.float64)
    bound = propagation_bound(net, epsilon)
    box = (0.0, 1.0) if boxed else None
    assert all(
        found <= limit * (1 + 1e-9)
        for found, limit in zip(worst_growth(net, images, epsilon, steps=4, bounds=box), bound, strict=True)
    )
    noise = 2 * torch.rand(150, 1, 4, 4, generator=chance(1), dtype=torch.float64) - 1
    before = images.repeat(50, 1, 1, 1)
    after = before + epsilon * noise
    for stage, limit in zip(stages(net), bound, strict=True):
        before, after = stage(before), stage(after)
        assert float((after - before).detach().abs().max()) <= limit * (1 + 1e-9)


def test_the_first_layer_reaches_it():
    net, images = mlp(3), torch.rand(2, 1, 4, 4, generator=chance(3), dtype=torch.float64)
    assert worst_growth(net, images, 0.2, steps=1)[0] == pytest.approx(propagation_bound(net, 0.2)[0])


def test_a_net_of_one_path_reaches_it_at_every_layer():
    net = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 2)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, -2.0]]))
        net[0].bias.fill_(10.0)  # always on
        net[2].weight.copy_(torch.tensor([[3.0], [-1.0]]))
    images = torch.zeros(1, 2, dtype=torch.float64)
    assert worst_growth(net, images, 0.1) == pytest.approx([0.3, 0.9])
    assert propagation_bound(net, 0.1) == pytest.approx([0.3, 0.9])
    assert polytope_growth(net, images, 0.1) == pytest.approx([0.3, 0.9], abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_polytope_bound_is_above_what_is_measured_and_the_exact_one_between(seed):
    net, images = mlp(seed), torch.rand(2, 1, 4, 4, generator=chance(seed), dtype=torch.float64)
    measured, bound = worst_growth(net, images, 0.1), polytope_growth(net, images, 0.1)
    exact = [
        max(float((upper - z).max()), float((z - lower).max()))
        for (lower, upper), (z, _) in zip(
            polytope.milp_bounds(net, images, 0.1), polytope.milp_bounds(net, images, 0.0), strict=True
        )
    ]
    for found, middle, limit, theorem in zip(measured, exact, bound, propagation_bound(net, 0.1), strict=True):
        assert found <= middle + 1e-6 <= limit + 2e-6 and middle <= theorem + 1e-6


def test_the_binary_net():
    torch.manual_seed(0)
    net = binary_mlp()
    project_network_(net, (2.0, 0.5))
    first, second = row_norms(net)
    assert first == pytest.approx(2.0, rel=1e-5) and second <= 0.5 * (1 + 1e-5)
    assert propagation_bound(net, 0.1) == pytest.approx([0.1 * first, 0.1 * first * second])
    images = torch.rand(2, 1, 28, 28, generator=chance(0))
    logits = net(images)
    assert (logits[:, 0] == 0).all() and logits.shape == (2, 2)
    score = net[3](net[2](net[1](images.flatten(1))))[:, 0]
    torch.testing.assert_close(logits[:, 1] - logits[:, 0], score)
    assert all(
        a <= b * (1 + 1e-4) for a, b in zip(worst_growth(net, images, 0.1), propagation_bound(net, 0.1), strict=True)
    )


def test_the_network_is_left_as_it_was(unchanged):
    net, images = mlp(0), torch.rand(1, 1, 4, 4, dtype=torch.float64)
    check = unchanged(net)
    worst_growth(net, images, 0.1, steps=2)
    propagation_bound(net, 0.1)
    check()


def test_errors_name_the_layer_and_the_value():
    front = SparseFrontEnd(4, wavelet="haar", shape=(1, 4, 4))
    with pytest.raises(TypeError, match=r"network\.0 is a SparseFrontEnd, of which Theorem 2 says nothing"):
        propagation_bound(nn.Sequential(front, mlp(0)), 0.1)
    with pytest.raises(TypeError, match=r"network\.1\.0 is a BatchNorm1d"):
        propagation_bound(nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1d(2))), 0.1)
    for wrong in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="epsilon="):
            propagation_bound(mlp(0), wrong)
    with pytest.raises(ValueError, match="steps=0"):
        worst_growth(mlp(0), torch.rand(1, 1, 4, 4, dtype=torch.float64), 0.1, steps=0)
