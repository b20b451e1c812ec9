import pytest
import torch

from lecture13.gan.dcgan import Generator
from lecture13.painting import Brush, Canvas

LAYER = "blocks.block8"


@pytest.fixture
def generator():
    torch.manual_seed(0)
    net = Generator(32, (10, 8, 6), noise=5, kernel=3, resize=True)
    for block in net.blocks:
        for layer in block:
            if isinstance(layer, torch.nn.BatchNorm2d):  # as after a training: nothing is 0 or 1
                torch.nn.init.uniform_(layer.weight, 0.5, 2)
                torch.nn.init.normal_(layer.bias, std=0.5)
                torch.nn.init.normal_(layer.running_mean, std=0.1)
                torch.nn.init.uniform_(layer.running_var, 0.01, 0.05)
    torch.nn.init.normal_(net.blocks.image[0].bias, std=0.3)
    return net.eval()


@pytest.fixture
def brushes():
    return [
        Brush("tree", torch.tensor([0, 3]), torch.tensor([2.0, 5.0])),
        Brush("<door>", torch.tensor([3, 7, 1]), torch.tensor([1.0, 4.0, 0.5])),
    ]


@pytest.fixture
def noise():
    return torch.randn(3, 5, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def canvas(generator, noise, brushes):
    return Canvas(generator, LAYER, noise, brushes)
