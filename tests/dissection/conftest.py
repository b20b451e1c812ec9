"""Nets made by hand, whose units are known."""

import pytest
import torch
from torch import nn

#: What the net of hand-made units tells apart, in the order of its units: numbers 1, 2, 3 of a map; 0 is nothing.
NAMES = ("none", "tree", "door", "cloud")


class Detect(nn.Module):
    """Units 0, 1, 2 are 1 where the picture is red, green, blue; unit 3 is always 0; ``draw`` undoes it."""

    def __init__(self):
        super().__init__()
        self.detect = nn.Conv2d(3, 4, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.draw = nn.Conv2d(4, 3, 1, bias=False)
        with torch.no_grad():
            self.detect.weight.copy_(torch.eye(4, 3)[:, :, None, None])
            self.draw.weight.copy_(torch.eye(3, 4)[:, :, None, None])

    def forward(self, images):
        return self.draw(self.relu(self.detect(images)))


class Generator(nn.Module):
    """The same from noise (N, 3·8·8), its pixels."""

    def __init__(self):
        super().__init__()
        self.net = Detect()

    def forward(self, z):
        return self.net(z.view(-1, 3, 8, 8))


def segment(pictures):
    """The colour of each pixel: 1, 2, 3, or 0 for black."""
    value, index = pictures.max(1)
    return torch.where(value > 0.5, index + 1, 0)


def draw(count, seed=0, density=0.05):
    """Maps (N, 8, 8) of numbers 0 … 3 and the pictures (N, 3, 8, 8) they name."""
    chance = torch.Generator().manual_seed(seed)
    maps = torch.randint(1, 4, (count, 8, 8), generator=chance)
    maps *= torch.rand(count, 8, 8, generator=chance) < density
    return maps, nn.functional.one_hot(maps, 4)[..., 1:].movedim(-1, 1).float()


@pytest.fixture
def world():
    """The hand-made nets, and what draws and names their pictures."""
    return {"net": Detect(), "generator": Generator(), "segment": segment, "draw": draw, "names": NAMES}
