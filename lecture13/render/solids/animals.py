"""Animals besides the turtle: a rubber duck and a clownfish. Both look towards +x."""

import torch
from torch import Tensor

from lecture13.render.solids.paints import Colour, Variation, over, plain, rgb, ripple
from lecture13.render.solids.parts import Paint, Part, ellipsoid, tube


def duck(vary: Variation) -> list[Part]:
    """A rubber duck."""
    yellow = vary.tone("yellow", (0.98, 0.80, 0.10), (0.95, 0.72, 0.12), (0.98, 0.88, 0.35))
    orange = vary.tone("orange", (0.93, 0.42, 0.06), (0.85, 0.25, 0.08))
    head = vary.size("head", 0.34, 0.40)
    bill, eye, black = 0.34 + 0.95 * head, 0.34 + 0.72 * head, plain((0.04, 0.04, 0.05))
    body = [
        (-0.92, (0.28, 0.0), (0.0, 0.0)),
        (-0.80, (0.16, 0.0), (0.10, 0.16)),
        (-0.55, (-0.02, 0.0), (0.30, 0.38)),
        (-0.1, (-0.10, 0.0), (0.42, 0.52)),
        (0.35, (-0.08, 0.0), (0.38, 0.44)),
        (0.60, (-0.02, 0.0), (0.20, 0.24)),
        (0.66, (0.0, 0.0), (0.0, 0.0)),
    ]
    skin = plain(yellow, grain=0.03)
    wing = ellipsoid((-0.15, -0.02, 0.46), (0.36, 0.18, 0.10), _wing(yellow), axis="x", around=10, rows=8)
    return [
        tube("x", body, skin, around=18, rows=16),
        ellipsoid((0.34, 0.56, 0.0), (head, head, head), skin, around=18, rows=11),
        ellipsoid((bill, 0.50, 0.0), (0.22, 0.075, 0.18), _bill(orange), axis="x", around=12, rows=7, detail=2),
        wing,
        wing.mirrored(),
        *(
            ellipsoid((eye, 0.56 + 0.38 * head, s * 0.52 * head), (0.07, 0.085, 0.07), black, around=8, rows=5)
            for s in (-1, 1)
        ),
    ]


def _wing(yellow: Colour) -> Paint:
    return lambda u, v, p: rgb(yellow) * (0.86 + 0.10 * torch.cos(28 * p[..., 0] + 30 * p[..., 1].abs()))[..., None]


def _bill(orange: Colour) -> Paint:
    return lambda u, v, p: over(plain(orange)(u, v, p), (0.45, 0.15, 0.04), (p[..., 1] - 0.5).abs() < 0.012)


def fish(vary: Variation) -> list[Part]:
    """A clownfish: orange, three white bands edged with black, black-edged fins."""
    orange = vary.tone("orange", (0.95, 0.42, 0.05), (0.90, 0.30, 0.06), (0.96, 0.55, 0.12))
    deep = vary.size("deep", 0.36, 0.44)
    body = [
        (-0.70, (0.0, 0.0), (0.10, 0.04)),
        (-0.45, (0.0, 0.0), (0.17, 0.09)),
        (-0.1, (0.0, 0.0), (0.92 * deep, 0.18)),
        (0.3, (0.0, 0.0), (deep, 0.22)),
        (0.7, (0.0, 0.0), (0.70 * deep, 0.19)),
        (0.92, (-0.02, 0.0), (0.25 * deep, 0.09)),
        (0.98, (-0.03, 0.0), (0.0, 0.0)),
    ]
    fin = _fin(orange)
    tail = [
        (-1.06, (0.0, 0.0), (0.24, 0.012)),
        (-0.95, (0.0, 0.0), (0.26, 0.02)),
        (-0.78, (0.0, 0.0), (0.15, 0.03)),
        (-0.66, (0.0, 0.0), (0.09, 0.04)),
    ]
    back = [
        (0.22, (0.0, 0.10), (0.035, 0.50)),
        (0.45, (0.0, -0.02), (0.025, 0.42)),
        (0.52, (0.0, -0.06), (0.012, 0.34)),
    ]
    under = [(-0.50, (0.0, -0.28), (0.012, 0.12)), (-0.20, (0.0, -0.10), (0.03, 0.2))]
    side = tube(
        "x", [(0.0, (0, 0), (0.15, 0.012)), (0.1, (0, 0), (0.17, 0.02)), (0.32, (0, 0), (0.05, 0.02))], fin, around=8
    )
    side = side.turned(y=-28).moved(-0.02, -0.06, 0.30)
    eye = ellipsoid((0.70, 0.08, 0.165), (0.06, 0.06, 0.035), plain((0.03, 0.03, 0.03)), around=8, rows=5)
    return [
        tube("x", body, _bands(orange), around=18, rows=18, detail=1.5),
        tube("x", tail, fin, around=10),
        tube("y", back, fin, around=10),
        tube("y", under, fin, around=8),
        side,
        side.mirrored(),
        eye,
        eye.mirrored(),
    ]


def _bands(orange: Colour) -> Paint:
    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        bend = p[..., 0] + 0.12 * torch.cos(5 * p[..., 1]) - 0.12
        skin = rgb(orange) * (1 + 0.10 * ripple(p, 6.0))[..., None]
        for middle, half in ((0.44, 0.075), (-0.02, 0.105), (-0.56, 0.06)):
            far = (bend - middle).abs()
            skin = over(skin, (0.05, 0.04, 0.04), far < half + 0.04)
            skin = over(skin, (0.96, 0.96, 0.94), far < half)
        return skin

    return paint


def _fin(orange: Colour) -> Paint:
    """Black towards its outer edge, with rays."""

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        rays = rgb(orange) * (0.92 + 0.12 * torch.cos(45 * (p[..., 0] + 0.5 * p[..., 1])))[..., None]
        return over(rays, (0.06, 0.05, 0.05), (v < 0.12) | (p[..., 1] > 0.47))

    return paint
