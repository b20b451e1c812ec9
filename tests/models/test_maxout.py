import numpy as np
import torch

from lecture13 import models


def test_each_unit_is_the_largest_of_its_linear_functions():
    torch.manual_seed(0)
    layer, inputs = models.Maxout(7, units=4, pieces=3), torch.randn(5, 7)
    W, b = layer.linear.weight.detach().numpy(), layer.linear.bias.detach().numpy()
    expected = np.stack(
        [
            np.max([inputs.numpy() @ W[3 * unit + piece] + b[3 * unit + piece] for piece in range(3)], axis=0)
            for unit in range(4)
        ],
        axis=1,
    )
    np.testing.assert_allclose(layer(inputs).detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_two_opposite_pieces_are_the_absolute_value():
    layer = models.Maxout(1, units=1, pieces=2)
    layer.linear.weight.data, layer.linear.bias.data = torch.tensor([[1.0], [-1.0]]), torch.zeros(2)
    x = torch.linspace(-2, 2, 9)[:, None]
    assert torch.equal(layer(x), x.abs())


def test_they_count_their_parameters():
    def count(net):
        return sum(parameter.numel() for parameter in net.parameters())

    assert count(models.maxout()) == (784 * 1200 + 1200) + (240 * 1200 + 1200) + 2410 == 1_233_610
    assert count(models.shallow_softmax()) == 784 * 10 + 10
