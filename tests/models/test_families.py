"""The small nets of five families, and those of CIFAR-10: counted by hand, refused where they cannot be."""

import pytest
import torch
from torch import nn

from lecture13 import models
from lecture13.models.small_inception import Inception
from lecture13.models.small_resnet import Residual


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def kinds(net: nn.Module) -> set[type]:
    return {type(layer) for layer in net.modules() if not list(layer.children())}


def convolution(inputs: int, outputs: int, side: int) -> int:
    return inputs * outputs * side**2 + outputs


def normalised(inputs: int, outputs: int, side: int) -> int:
    """Of a convolution without bias, and batch normalisation."""
    return inputs * outputs * side**2 + 2 * outputs


def test_small_alexnet_counts_its_parameters():
    convolutions = convolution(3, 24, 5) + convolution(24, 48, 5) + convolution(48, 64, 3)
    assert parameters(models.small_alexnet()) == convolutions + (64 * 4 * 4 + 1) * 96 + 97 * 10 == 157_754


def test_small_vgg_counts_its_parameters():
    convolutions = sum(convolution(a, b, 3) + convolution(b, b, 3) for a, b in [(3, 16), (16, 32), (32, 64)])
    assert parameters(models.small_vgg()) == convolutions + (64 * 4 * 4 + 1) * 96 + 97 * 10 == 171_450


@pytest.mark.parametrize("depth", [8, 14])
def test_small_resnet_counts_its_parameters_and_layers(depth):
    closed_form, blocks = normalised(3, 16, 3) + 64 * 10 + 10, (depth - 2) // 6
    for before, width in [(16, 16), (16, 32), (32, 64)]:
        closed_form += normalised(before, width, 3) + (2 * blocks - 1) * normalised(width, width, 3)
        closed_form += normalised(before, width, 1) if width != before else 0
    net = models.small_resnet(depth=depth)
    assert parameters(net) == closed_form
    deep = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(deep) - 2 == depth  # and the two shortcuts


def test_small_inception_counts_its_parameters():
    closed_form, channels = normalised(3, 16, 3), 16
    for point, three, five, pool in [(8, 16, 8, 8), (12, 24, 12, 8), (16, 32, 16, 8), (24, 40, 16, 16)]:
        closed_form += normalised(channels, point, 1) + normalised(channels, pool, 1)
        closed_form += normalised(channels, three // 2, 1) + normalised(three // 2, three, 3)
        closed_form += normalised(channels, five // 2, 1) + normalised(five // 2, five, 5)
        channels = point + three + five + pool
    assert parameters(models.small_inception()) == closed_form + channels * 10 + 10 == 36_230


def test_small_mlp_counts_its_parameters():
    assert parameters(models.small_mlp()) == 3073 * 80 + 81 * 80 + 81 * 10 == 253_130


def test_the_families_differ_in_what_they_are_made_of():
    assert nn.BatchNorm2d not in kinds(models.small_alexnet()) | kinds(models.small_vgg())
    assert nn.Conv2d not in kinds(models.small_mlp())
    assert any(isinstance(layer, Residual) for layer in models.small_resnet())
    assert any(isinstance(layer, Inception) for layer in models.small_inception())


@pytest.mark.parametrize("stride", [1, 2])
def test_a_residual_block_with_silent_convolutions_passes_x_on(stride):
    block = Residual(4, 4 if stride == 1 else 8, stride).eval()
    nn.init.zeros_(block.bn2.weight)
    x = torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(block(x), block.shortcut(x).relu())
    assert isinstance(block.shortcut, nn.Identity) == (stride == 1)


def test_an_inception_modules_branches_see_as_far_as_their_names_say():
    module = Inception(2, (3, 4, 5, 6)).eval()
    x = torch.rand(1, 2, 9, 9, requires_grad=True)
    reach = []
    for part in module(x).split((3, 4, 5, 6), dim=1):
        (gradient,) = torch.autograd.grad(part[0, :, 4, 4].sum(), x, retain_graph=True)
        seen = gradient.abs().sum((0, 1)).nonzero()
        reach.append(int((seen - 4).abs().max()) if len(seen) else 0)
    assert all(found <= wanted for found, wanted in zip(reach, (0, 1, 2, 1), strict=True))
    assert module(x).shape == (1, 18, 9, 9)


@pytest.mark.parametrize("name", ["small_alexnet", "small_vgg"])
@pytest.mark.parametrize("size", [0, 4, 30])
def test_nets_with_linear_layers_refuse_sizes_that_poolings_do_not_halve(name, size):
    with pytest.raises(ValueError, match=f"size is {size}.*multiple of 8"):
        models.build(name, size=size)


@pytest.mark.parametrize("name", ["small_alexnet", "small_vgg", "small_mlp"])
def test_other_sizes_are_a_setting(name):
    assert models.build(name, size=64, classes=7)(torch.rand(2, 3, 64, 64)).shape == (2, 7)


@pytest.mark.parametrize("name", ["small_resnet", "small_inception", "nin"])
def test_fully_convolutional_nets_take_any_size(name):
    assert models.build(name, classes=7)(torch.rand(2, 3, 40, 24)).shape == (2, 7)


@pytest.mark.parametrize("depth", [2, 10, 18])
def test_small_resnet_refuses_other_depths(depth):
    with pytest.raises(ValueError, match=f"depth is {depth}.*6n . 2"):
        models.small_resnet(depth=depth)


def test_small_mlp_wants_widths():
    with pytest.raises(ValueError, match="widths is empty"):
        models.small_mlp(widths=())


def test_lenet_cifar10_counts_its_parameters():
    convolutions = convolution(3, 32, 5) + convolution(32, 32, 5) + convolution(32, 64, 5)
    assert parameters(models.lenet_cifar10()) == convolutions + (64 * 4 * 4 + 1) * 64 + 65 * 10 == 145_578


def test_nin_counts_parameters_as_its_authors_do():
    first = convolution(3, 192, 5) + convolution(192, 160, 1) + convolution(160, 96, 1)
    second = convolution(96, 192, 5) + 2 * convolution(192, 192, 1)
    third = convolution(192, 192, 3) + convolution(192, 192, 1) + convolution(192, 10, 1)
    assert parameters(models.nin()) == first + second + third == 966_986  # 0.97 million, Lin et al. 2014, section 4.4


def test_a_thin_nin_has_fewer_channels_and_as_many_layers():
    thick = [layer.out_channels for layer in models.nin() if isinstance(layer, nn.Conv2d)]
    thin = [layer.out_channels for layer in models.nin(thin=4) if isinstance(layer, nn.Conv2d)]
    assert thin == [width // 4 for width in thick[:-1]] + [10]


def test_nin_normalises_only_when_asked():
    assert nn.BatchNorm2d not in kinds(models.nin())
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in models.nin(batch_norm=True)) == 8


@pytest.mark.parametrize("thin", [0, 5])
def test_nin_refuses_a_thinness_that_does_not_divide(thin):
    with pytest.raises(ValueError, match=f"thin is {thin}.*divisor"):
        models.nin(thin=thin)
