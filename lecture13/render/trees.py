"""Trees: round crowns of several balls, conifers of three tiers, tall poplars."""

import torch
from torch import Tensor

from lecture13.render import palette
from lecture13.render.canvas import Canvas, Patch
from lecture13.render.chance import Chance
from lecture13.render.concepts import REGION
from lecture13.render.palette import Sky
from lecture13.render.shapes import cover, ellipse, ellipse_distance, rectangle


def _patch(canvas: Canvas, images: Tensor, x: Tensor, foot: Tensor, size: Tensor, half: float) -> Patch:
    return canvas.patch(images, x - half * size, foot - 1.06 * size, x + half * size, foot + 0.07 * size)


def _shadow(patch: Patch, x: Tensor, foot: Tensor, size: Tensor, light: Sky) -> None:
    away = x - 0.16 * size * light.sun
    patch.shade(ellipse(patch.x, patch.y, away, foot, 0.30 * size, 0.055 * size, patch.pitch), light.shadow)


def _trunk(patch: Patch, pixels: Chance, x: Tensor, foot: Tensor, size: Tensor, top: float, half: float) -> None:
    cover_trunk = rectangle(
        patch.x, patch.y, x - half * size, foot - top * size, x + half * size, foot + 0.01 * size, patch.pitch
    )
    patch.paint(cover_trunk, pixels.colour("trunk", palette.TRUNKS) * (1 + 0.12 * patch.grain), REGION["trunk"])


def _leaves(pixels: Chance, autumn: Tensor) -> Tensor:
    return torch.where(
        pixels.uniform("autumn") < autumn,
        pixels.colour("autumn leaf", palette.AUTUMN),
        pixels.colour("leaf", palette.SUMMER),
    )


def paint_round(
    canvas: Canvas,
    images: Tensor,
    chance: Chance,
    x: Tensor,
    foot: Tensor,
    size: Tensor,
    far: Tensor,
    light: Sky,
    autumn: Tensor,
) -> None:
    """A broad-leaved tree of height ``size``: five balls for a crown, rough at the rim, lit from the sun's side."""
    patch, pixels = _patch(canvas, images, x, foot, size, 0.52), chance.over_pixels()
    _shadow(patch, x, foot, size, light)
    _trunk(patch, pixels, x, foot, size, 0.5, 0.045)
    crown = None
    for ball, (dx, dy, radius) in enumerate(
        ((0, 0.66, 0.27), (-0.17, 0.55, 0.2), (0.17, 0.55, 0.2), (-0.08, 0.78, 0.18), (0.1, 0.76, 0.17))
    ):
        centre_x = x + (dx + pixels.uniform(f"x{ball}", -0.05, 0.05)) * size
        centre_y = foot - (dy + pixels.uniform(f"y{ball}", -0.04, 0.04)) * size
        r = radius * pixels.uniform(f"r{ball}", 0.8, 1.12) * size
        distance = ellipse_distance(patch.x, patch.y, centre_x, centre_y, r, r)
        crown = distance if crown is None else torch.minimum(crown, distance)
    crown = crown + size * (0.025 * patch.grain + 0.02 * patch.mottle)
    lit = ((patch.x - x) * light.sun - (patch.y - foot + 0.62 * size)) / size  # from −.5, away from the sun, to .5
    colour = _leaves(pixels, autumn) * (1 + 0.55 * lit + 0.16 * patch.grain + 0.10 * patch.mottle)
    patch.paint(cover(crown, patch.pitch), colour, REGION["crown"], far=far)
    patch.done()


def paint_conifer(
    canvas: Canvas,
    images: Tensor,
    chance: Chance,
    x: Tensor,
    foot: Tensor,
    size: Tensor,
    far: Tensor,
    light: Sky,
    autumn: Tensor,
) -> None:
    """A fir of height ``size``: three tiers, each narrowing to its top."""
    patch, pixels = _patch(canvas, images, x, foot, size, 0.42), chance.over_pixels()
    _shadow(patch, x, foot, 0.75 * size, light)
    _trunk(patch, pixels, x, foot, size, 0.2, 0.035)
    height = (foot - patch.y) / size
    tier = ((height - 0.12) / 0.88).clamp(0, 1) * 3
    half = (0.62 * (1 - tier / 3) + 0.38 * (1 - (tier - tier.floor())) * (1 - tier / 4)) * pixels.uniform(
        "spread", 0.2, 0.31
    )
    distance = ((patch.x - x).abs() - half * size + 0.03 * size * patch.grain) * 0.9
    distance = torch.maximum(distance, torch.maximum((0.12 - height) * size, (height - 0.99) * size))
    lit = (patch.x - x) * light.sun / size
    dark = 0.16 * (tier - tier.floor() - 0.6)
    colour = pixels.colour("needle", palette.CONIFERS) * (1 + 1.1 * lit - dark + 0.14 * patch.grain)
    patch.paint(cover(distance, patch.pitch), colour, REGION["crown"], far=far)
    patch.done()


def paint_poplar(
    canvas: Canvas,
    images: Tensor,
    chance: Chance,
    x: Tensor,
    foot: Tensor,
    size: Tensor,
    far: Tensor,
    light: Sky,
    autumn: Tensor,
) -> None:
    """A slender tree of height ``size``."""
    patch, pixels = _patch(canvas, images, x, foot, size, 0.40), chance.over_pixels()
    _shadow(patch, x, foot, 0.6 * size, light)
    _trunk(patch, pixels, x, foot, size, 0.2, 0.03)
    wide = pixels.uniform("wide", 0.12, 0.2) * size
    crown = ellipse_distance(patch.x, patch.y, x, foot - 0.54 * size, wide, 0.44 * size)
    crown = crown + size * (0.02 * patch.grain + 0.015 * patch.mottle)
    lit = (patch.x - x) * light.sun / size
    colour = _leaves(pixels, autumn) * (1 + 1.3 * lit + 0.15 * patch.grain)
    patch.paint(cover(crown, patch.pitch), colour, REGION["crown"], far=far)
    patch.done()
