"""Cars and sailing boats."""

import torch
from torch import Tensor

from lecture13.render import palette
from lecture13.render.canvas import Canvas
from lecture13.render.chance import Chance
from lecture13.render.concepts import REGION
from lecture13.render.palette import Sky
from lecture13.render.shapes import convex, ellipse, rectangle


def paint_car(
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
    """A car from the side, ``size`` long, its wheels at ``foot``."""
    patch = canvas.patch(images, x - 0.58 * size, foot - 0.5 * size, x + 0.58 * size, foot + 0.08 * size)
    pixels, pitch = chance.over_pixels(), patch.pitch
    heading = torch.where(pixels.happens("left", 0.5), 1.0, -1.0)
    u, v = (patch.x - x) * heading / size, (foot - patch.y) / size  # v up
    step = pitch / size
    patch.shade(
        ellipse(patch.x, patch.y, x - 0.05 * light.sun * size, foot, 0.54 * size, 0.05 * size, pitch),
        light.shadow + 0.15,
    )
    paint = pixels.colour("car", palette.CARS) * (1 + 0.35 * (v - 0.2))
    down = -v  # the shapes' y points down
    high = pixels.uniform("height", 0.40, 0.48)
    body = rectangle(u, down, -0.5, -0.26, 0.5, -0.07, step)
    cabin = convex(u, down, [(-0.36, -0.24), (-0.24, -high), (0.12, -high), (0.28, -0.24)], step)
    patch.paint(torch.maximum(body, cabin), paint, REGION["car body"], far=far)
    glass = convex(u, down, [(-0.29, -0.26), (-0.21, -high + 0.035), (0.09, -high + 0.035), (0.20, -0.26)], step)
    pillar = rectangle(u, down, -0.07, -0.5, -0.03, -0.2, step)
    patch.paint(
        glass * (1 - pillar), pixels.colour("glass", palette.GLASS) + 0.5 * (v - 0.3), REGION["car window"], far=far
    )
    for axle in (-0.30, 0.30):
        patch.paint(ellipse(u, down, axle, -0.09, 0.1, 0.1, step), torch.full((3, 1, 1, 1), 0.11), REGION["wheel"])
        patch.paint(ellipse(u, down, axle, -0.09, 0.045, 0.045, step), torch.full((3, 1, 1, 1), 0.6), REGION["wheel"])
    lamp = rectangle(u, down, 0.46, -0.23, 0.5, -0.17, step)
    patch.paint(lamp, torch.tensor([1.0, 0.93, 0.7]).view(3, 1, 1, 1), REGION["car body"], glows=True)
    patch.done()


def paint_boat(
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
    """A sailing boat, ``size`` high, its hull at ``foot``, with its shadow on the water."""
    patch = canvas.patch(images, x - 0.5 * size, foot - 1.05 * size, x + 0.5 * size, foot + 0.3 * size)
    pixels, pitch = chance.over_pixels(), patch.pitch
    heading = torch.where(pixels.happens("left", 0.5), 1.0, -1.0)
    u, down, step = (patch.x - x) * heading / size, (patch.y - foot) / size, pitch / size
    patch.shade(
        ellipse(u, down, 0.0, 0.06, 0.4, 0.07, step) + 0.5 * ellipse(u, down, -0.02, 0.15, 0.22, 0.14, step), 0.3
    )
    hull = pixels.colour("hull", palette.HULLS)
    patch.paint(
        convex(u, down, [(-0.42, -0.14), (0.44, -0.14), (0.28, 0.02), (-0.32, 0.02)], step),
        hull,
        REGION["hull"],
        far=far,
    )
    patch.paint(
        rectangle(u, down, -0.035, -1.0, 0.015, -0.12, step),
        pixels.colour("mast", palette.TRUNKS),
        REGION["hull"],
        far=far,
    )
    cloth = pixels.colour("sail", palette.SAILS)
    main = convex(u, down, [(-0.06, -0.18), (-0.40, -0.18), (-0.06, -0.98)], step)
    patch.paint(main, cloth * 0.93, REGION["sail"], far=far)
    jib = convex(u, down, [(0.03, -0.9), (0.38, -0.18), (0.03, -0.18)], step)
    patch.paint(jib, cloth, REGION["sail"], far=far)
    patch.done()
