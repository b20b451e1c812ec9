"""What stands behind a solid: a part of a scene, smooth noise, or one colour that fades into another."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13.render import scenes
from lecture13.render.chance import Chance
from lecture13.render.solids.poses import BACKGROUNDS, Shots


def backgrounds(shots: Shots, size: int) -> Tensor:
    """One for each shot, float32 (N, 3, size, size) in [0, 1]: a function of the shot's key and kind alone."""
    images = torch.empty(len(shots), 3, size, size)
    for kind, paint in enumerate((_scenes, _noise, _colours)):
        chosen = (shots.background == kind).nonzero()[:, 0]
        if len(chosen):
            images[chosen] = paint(Chance(shots.keys[chosen]).fork(BACKGROUNDS[kind]), size)
    return images


@cache
def scene_pool() -> Tensor:
    """(128, 3, 48, 48); a part of one is enlarged, so it lies out of focus."""
    return scenes.draw(128, size=48, seed=2**32 - 2).images


def _scenes(chance: Chance, size: int) -> Tensor:
    zoom = chance.uniform("zoom", 0.4, 1.0)
    mirror = torch.where(chance.happens("mirror", 0.5), 1.0, -1.0)
    look = [(1 - zoom) * chance.uniform(name, -1, 1) for name in ("look x", "look y")]
    zero = torch.zeros_like(zoom)
    place = torch.stack([torch.stack([zoom * mirror, zero, look[0]], 1), torch.stack([zero, zoom, look[1]], 1)], 1)
    grid = F.affine_grid(place, [len(chance), 3, size, size], align_corners=False)
    chosen = scene_pool()[chance.whole("scene", 0, len(scene_pool()) - 1)]
    return F.grid_sample(chosen, grid, padding_mode="border", align_corners=False)


def _noise(chance: Chance, size: int) -> Tensor:
    """Three layers, each twice as fine as the one before and half as strong, around a colour."""
    image = chance.uniform("colour", 0.1, 0.9, (3,))[:, :, None, None].expand(-1, 3, size, size)
    for cells in (4, 8, 16):
        layer = chance.uniform(f"noise {cells}", -1, 1, (3, cells, cells)) * (1.4 / cells)
        image = image + F.interpolate(layer, size=(size, size), mode="bilinear", align_corners=False)
    return image.clamp(0, 1)


def _colours(chance: Chance, size: int) -> Tensor:
    """The paper's: from (.1, .1, .1) to (1, 1, 1)."""
    ends = chance.uniform("colours", 0.1, 1.0, (2, 3))
    turn = chance.uniform("turn", -3.1416, 3.1416)[:, None, None]
    steps = (torch.arange(size) + 0.5) / size - 0.5
    along = (0.5 + steps * turn.cos() + steps[:, None] * turn.sin()).clamp(0, 1)
    fade = along[:, None] * chance.happens("fades", 0.5)[:, None, None, None]
    return torch.lerp(ends[:, 0, :, None, None], ends[:, 1, :, None, None], fade)
