"""The far end of a scene: the sky, its clouds by thresholded noise, and the hills before it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13.render import palette
from lecture13.render.canvas import Canvas
from lecture13.render.chance import Chance
from lecture13.render.concepts import REGION
from lecture13.render.shapes import cover, ellipse_distance


def noise(chance: Chance, name: str, rows: int, columns: int, side: int) -> Tensor:
    """Value noise: a random (n, rows, columns) lattice in [−1, 1], interpolated smoothly to (n, side, side)."""
    lattice = chance.uniform(name, -1, 1, (rows, columns))
    return F.interpolate(lattice[:, None], size=(side, side), mode="bilinear", align_corners=True)[:, 0]


def paint_sky(canvas: Canvas, chance: Chance, sky: palette.Sky, horizon: Tensor) -> None:
    """Gradient from zenith to ``horizon`` (n, 1, 1), a glow or a disc on the sun's side, and clouds."""
    patch, pixels = canvas.frame(), chance.over_pixels()
    height = (1 - patch.y / horizon).clamp(0, 1)  # 1 at the top of the picture, 0 at the horizon
    sun_x = 0.5 + sky.sun * pixels.uniform("sun x", 0.15, 0.6)
    sun_y = horizon * pixels.uniform("sun y", 0.15, 0.8)
    distance = ellipse_distance(patch.x, patch.y, sun_x, sun_y, 0.045, 0.045)
    glow = 0.22 * torch.exp(-6 * distance.clamp(min=0)) * (sky.shadow > 0.2)
    colour = torch.lerp(sky.horizon, sky.zenith, height.sqrt() * 0.35 + height * 0.65)
    patch.paint(torch.ones_like(patch.grain), (colour + glow * (1.1 - colour)), REGION["sky"], glows=True)
    sun_there = pixels.happens("sun there", 0.25) & (sky.shadow > 0.2)
    patch.paint(
        cover(distance, patch.pitch) * sun_there, sky.horizon * 0.3 + torch.tensor(0.72), REGION["sun"], glows=True
    )

    # Noise in three octaves, stretched sideways; the threshold leaves the wanted share of it.
    side = canvas.side
    field = noise(chance, "cloud 1", 6, 4, side) + 0.55 * noise(chance, "cloud 2", 13, 7, side)
    field = field + 0.30 * noise(chance, "cloud 3", 26, 16, side)
    threshold = 0.85 - 2.0 * sky.clouds
    thickness = ((field - threshold) / 0.32).clamp(0, 1) * (height / 0.2).clamp(0, 1)
    bright = torch.lerp(sky.horizon, torch.ones(3, 1, 1, 1) * 0.98, 0.62) * (0.72 + 0.28 * sky.light)
    under = torch.lerp(bright, sky.zenith * 0.8 + 0.1, 0.38)
    body = ((field - threshold) / 1.1).clamp(0, 1)
    patch.paint(thickness, torch.lerp(bright, under, body), REGION["cloud"], glows=True)
    patch.done()


def ridge(chance: Chance, name: str, x: Tensor, roughness: float) -> Tensor:
    """A skyline: five waves of random phase, (n, 1, w) in about [−1, 1]; rough ones have peaks instead of waves."""
    pixels = chance.over_pixels()
    total = torch.zeros_like(x)
    for wave in range(5):
        cycles = pixels.uniform(f"{name} cycles {wave}", 0.7, 1.3) * (0.8 * 1.8**wave)
        phase = cycles * x + pixels.uniform(f"{name} phase {wave}")
        smooth = torch.sin(2 * torch.pi * phase)
        peaked = 4 * (phase - (phase + 0.5).floor()).abs() - 1
        total = total + torch.lerp(smooth, peaked, roughness) * 0.62**wave
    return total / 1.6


def paint_hills(canvas: Canvas, images: Tensor, chance: Chance, horizon: Tensor, height: Tensor, far: float) -> None:
    """A chain of wooded hills, ``height`` (n, 1, 1) above the horizon, faded by ``far``."""
    patch, pixels = canvas.frame(images), chance.over_pixels()
    top = horizon - height * (0.55 + 0.45 * ridge(chance, "ridge", patch.x, 0.0))
    colour = pixels.colour("hill", palette.HILLS) * (1 + 0.10 * patch.mottle + 0.05 * patch.grain)
    patch.paint(cover(top - patch.y, patch.pitch), colour, REGION["hill"], far=far)
    patch.done()


def paint_mountains(canvas: Canvas, images: Tensor, chance: Chance, horizon: Tensor, height: Tensor) -> None:
    """Peaks with a lit and a dark flank, snow above the snow line."""
    patch, pixels = canvas.frame(images), chance.over_pixels()
    skyline = ridge(chance, "peaks", patch.x, 0.85)
    top = horizon - height * (0.62 + 0.5 * skyline)
    slope = F.pad(skyline[:, :, 1:] - skyline[:, :, :-1], (0, 1), mode="replicate") / patch.pitch
    flank = (slope * torch.where(pixels.happens("lit", 0.5), 0.05, -0.05)).clamp(-0.16, 0.16)
    rock = pixels.colour("rock", palette.ROCKS) * (1 + flank + 0.08 * patch.mottle + 0.05 * patch.grain)
    mountain = cover(top - patch.y, patch.pitch)
    patch.paint(mountain, rock, REGION["mountain"], far=0.35)
    line = horizon - height * pixels.uniform("snow line", 0.62, 0.95) + 0.035 * patch.mottle
    snow = torch.full_like(rock, 0.95) * (1 + flank)
    patch.paint(mountain * cover(patch.y - line, patch.pitch), snow, REGION["snow"], far=0.12)
    patch.done()
