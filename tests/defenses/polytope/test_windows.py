"""Rows as windows give what whole rows give."""

import pytest
import torch
from torch import nn

from lecture13 import models
from lecture13.defenses import polytope
from lecture13.defenses.polytope import radii, windows
from lecture13.defenses.polytope.layers import read
from lecture13.models.normalize import Normalize

NETS = {
    "strided": lambda: [nn.Conv2d(1, 4, 4, 2, 1), nn.ReLU(), nn.Conv2d(4, 5, 4, 2, 1), nn.ReLU()],
    "three": lambda: [
        *(Normalize([0.3], [0.2]), nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(4, 2, 3, stride=2), nn.ReLU()),
    ],
    "odd": lambda: [
        *(nn.Conv2d(1, 4, (3, 2), stride=(2, 1), padding=(0, 1)), nn.ReLU(), nn.AvgPool2d(2, padding=1), nn.ReLU()),
        *(nn.Conv2d(4, 6, 2, groups=2, dilation=(2, 1), padding="same"), nn.ReLU()),
    ],
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("dense", [0, 10**6])
def test_windows_and_whole_rows_agree(name, dense, monkeypatch):
    torch.manual_seed(0)
    network = nn.Sequential(*NETS[name](), nn.Flatten(), nn.LazyLinear(3))
    network(torch.zeros(1, 1, 24, 26))
    network.double()
    images, labels = torch.rand(3, 1, 24, 26, dtype=torch.float64), torch.tensor([0, 1, 2])
    affines = read(network, (1, 24, 26), images)
    assert windows.worth_while(affines[:2]) and not windows.worth_while(affines)
    monkeypatch.setattr(windows, "DENSE", dense)
    found, margins = polytope.bounds(network, images, 0.1), polytope.margins(network, images, labels, 0.1)
    used = torch.autograd.grad(polytope.robust_loss(network, images, labels, 0.1), list(network.parameters()))
    monkeypatch.setattr(radii, "worth_while", lambda affines: False)
    torch.testing.assert_close(polytope.bounds(network, images, 0.1), found)
    torch.testing.assert_close(polytope.margins(network, images, labels, 0.1), margins)
    whole = torch.autograd.grad(polytope.robust_loss(network, images, labels, 0.1), list(network.parameters()))
    torch.testing.assert_close(whole, used)


def test_the_windows_of_the_papers_net():
    images = torch.zeros(1, 1, 28, 28)
    levels = windows.Windows(read(models.small_convnet(), (1, 28, 28), images)[:2], images).levels
    assert [level.size for level in levels] == [(16, 4, 4), (1, 10, 10)]
    assert [level.stride for level in levels] == [(2, 2), (4, 4)]
    assert [level.offset for level in levels] == [(1, 1), (3, 3)]


def test_layers_that_see_most_of_the_map_are_not_cut_into_windows():
    images = torch.zeros(1, 1, 8, 8)
    network = nn.Sequential(nn.Conv2d(1, 2, 5), nn.ReLU(), nn.Conv2d(2, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    assert not windows.worth_while(read(network, (1, 8, 8), images)[:2])
