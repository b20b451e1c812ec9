"""Bounds in float32 contain those in float64, and the network's own values; nothing is computed in less."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lecture13 import models
from lecture13.defenses import polytope
from lecture13.defenses.polytope.rounding import full_precision, unit
from tests.defenses.polytope.nets import CONVOLUTIONS, before_relus, convnet, mlp, pixels

few = settings(deadline=None, max_examples=15)
METHODS = ["dual", "interval", "tighter", "mixed"]


@few
@given(
    st.sampled_from(["linear", *CONVOLUTIONS]),
    st.integers(0, 10**6),
    st.floats(0, 0.5),
    st.sampled_from(METHODS),
    st.sampled_from([1.0, 4.0, 100.0]),
)
def test_single_precision_contains_double_precision(kind, seed, epsilon, method, scale):
    build = (lambda: mlp(seed, dtype=torch.float32, scale=scale)) if kind == "linear" else (
        lambda: convnet(kind, seed, torch.float32, scale)
    )  # fmt: skip
    network = build()
    images, labels = pixels(network, 4, seed)
    exact = copy.deepcopy(network).double()
    found = polytope.bounds(network, images, epsilon, method=method)
    true = polytope.bounds(exact, images.double(), epsilon, method=method)
    first, second = found[0], true[0]  # later layers are relaxed between wider bounds, which may even give tighter ones
    assert (first[0] <= second[0]).all() and (first[1] >= second[1]).all()
    for (low, high), (lower, upper) in zip(found, true, strict=True):
        size = max(1e-3, float((upper - lower).max()), float(lower.abs().max()))
        assert (lower - low).abs().max() <= 1e-3 * size and (upper - high).abs().max() <= 1e-3 * size
    margins = polytope.margins(network, images, labels, epsilon, method=method)
    expected = polytope.margins(exact, images.double(), labels, epsilon, method=method)
    assert (margins - expected).abs().max() <= 1e-3 * max(1e-3, float(expected.abs().max()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("method", METHODS)
def test_without_a_ball_the_networks_own_values_lie_inside(dtype, method):
    """ε = 0: all there is between the bounds is the slack, and the network is evaluated in several ways."""
    torch.manual_seed(0)
    network = models.small_convnet().to(dtype)
    images = torch.rand(40, 1, 28, 28, dtype=torch.float64).to(dtype)
    found = polytope.bounds(network, images, 0.0, method=method)
    ways = [before_relus(network, images), before_relus(copy.deepcopy(network).double(), images.double())]
    ways.append(
        [torch.cat(layer) for layer in zip(*(before_relus(network, each[None]) for each in images), strict=True)]
    )
    for way in ways:
        for (lower, upper), values in zip(found, way, strict=True):
            assert (values >= lower).all() and (values <= upper).all()
    share = max(float(((upper - lower) / upper.abs().amax()).max()) for lower, upper in found)
    assert 0 < share < (2e-2 if dtype == torch.float32 else 1e-9)


def test_the_worst_point_of_a_linear_network_in_float32_lies_inside():
    """Where the bound is attained, nothing but the slack keeps the attack inside."""
    torch.manual_seed(0)
    layer = nn.Linear(784, 10)
    images = torch.rand(50, 784)
    ((lower, upper),) = polytope.bounds(layer, images, 0.1)
    for k in range(10):
        step = 0.1 * layer.weight[k].sign()
        with torch.no_grad():
            assert (layer(images + step)[:, k] <= upper[:, k]).all()
            assert (layer(images - step)[:, k] >= lower[:, k]).all()
            gap = (upper[:, k] - layer(images + step)[:, k]).max()
        assert gap < 1e-3


def test_the_slack_of_a_sum():
    assert unit(1000, torch.float64) == pytest.approx(1000 * 2.0**-53)
    assert unit(3, torch.float32) == pytest.approx(3 * 2.0**-24)  # few terms: the proven bound is the smaller one
    assert unit(10_000, torch.float32) == pytest.approx(200 * 2.0**-24)


def test_nothing_is_computed_in_less_than_full_precision():
    network = convnet("strided", dtype=torch.float32)
    images, labels = pixels(network)
    expected = polytope.margins(network, images, labels, 0.1)
    before = torch.get_float32_matmul_precision()
    with torch.autocast("cpu", torch.bfloat16):
        found = polytope.margins(network, images, labels, 0.1)
        loss = polytope.robust_loss(network, images, labels, 0.1)
    torch.testing.assert_close(found, expected)
    assert loss.dtype == torch.float32
    try:
        torch.set_float32_matmul_precision("medium")
        with full_precision(torch.device("cpu")):
            product = torch.rand(64, 64) @ torch.rand(64, 64)
        torch.testing.assert_close(polytope.margins(network, images, labels, 0.1), expected)
        assert product.dtype == torch.float32 and torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


def test_precision_switches_are_restored_after_an_exception():
    before = torch.backends.cudnn.conv.fp32_precision if hasattr(torch.backends.cudnn, "conv") else None
    with pytest.raises(KeyError), full_precision(torch.device("cpu")):
        raise KeyError
    if before is not None:
        assert torch.backends.cudnn.conv.fp32_precision == before
