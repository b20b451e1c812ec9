import torch
from torch import nn

from lecture13.gan import dcgan
from lecture13.gan.images import to_signed, to_unit
from lecture13.gan.sampling import recalibrate, sample


def test_the_two_scales_are_inverse_and_bytes_fill_the_range():
    images = torch.rand(3, 1, 4, 4)
    assert torch.allclose(to_unit(to_signed(images)), images, atol=1e-6)
    assert to_signed(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]
    assert to_unit(torch.tensor([-3.0, 3.0])).tolist() == [0.0, 1.0]  # not every generator ends in tanh


def test_samples_come_in_eval_mode_in_parts_and_in_order():
    G = dcgan.Generator(8, [4], noise=3, classes=2).train()
    z, y = torch.randn(230, 3), torch.arange(230) % 2
    before = G.blocks.block4[0].running_mean.clone()
    drawn = sample(G, z, y)
    assert drawn.shape == (230, 3, 8, 8) and drawn.min() >= 0 and drawn.max() <= 1
    assert G.training and torch.equal(before, G.blocks.block4[0].running_mean)
    with torch.no_grad():
        assert torch.allclose(drawn[200:201], to_unit(G.eval()(z[200:201], y[200:201])), atol=1e-6)


def test_statistics_are_measured_anew():
    """Oracle: the mean and the variance over many samples of what the first norm takes in."""
    torch.manual_seed(0)
    G = dcgan.Generator(8, [4], noise=6)
    norm = G.blocks.block4[0]
    norm.running_mean.fill_(100)
    momentum = norm.momentum
    assert not recalibrate(G, batches=40, batch=100).training
    with torch.no_grad():
        into = G.project(torch.randn(20_000, 6)).view(-1, 4, 16)
    assert torch.allclose(norm.running_mean, into.mean((0, 2)), atol=0.003)
    assert torch.allclose(norm.running_var, into.var((0, 2)), rtol=0.1)
    assert norm.momentum == momentum
    assert not recalibrate(nn.Sequential(nn.Linear(2, 2)).train()).training  # nothing to measure
