from itertools import pairwise

import pytest
import torch
from torch import nn

from lecture13 import papers
from lecture13.gan import architectures, dcgan
from lecture13.gan.architectures import resnet
from lecture13.gan.architectures.convolutional import Gate

LAYERS = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


def parameters(net):
    return sum(p.numel() for p in net.parameters())


@pytest.fixture(scope="module")
def pairs():
    """Every row as in the paper, for a gradient penalty."""
    torch.manual_seed(0)
    return {name: architectures.build(name, norm="layer") for name in architectures.names()}


def test_the_rows_are_the_figures():
    rows = [each.row for each in architectures.ARCHITECTURES.values()]
    assert rows == list(papers.table("wgan-gp-figure-2").rows)


@pytest.mark.parametrize("name", architectures.names())
def test_images_and_logits_at_64(pairs, name):
    G, D = pairs[name]
    with torch.no_grad():
        x = G(torch.randn(2, 128))
        assert x.shape == (2, 3, 64, 64) and x.abs().max() <= 1
        assert D(x).shape == (2,)


def convolutions(maps, *, biases=True, norm=0, gate=1, image=3):
    """Parameters of 5×5 convolutions through ``maps``: weights, biases, and ``norm`` per normalised map."""
    total = 0
    for inputs, outputs in pairwise(maps):
        last = outputs == image
        wide = outputs if last else gate * outputs
        total += 25 * inputs * wide + (wide if biases or last else 0) + (0 if last else norm * wide)
    return total


# Counted by hand from the figure's caption and the authors' 64×64 code.
UP, DOWN = [512, 256, 128, 64, 3], [64, 128, 256, 512]
IN, OUT = 128 * 8192, 8192 + 1
DCGAN_CRITIC = 25 * 3 * 64 + 64 + convolutions(DOWN, biases=False, norm=2) + OUT
EXPECTED = {
    "dcgan": (IN + 2 * 512 + convolutions(UP, biases=False, norm=2), DCGAN_CRITIC),
    "constant": (128 * 1024 + 1024 + convolutions([64, 64, 64, 64, 3]), DCGAN_CRITIC),
    "mlp": (128 * 512 + 3 * 512 * 512 + 4 * 512 + 512 * 12288 + 12288, DCGAN_CRITIC),
    "no-norm": (IN + 8192 + convolutions(UP), 25 * 3 * 64 + 64 + convolutions(DOWN) + OUT),
    "gated": (
        2 * (IN + 8192) + 4 * 512 + convolutions(UP, norm=2, gate=2),
        2 * (25 * 3 * 64 + 64) + convolutions(DOWN, norm=2, gate=2) + OUT,
    ),
    "tanh": (IN + 8192 + 2 * 512 + convolutions(UP, norm=2), 25 * 3 * 64 + 64 + convolutions(DOWN, norm=2) + OUT),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_parameters_counted_by_hand(pairs, name):
    assert tuple(map(parameters, pairs[name])) == EXPECTED[name]


def block(inputs, outputs, shortcut):
    """A bottleneck: 1×1, 3×3, 1×1 without bias, gain and bias of the normalisation, the shortcut's 1×1."""
    half_in, half_out = inputs // 2, outputs // 2
    path = inputs * half_in + half_in + 9 * half_in * half_out + half_out + half_out * outputs
    return path + 2 * outputs + shortcut * (inputs * outputs + outputs)


def test_the_residual_nets_parameters(pairs):
    G, D = pairs["resnet"]
    same = sum(count * block(maps, maps, 0) for maps, count in ((512, 6), (256, 6), (128, 6), (64, 6), (32, 5)))
    steps = [(512, 256), (256, 128), (128, 64), (64, 32)]
    assert parameters(G) == IN + 8192 + same + sum(block(a, b, 4) for a, b in steps) + 32 * 3 + 3
    assert parameters(D) == 3 * 32 + 32 + same + sum(block(b, a, 1) for a, b in steps) + OUT


def test_101_layers(pairs):
    for net in pairs["resnet"]:
        path = [m for name, m in net.named_modules() if isinstance(m, LAYERS) and ".shortcut" not in name]
        assert len(path) == 101
    blocks = {name: len(stage) for name, stage in pairs["resnet"][0].blocks.named_children() if "block" in name}
    assert blocks == {"block4": 6, "block8": 6, "block16": 6, "block32": 6, "block64": 5}
    assert [len(stage) for name, stage in pairs["resnet"][1].blocks.named_children() if "block" in name] == [
        5,
        6,
        6,
        6,
        6,
    ]


def test_what_the_residual_net_does_to_numbers():
    """Output tanh(x/5), logits x/5, and residuals at .3."""
    torch.manual_seed(0)
    G, D = architectures.build("resnet", norm=None, size=16, width=8, depth=2)
    G.eval()
    z, seen = torch.randn(3, 128), []
    with torch.no_grad():
        hook = G.image.register_forward_hook(lambda module, inputs, output: seen.append(output))
        torch.testing.assert_close(G(z), torch.tanh(seen[0] / 5))
        hook.remove()
        x = torch.randn(3, 3, 16, 16)
        hook = D.decide.register_forward_hook(lambda module, inputs, output: seen.append(output[:, 0]))
        torch.testing.assert_close(D(x), seen[1] / 5)
        block = resnet.Bottleneck(4, 4, norm=None)
        at = torch.randn(2, 4, 5, 5)
        inside = torch.relu(nn.functional.conv2d(torch.relu(at), block.narrow.weight, block.narrow.bias))
        inside = torch.relu(nn.functional.conv2d(inside, block.middle.weight, block.middle.bias, padding=1))
        residual = nn.functional.conv2d(inside, block.widen.weight)
        torch.testing.assert_close(block(at), at + 0.3 * residual)


@pytest.mark.parametrize(("resample", "side"), [("up", 12), ("down", 3)])
def test_a_block_resamples(resample, side):
    assert resnet.Bottleneck(8, 4, norm="layer", resample=resample)(torch.randn(2, 8, 6, 6)).shape == (2, 4, side, side)


def test_the_shortcut_down_is_a_strided_convolution():
    shortcut, x = resnet.Bottleneck(4, 8, norm=None, resample="down").shortcut, torch.randn(2, 4, 7, 6)
    expected = nn.functional.conv2d(x, shortcut[1].weight, shortcut[1].bias, stride=2)
    torch.testing.assert_close(shortcut(x), expected)


def test_a_gate_is_a_sigmoid_times_a_tanh():
    a, b = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(Gate()(torch.cat([a, b], 1)), 1 / (1 + torch.exp(-a)) * torch.tanh(b))


def test_each_row_has_its_nonlinearity(pairs):
    def kinds(net):
        return {type(m) for m in net.modules() if isinstance(m, nn.ReLU | nn.LeakyReLU | nn.Tanh | Gate)}

    assert kinds(pairs["tanh"][0]) == kinds(pairs["tanh"][1]) == {nn.Tanh}
    assert kinds(pairs["gated"][0]) == {Gate, nn.Tanh}  # tanh makes the image
    assert kinds(pairs["gated"][1]) == {Gate}
    assert kinds(pairs["constant"][0]) == kinds(pairs["mlp"][0]) == {nn.ReLU, nn.Tanh}
    assert kinds(pairs["no-norm"][1]) == {nn.LeakyReLU}


NORMS = nn.BatchNorm2d | nn.BatchNorm1d | nn.GroupNorm


@pytest.mark.parametrize("name", architectures.names())
@pytest.mark.parametrize(("norm", "kind"), [("batch", nn.BatchNorm2d), ("layer", nn.GroupNorm)])
def test_normalisation_is_where_the_figure_has_it(name, norm, kind):
    G, D = architectures.build(name, norm=norm, size=16, width=8, depth=2)
    assert any(isinstance(m, NORMS) for m in G.modules()) == (name not in ("constant", "mlp", "no-norm"))
    found = {type(m) for m in D.modules() if isinstance(m, NORMS)}
    assert found == (set() if name == "no-norm" else {kind})


@pytest.mark.parametrize("name", architectures.names())
def test_layer_norm_leaves_each_sample_on_its_own(name):
    torch.manual_seed(0)
    _, D = architectures.build(name, norm="layer", size=16, width=8, depth=1)
    x = torch.randn(4, 3, 16, 16)
    torch.testing.assert_close(D(x)[:2], D(torch.cat([x[:2], 5 * torch.randn(2, 3, 16, 16)]))[:2])


def test_the_own_convolutions_equal_dcgans():
    """With DCGAN's nonlinearities and weights, the rows' nets compute what :mod:`dcgan` computes."""
    G, D = dcgan.Generator(16, [8, 4], noise=128), dcgan.Critic(16, [8, 4], norm="layer")
    ours = architectures.convolutional.Generator(16, [8, 4])
    theirs = architectures.convolutional.Critic(16, [8, 4], norm="layer", activation=lambda: nn.LeakyReLU(0.2))
    ours.load_state_dict(G.state_dict(), strict=False)
    theirs.load_state_dict(D.state_dict(), strict=False)
    with torch.no_grad():
        for net in (ours, theirs):  # normalised layers have a bias here, which normalisation takes away again
            for name, values in net.named_parameters():
                if name not in dict(G.named_parameters()) | dict(D.named_parameters()):
                    values.zero_()
        z, x = torch.randn(5, 128), torch.randn(5, 3, 16, 16)
        torch.testing.assert_close(ours(z), G(z))
        torch.testing.assert_close(theirs(x), D(x))


def test_weights_start_as_in_the_authors_code():
    torch.manual_seed(0)
    G, D = architectures.build("no-norm", norm=None)
    assert G.project.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert D.blocks.block8[0].weight.std().item() == pytest.approx(0.02, rel=0.02)
    G, _ = architectures.build("gated", norm=None)
    up = G.blocks.block8[0]  # 512 maps in, each seen through 25/4 of the places; 2 · 256 out
    assert up.weight.var().item() == pytest.approx(4 / (512 * 25 / 4 + 512 * 25), rel=0.02)
    G, _ = architectures.build("mlp", norm=None)
    assert G.layers.hidden2[0].weight.var().item() == pytest.approx(2 / 512, rel=0.02)
    assert G.layers.image[0].weight.var().item() == pytest.approx(2 / (512 + 12288), rel=0.02)


@pytest.mark.parametrize("name", architectures.names())
@pytest.mark.parametrize(("size", "width"), [(8, 4), (28, 4), (32, 12)])
def test_scaled_down(name, size, width):
    G, D = architectures.build(name, norm="layer", size=size, width=width, depth=1)
    x = G(torch.randn(1, 128)) if name in ("constant", "mlp", "no-norm") else G.eval()(torch.randn(1, 128))
    assert x.shape == (1, 3, size, size) and D(x).shape == (1,)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"unknown architecture 'vgg'; known: dcgan, constant"):
        architectures.build("vgg", norm=None)
    with pytest.raises(ValueError, match="width=6, depth=1; expected a width that 4 divides"):
        architectures.build("resnet", norm=None, width=6, depth=1)
    with pytest.raises(ValueError, match="depth=0"):
        architectures.build("resnet", norm=None, depth=0)
    with pytest.raises(ValueError, match="size=50"):
        architectures.build("tanh", norm=None, size=50)
    with pytest.raises(ValueError, match="norm='group'"):
        architectures.build("tanh", norm="group")
    with pytest.raises(ValueError, match=r"z of shape \(2, 100\); expected \(N, 128\)"):
        architectures.build("tanh", norm=None, size=16, width=4)[0](torch.randn(2, 100))
