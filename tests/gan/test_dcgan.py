import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import conv2d, interpolate

from lecture13.gan import dcgan
from lecture13.gan.layers import MinibatchStd, ResizeConv


def shapes(blocks, x):
    found = []
    for block in blocks:
        x = block(x)
        found.append(tuple(x.shape[1:]))
    return found


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


def test_radfords_figure_1():
    """100 z → 4×4×1024 → 8×8×512 → 16×16×256 → 32×32×128 → 64×64×3, by 5×5 kernels; parameters counted by hand."""
    G = dcgan.Generator().eval()
    first = G.project(torch.zeros(2, 100)).view(2, 1024, 4, 4)
    assert shapes(G.blocks, first) == [(1024, 4, 4), (512, 8, 8), (256, 16, 16), (128, 32, 32), (3, 64, 64)]
    assert [name for name, _ in G.blocks.named_children()] == ["block4", "block8", "block16", "block32", "image"]
    maps = [1024, 512, 256, 128, 3]
    convolutions = sum(a * b * 25 for a, b in itertools.pairwise(maps))
    norms = 2 * sum(maps[:-1])  # gain and bias of every layer but the last, which has a bias
    assert count(G) == 100 * 1024 * 16 + convolutions + norms + 3
    kinds = [type(layer) for layer in G.modules()]
    assert kinds.count(nn.ConvTranspose2d) == kinds.count(nn.BatchNorm2d) == kinds.count(nn.ReLU) == 4
    assert kinds.count(nn.Tanh) == 1
    assert all(
        layer.kernel_size == (5, 5) and layer.stride == (2, 2) for layer in G.modules() if hasattr(layer, "stride")
    )


def test_the_critic_is_its_mirror():
    D = dcgan.Critic().eval()
    x = torch.zeros(2, 3, 64, 64)
    assert shapes(D.blocks, x) == [(128, 32, 32), (256, 16, 16), (512, 8, 8), (1024, 4, 4)]
    convolutions = 25 * (3 * 128 + 128 * 256 + 256 * 512 + 512 * 1024)
    assert count(D) == convolutions + 128 + 2 * (256 + 512 + 1024) + 1024 * 16 + 1
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in D.blocks[0])  # none in the first layer
    assert {layer.negative_slope for layer in D.modules() if isinstance(layer, nn.LeakyReLU)} == {0.2}
    assert D(x).shape == (2,)


def test_weights_start_as_the_paper_says():
    torch.manual_seed(0)
    for net in (dcgan.Generator(), dcgan.Critic()):
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                assert layer.weight.mean().item() == pytest.approx(0, abs=1e-3)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.03)
            if isinstance(layer, nn.BatchNorm2d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.01)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.3)


@pytest.mark.parametrize("size", [8, 10, 28, 48, 64, 128])
@pytest.mark.parametrize(("kernel", "resize"), [(2, False), (4, False), (5, False), (3, True)])
def test_any_resolution_and_width(size, kernel, resize):
    maps = [3] * len(dcgan.widths(size))
    G = dcgan.Generator(size, maps, noise=7, kernel=kernel, resize=resize)
    x = G(torch.randn(2, 7))
    assert x.shape == (2, 3, size, size) and x.abs().max() <= 1
    assert dcgan.Critic(size, maps, kernel=kernel)(x).shape == (2,)
    assert any(isinstance(layer, nn.ConvTranspose2d) for layer in G.modules()) != resize


@pytest.mark.parametrize("size", [0, 4, 7, 9, 30, 66, 100])
def test_sizes_that_doubling_does_not_reach_are_refused(size):
    with pytest.raises(ValueError, match=f"size={size}: .*near it are"):
        dcgan.Generator(size)


def test_labels_reach_both_nets():
    G = dcgan.Generator(8, [4], noise=5, classes=3).eval()
    D = dcgan.Critic(8, [4], classes=3, norm=None)
    nn.init.normal_(G.project.weight), nn.init.normal_(D.blocks[0][0].weight)
    z = torch.randn(1, 5).expand(3, 5)
    drawn = G(z, torch.arange(3))
    assert not torch.allclose(drawn[0], drawn[1]) and not torch.allclose(drawn[1], drawn[2])
    logits = D(drawn[:1].expand(3, -1, -1, -1), torch.arange(3))
    assert logits.unique().numel() == 3
    for net, first in ((G, z), (D, drawn)):
        with pytest.raises(ValueError, match="from 0 to 2"):
            net(first, torch.tensor([0, 1, 3]))
        with pytest.raises(ValueError, match="no labels; this net has 3 classes"):
            net(first)
    for net, first in ((dcgan.Generator(8, [4], noise=5), z), (dcgan.Critic(8, [4]), drawn)):
        with pytest.raises(ValueError, match="without classes"):
            net(first, torch.arange(3))


@pytest.mark.parametrize("options", [{"kernel": 1}, {"kernel": 4, "resize": True}, {"maps": [4, 4]}, {"maps": [0]}])
def test_nets_that_cannot_be_are_refused(options):
    with pytest.raises(ValueError, match=r"kernel=|maps="):
        dcgan.Generator(8, **{"maps": [4], **options})


def test_inputs_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"z of shape \(2, 6\); expected \(N, 5\)"):
        dcgan.Generator(8, [4], noise=5)(torch.zeros(2, 6))
    with pytest.raises(ValueError, match=r"expected \(N, 3, 8, 8\)"):
        dcgan.Critic(8, [4])(torch.zeros(2, 3, 16, 16))
    with pytest.raises(ValueError, match="norm='instance'; known"):
        dcgan.Critic(16, [4, 4], norm="instance")


def test_norms_and_spectral_norm():
    x = torch.randn(6, 3, 16, 16)
    for norm in ("layer", None):  # each sample on its own: the same logit alone as among others
        D = dcgan.Critic(16, [8, 4], norm=norm)
        assert torch.allclose(D(x)[:1], D(x[:1]), atol=1e-5)
    D = dcgan.Critic(16, [8, 4])
    assert not torch.allclose(D(x)[:1], D(x[:1]), atol=1e-5)
    torch.manual_seed(0)
    D = dcgan.Critic(16, [8, 4], norm=None, spectral=True)
    for _ in range(60):
        D(x)  # each training pass takes one step of the power method
    for layer in D.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            largest = torch.linalg.svdvals(layer.weight.flatten(1)).max().item()
            assert largest == pytest.approx(1, rel=0.05)


def test_minibatch_standard_deviation_sees_a_collapsed_batch():
    layer, chance = MinibatchStd(), torch.Generator().manual_seed(0)
    varied = torch.randn(6, 4, 3, 3, generator=chance)
    plane = layer(varied)[:, 4]
    oracle = varied.numpy().std(axis=0).mean()
    assert plane.shape == (6, 3, 3) and plane.unique().numel() == 1
    assert plane[0, 0, 0].item() == pytest.approx(oracle, rel=1e-5)
    assert layer(varied[:1].expand(6, -1, -1, -1))[:, 4].max() < 1e-3
    assert layer(varied[:1])[:, 4].max() < 1e-3  # a batch of one
    groups = MinibatchStd(group=3)(varied)[:, 4, 0, 0]
    expected = [varied[:3].numpy().std(axis=0).mean(), varied[3:].numpy().std(axis=0).mean()]
    assert groups.tolist() == pytest.approx([expected[0]] * 3 + [expected[1]] * 3, rel=1e-5)
    assert layer(varied).requires_grad is False
    with pytest.raises(ValueError, match="group=0"):
        MinibatchStd(0)


@settings(deadline=None, max_examples=20)
@given(kernel=st.sampled_from([1, 3, 5, 7]), side=st.integers(1, 6), seed=st.integers(0, 2**31))
def test_a_resized_convolution_is_upsampling_and_a_convolution(kernel, side, seed):
    torch.manual_seed(seed)
    layer = ResizeConv(3, 2, kernel).double()
    x = torch.randn(2, 3, side, side + 1, dtype=torch.double)
    apart = conv2d(interpolate(x, scale_factor=2), layer.weight, layer.bias, padding=kernel // 2)
    torch.testing.assert_close(layer(x), apart)
