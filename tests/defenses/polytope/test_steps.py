"""Every affine step and its transpose against autograd and dense matrices."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from lecture13.defenses.polytope.layers import read
from lecture13.defenses.polytope.transposed import conv_transpose
from lecture13.models.normalize import Normalize
from tests.defenses.polytope.nets import CONVOLUTIONS, convnet

LAYERS = {
    "linear": (lambda: nn.Linear(9, 4), (2, 8, 9)),
    "flat": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(144, 4, bias=False)), (2, 8, 9)),
    "conv": (lambda: nn.Conv2d(2, 3, (3, 2), stride=(2, 3), padding=(2, 1), dilation=(1, 2)), (2, 8, 9)),
    "groups": (lambda: nn.Conv2d(4, 6, 3, groups=2, padding="same", dilation=2), (4, 5, 6)),
    "same": (lambda: nn.Conv2d(2, 3, (2, 4), padding="same"), (2, 5, 6)),
    "valid": (lambda: nn.Conv2d(2, 40, 3, padding="valid", stride=2), (2, 8, 7)),
    "wide padding": (lambda: nn.Conv2d(2, 3, 2, padding=3, stride=3), (2, 5, 6)),
    "sub-pixels": (lambda: nn.Conv2d(1, 5, 5, stride=3, padding=2), (1, 12, 10)),
    "normalize": (lambda: Normalize([0.1, 0.3], [0.5, 2.0]), (2, 4, 4)),
    "one mean": (lambda: Normalize([0.1], [0.5]), (2, 4, 4)),
    "broadcast": (lambda: Normalize([0.1, 0.2], [0.5, 2.0]), (1, 4, 4)),
    "pool": (lambda: nn.AvgPool2d(2), (2, 5, 6)),
    "pool, padded": (lambda: nn.AvgPool2d((3, 2), stride=2, padding=1), (2, 5, 6)),
    "pool, ceil": (lambda: nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), (2, 6, 8)),
    "pool, uncounted": (lambda: nn.AvgPool2d(3, padding=1, count_include_pad=False), (2, 5, 7)),
    "pool, divisor": (lambda: nn.AvgPool2d(3, stride=2, ceil_mode=True, divisor_override=7), (2, 6, 6)),
    "pool, adaptive": (lambda: nn.AdaptiveAvgPool2d((3, None)), (2, 7, 5)),
    "pool, global": (lambda: nn.AdaptiveAvgPool2d(1), (2, 7, 5)),
    "flatten, partly": (lambda: nn.Flatten(2, 3), (2, 3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_each_step_is_its_layer_and_its_transpose_the_vector_jacobian_product(name):
    build, shape = LAYERS[name]
    torch.manual_seed(0)
    layer = build().double()
    x = torch.randn(3, *shape, dtype=torch.float64, requires_grad=True)
    (affine,) = read(layer, shape, x.detach())
    expected = layer(x)
    assert affine.given == expected.shape[1:] and affine.taken == shape
    torch.testing.assert_close(affine.apply(x), expected)
    rows = torch.randn_like(expected)
    (pulled,) = torch.autograd.grad(expected, x, rows)
    torch.testing.assert_close(affine.transpose(rows), pulled)
    # |W| and |b| against the dense matrix
    with torch.no_grad():
        size = x[0].numel()
        bias = layer(torch.zeros(1, *shape, dtype=torch.float64)).flatten()
        weight = layer(torch.eye(size, dtype=torch.float64).view(size, *shape)).flatten(1) - bias
        assert affine.plain
        spread = affine.spread(x.abs()).flatten(1)
        torch.testing.assert_close(spread, x.abs().flatten(1) @ weight.abs())
        torch.testing.assert_close(affine.offset(x).flatten().expand_as(bias), bias.abs())
        assert affine.terms >= int((weight != 0).sum(0).max()) and affine.terms_back >= int((weight != 0).sum(1).max())


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 4), st.integers(1, 3), st.integers(0, 4), st.integers(1, 5), st.integers(1, 5), st.integers(6, 9),
    st.integers(6, 9), st.sampled_from([1, 3, 40]),
)  # fmt: skip
def test_transposed_convolutions(stride, taken, padding, high, wide, height, width, given_):
    weight = torch.randn(given_, taken, high, wide, dtype=torch.float64)
    x = torch.randn(2, taken, height, width, dtype=torch.float64, requires_grad=True)
    out = F.conv2d(x, weight, stride=stride, padding=padding)
    rows = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, rows)
    found = conv_transpose(rows, weight, (stride, stride), (padding, padding), (1, 1), 1, (height, width))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_a_network_is_read_as_the_maps_between_its_relus(kind):
    network = convnet(kind)
    x = torch.rand(2, 2, 8, 9, dtype=torch.float64)
    affines = read(network, (2, 8, 9), x)
    assert len(affines) == 1 + sum(isinstance(layer, nn.ReLU) for layer in network.modules())
    y = x
    for number, affine in enumerate(affines):
        y = affine.apply(y if number == 0 else y.relu())
    torch.testing.assert_close(y, network(x))
