import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import conv2d, leaky_relu, rms_norm

from lecture13.gan.progressive import (
    Conv,
    Critic,
    DownConv,
    Generator,
    Linear,
    PixelNorm,
    UpConv,
    downsample,
    paper_widths,
    resolutions,
    upsample,
)

WIDTHS = (6, 5, 4)


def generator(**options):
    torch.manual_seed(0)
    return Generator(16, WIDTHS, **options)


def critic(**options):
    torch.manual_seed(1)
    return Critic(16, WIDTHS, **options)


def noise(count=4, seed=2):
    return torch.randn(count, WIDTHS[0], generator=torch.Generator().manual_seed(seed))


def pictures(count=4, size=16, seed=3):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


def test_widths_of_the_papers_table():
    assert paper_widths(1024) == (512, 512, 512, 512, 256, 128, 64, 32, 16)
    assert paper_widths(64) == (512, 512, 512, 512, 256)
    assert paper_widths(256, base=4096) == (512, 512, 512, 256, 128, 64, 32)  # as in the lecture's churches


def test_parameters_of_the_papers_table():
    """Table 2 says 23.1 M for both nets at 1024×1024, with the last level's 1×1 convolution alone."""
    with torch.device("meta"):
        G, D = Generator(1024), Critic(1024)
    for net in (G, D):
        others = sum(count(net.get_submodule(f"rgb{size}")) for size in net.sizes[:-1])
        assert count(net) - others == pytest.approx(23.1e6, rel=3e-3)


@pytest.mark.parametrize("size", [1, 2, 3, 12, 48, 0, -8, 8.0, True, "8"])
def test_a_resolution_that_is_no_power_of_two(size):
    for build in (resolutions, Generator, Critic, paper_widths):
        with pytest.raises(ValueError, match="power of two"):
            build(size)


@pytest.mark.parametrize("size", [4, 8, 16])
def test_every_stage_draws_and_judges(size):
    G, D = generator(), critic()
    for alpha in (0.0, 0.3, 1.0):
        x = G.set_stage(size, alpha)(noise(3))
        assert x.shape == (3, 3, size, size)
        assert D.set_stage(size, alpha)(x).shape == (3,)


@pytest.mark.parametrize(("size", "alpha"), [(4, 1.0), (8, 0.4), (16, 1.0)])
def test_a_batch_of_one(size, alpha):
    G, D = generator().set_stage(size, alpha), critic().set_stage(size, alpha)
    logits = D(G(noise(1)))
    assert logits.shape == (1,)
    logits.sum().backward()
    assert all(p.grad.isfinite().all() for net in (G, D) for p in net.parameters() if p.grad is not None)


@pytest.mark.parametrize("size", [8, 16])
def test_fade_in_bit_for_bit(size):
    """At α = 0 a net is the lower one, up- or downsampled; at α = 1 it is the grown one, and the limit of both."""
    G, D, z, x = generator(), critic(), noise(), pictures(size=size)
    lower_image = upsample(G.set_stage(size // 2)(z))
    lower_logit = D.set_stage(size // 2)(downsample(x))
    assert torch.equal(G.set_stage(size, 0.0)(z), lower_image)
    assert torch.equal(D.set_stage(size, 0.0)(x), lower_logit)

    grown = G.up_to(size)(z)
    assert not torch.allclose(grown, lower_image)
    assert torch.equal(G.set_stage(size, 1.0)(z), grown)
    half = G.set_stage(size, 0.5)(z)
    torch.testing.assert_close(half, (lower_image + grown) / 2)
    assert torch.equal(torch.lerp(lower_image, grown, 1.0), grown)  # no step where the fade ends
    nearly = G.set_stage(size, 1 - 1e-7)(z)
    torch.testing.assert_close(nearly, grown)

    block = D.get_submodule(f"block{size}")
    features = block(D.get_submodule(f"rgb{size}")(x))
    for here in reversed(resolutions(size // 2)):
        features = D.get_submodule(f"block{here}")(features)
    assert torch.equal(D.set_stage(size, 1.0)(x), features[:, 0])


def test_up_to_copies():
    G = generator()
    small = G.up_to(8)
    assert small.sizes == (4, 8)
    assert torch.equal(small(noise()), G.set_stage(8)(noise()))
    with torch.no_grad():
        small.block4[0].weights.weight.add_(1)
    assert not torch.allclose(small(noise()), G(noise()))
    plain = generator(pixel_norm=False, equalized=False, channels=1)
    assert torch.equal(plain.up_to(8)(noise()), plain.set_stage(8)(noise()))


@settings(deadline=None, max_examples=20)
@given(inputs=st.integers(1, 4), outputs=st.integers(1, 4), half=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_resampling_within_the_convolution(inputs, outputs, half, seed):
    torch.manual_seed(seed)
    up, down = UpConv(inputs, outputs).double(), DownConv(inputs, outputs).double()
    nn.init.normal_(up.bias), nn.init.normal_(down.bias)
    x = torch.randn(2, inputs, 2 * half, 2 * half, dtype=torch.double)
    apart = conv2d(upsample(x), up.weight * up.factor, up.bias, padding=1)
    torch.testing.assert_close(up(x), apart)
    apart = downsample(conv2d(x, down.weight * down.factor, down.bias, padding=1))
    torch.testing.assert_close(down(x), apart)


@pytest.mark.parametrize("equalized", [True, False])
def test_variance_is_kept_through_the_layers(equalized):
    """√2 makes up for what the leaky ReLU loses, and a gain of 1 keeps the variance of a linear layer at 1."""
    torch.manual_seed(0)
    x = torch.randn(64, 32, 16, 16)
    linear = Linear(400, 500, gain=1.0, equalized=equalized)
    assert linear(torch.randn(600, 400)).var().item() == pytest.approx(1.0, abs=0.03)
    conv = Conv(32, 32, gain=1.0, equalized=equalized)
    assert conv(x)[..., 1:-1, 1:-1].var().item() == pytest.approx(1.0, abs=0.05)
    deep = x
    for _ in range(6):
        deep = leaky_relu(Conv(32, 32, equalized=equalized)(deep), 0.2)[..., 1:-1, 1:-1]
    kept = deep.square().mean().item() / ((1 + 0.2**2) ** 6)
    assert kept == pytest.approx(1.0, abs=0.3)


def test_equalised_weights_are_standard_normal_and_scaled_when_used():
    torch.manual_seed(0)
    layer = Conv(20, 30)
    assert layer.weight.std().item() == pytest.approx(1.0, abs=0.03)
    assert layer.factor == pytest.approx(math.sqrt(2 / (20 * 9)))
    plain = Conv(20, 30, equalized=False)
    assert plain.factor == 1.0
    assert plain.weight.std().item() == pytest.approx(layer.factor, rel=0.03)


def test_equalised_layers_learn_at_one_rate():
    """One step of Adam moves the weights as used by the same share of their size in every layer."""

    def shares(equalized):
        torch.manual_seed(0)
        found = []
        for inputs in (4, 64):
            layer = Conv(inputs, 16, equalized=equalized)
            before = layer.weight.detach() * layer.factor
            optimizer = torch.optim.Adam(layer.parameters(), lr=1e-3, betas=(0.0, 0.99), eps=1e-12)
            layer(torch.randn(2, inputs, 8, 8)).square().mean().backward()
            optimizer.step()
            moved = layer.weight.detach() * layer.factor - before
            found.append((moved.square().mean().sqrt() / before.square().mean().sqrt()).item())
        return found

    narrow, wide = shares(equalized=True)
    assert narrow == pytest.approx(wide, rel=0.1)
    narrow, wide = shares(equalized=False)
    assert wide == pytest.approx(4 * narrow, rel=0.1)


@pytest.mark.parametrize("shape", [(3, 7), (2, 5, 4, 4), (1, 1, 2, 2)])
def test_pixel_norm(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 9
    found = PixelNorm()(x)
    expected = rms_norm(x.movedim(1, -1), shape[1:2], eps=1e-8).movedim(-1, 1)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found.square().mean(1), torch.ones_like(found[:, 0]))
    assert torch.equal(PixelNorm()(torch.zeros(shape)), torch.zeros(shape))


def test_units_leave_normalised():
    G, seen = generator(), []
    for size in G.sizes:
        for index in (0, 1):
            layer = G.get_submodule(f"block{size}.{index}")  # the addresses that dissection uses
            layer.register_forward_hook(lambda module, inputs, output: seen.append(output))
    G(noise())
    assert [output.shape[1:] for output in seen] == [
        (width, size, size) for size, width in zip(G.sizes, WIDTHS, strict=True) for _ in (0, 1)
    ]
    for output in seen:
        torch.testing.assert_close(output.square().mean(1), torch.ones_like(output[:, 0]))


def test_an_edit_at_a_units_output_leaves_the_others():
    G = generator()

    def given_to(name):
        found = []
        handle = G.get_submodule(name).register_forward_pre_hook(lambda module, inputs: found.append(inputs[0].clone()))
        G(noise())
        handle.remove()
        return found[0]

    whole = given_to("block8.1")
    G.get_submodule("block8.0").register_forward_hook(
        lambda module, inputs, output: output.index_fill(1, torch.tensor([2]), 0.0)
    )
    edited = given_to("block8.1")
    assert (edited[:, 2] == 0).all()
    others = [0, 1, 3, 4]
    assert torch.equal(edited[:, others], whole[:, others])


def test_noise_is_normalised():
    G = generator()
    torch.testing.assert_close(G(noise()), G(7 * noise()), rtol=1e-4, atol=1e-5)


def test_minibatch_std_sees_a_collapsed_batch():
    """The same image among others or among its copies: only a critic with the statistic can tell."""
    x = pictures()
    collapsed = x[:1].expand_as(x)
    with_it, without = critic(), critic(minibatch_std=False)
    assert (with_it(x)[0] - with_it(collapsed)[0]).abs() > 1e-3
    torch.testing.assert_close(without(x)[0], without(collapsed)[0])


def test_switches():
    assert count(critic()) == count(critic(minibatch_std=False)) + 9 * WIDTHS[0]
    assert not any(
        isinstance(layer.norm, PixelNorm) for layer in generator(pixel_norm=False).modules() if hasattr(layer, "norm")
    )
    flat = generator(equalized=False)
    assert {layer.factor for layer in flat.modules() if hasattr(layer, "factor")} == {1.0}
    assert count(flat) == count(generator())


def test_only_the_levels_in_use_learn():
    G, D = generator().set_stage(8, 0.5), critic().set_stage(8, 0.5)
    D(G(noise())).sum().backward()
    for net in (G, D):
        for name, parameter in net.named_parameters():
            assert (parameter.grad is None) == ("16" in name.split(".")[0]), name
    # and nothing stands still once it is in use
    weights = [p.grad.abs().sum() for n, p in (*G.named_parameters(), *D.named_parameters()) if p.grad is not None]
    assert min(weights) > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Generator(16, (6, 5)), "expected 3 numbers"),
        (lambda: Critic(16, (6, 5, 0)), "each 1 or more"),
        (lambda: generator().set_stage(32), "this net has 4, 8, 16"),
        (lambda: generator().set_stage(8, 1.5), "from 0 to 1"),
        (lambda: generator().set_stage(8, float("nan")), "from 0 to 1"),
        (lambda: generator()(torch.randn(4, 7)), r"expected \(N, 6\)"),
        (lambda: generator()(torch.randn(6)), r"expected \(N, 6\)"),
        (lambda: critic()(pictures(size=8)), r"expected \(N, C, 16, 16\)"),
        (lambda: generator().up_to(64), "this net has"),
    ],
)
def test_errors_name_the_way_out(call, message):
    with pytest.raises(ValueError, match=message):
        call()
