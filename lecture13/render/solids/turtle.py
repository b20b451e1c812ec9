"""The sea turtle: a domed shell of scutes, a beaked head, four flippers, a pale belly. It swims towards +x."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from lecture13.render.solids.paints import Variation, cells, over, plain, rgb, ripple, scales
from lecture13.render.solids.parts import Paint, Part, ellipsoid, tube


def turtle(vary: Variation) -> list[Part]:
    """A loggerhead, of length 2 or so."""
    skin = vary.tone("skin", (0.83, 0.71, 0.45), (0.75, 0.72, 0.50), (0.86, 0.74, 0.54))
    scale = vary.tone("scale", (0.42, 0.27, 0.14), (0.33, 0.31, 0.17), (0.36, 0.28, 0.22))
    leather = scales(skin, scale, 0.11)
    wide, sweep = vary.size("wide", 0.54, 0.62), vary.size("sweep", 0.15, 0.5)
    head = [
        ellipsoid((1.02, 0.03, 0.0), (0.25, 0.17, 0.18), _face(skin, scale), axis="x", around=14, detail=2.5),
        tube("x", [(0.55, (0.0, 0.0), (0.15, 0.19)), (0.95, (0.02, 0.0), (0.11, 0.13))], leather, around=10),
        *(
            ellipsoid((1.11, 0.09, side * 0.135), (0.045, 0.045, 0.035), plain((0.03, 0.03, 0.03)), around=8, rows=5)
            for side in (-1, 1)
        ),
    ]
    front = tube(
        "z",
        [
            (0.35, (0.50, -0.03), (0.17, 0.075)),
            (0.65, (0.52 - 0.2 * sweep, -0.05), (0.19, 0.060)),
            (0.95, (0.42 - 0.7 * sweep, -0.09), (0.15, 0.040)),
            (1.20, (0.20 - 1.1 * sweep, -0.13), (0.07, 0.025)),
            (1.28, (0.10 - 1.2 * sweep, -0.14), (0.0, 0.0)),
        ],
        leather,
        around=10,
        rows=10,
        detail=1.5,
    )
    back = tube(
        "z",
        [
            (0.22, (-0.58, -0.03), (0.12, 0.055)),
            (0.45, (-0.72, -0.06), (0.15, 0.045)),
            (0.66, (-0.88, -0.09), (0.10, 0.025)),
            (0.72, (-0.93, -0.10), (0.0, 0.0)),
        ],
        leather,
        around=10,
        rows=7,
        detail=1.5,
    )
    tail = tube("x", [(-1.0, (-0.07, 0), (0, 0)), (-0.7, (-0.03, 0), (0.05, 0.07))], leather, around=8)
    return [_shell(vary, wide), *head, front, front.mirrored(), back, back.mirrored(), tail]


def _shell(vary: Variation, wide: float) -> Part:
    """Broad in front and pointed behind, domed above and flat below, with a rim."""
    outline = [
        (-0.86, 0.0),
        (-0.78, 0.30),
        (-0.55, 0.62),
        (-0.2, 0.90),
        (0.2, 1.0),
        (0.5, 0.90),
        (0.68, 0.60),
        (0.76, 0),
    ]
    stations = [(x, (0.0, 0.0), (0.42 * half**0.7, wide * half)) for x, half in outline]
    part = tube("x", stations, _scutes(vary, wide), around=28, rows=20, detail=1.3)
    x, y, z = part.points.unbind(2)
    return replace(part, points=torch.stack([x, torch.where(y < 0, 0.4 * y, y), z], 2))


def _scutes(vary: Variation, wide: float) -> Paint:
    """Five scutes along the spine, four on either side, a row of small ones along the rim; a pale belly in plates."""
    shell = vary.tone("shell", (0.50, 0.25, 0.10), (0.36, 0.30, 0.13), (0.42, 0.22, 0.15))
    seam = vary.tone("seam", (0.90, 0.74, 0.42), (0.80, 0.76, 0.48))
    belly = vary.tone("belly", (0.93, 0.84, 0.58), (0.92, 0.88, 0.72))
    spine = [(x, 0.0) for x in (-0.66, -0.36, -0.06, 0.25, 0.55)]
    sides = [(x, s * wide * 0.58) for x in (-0.50, -0.22, 0.10, 0.42) for s in (-1, 1)]
    turns = [2 * math.pi * (i + 0.5) / 24 for i in range(24)]
    rim = [(-0.04 + 0.80 * math.cos(t), wide * 0.98 * math.sin(t) * (1 + 0.15 * math.cos(t))) for t in turns]
    middles = torch.tensor(spine + sides + rim)

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        ground = p[..., [0, 2]]
        which, gap = cells(ground, middles)
        out = ground - middles[which]
        rays = torch.cos(9 * torch.atan2(out[..., 1], out[..., 0]) + which) * (out.norm(dim=-1) * 6).clamp(0, 1)
        shade = 1 + 0.35 * rays + 0.2 * ripple(p, 12.0) + 0.25 * (torch.frac(which * 0.618) - 0.5)
        above = over(rgb(shell) * shade[..., None], seam, (1.6 - gap / 0.016).clamp(0, 1))
        plate = (torch.frac(p[..., 0] * 3.2 + 0.4) - 0.5).abs() > 0.44
        below = over(rgb(belly).expand_as(p), rgb(belly) * 0.72, plate | (p[..., 2].abs() < 0.025))
        return torch.where((p[..., 1] < -0.035)[..., None], below, above)

    return paint


def _face(skin: tuple, scale: tuple) -> Paint:
    """Dark scales on the crown, pale cheeks, a horny beak."""
    crown = scales(skin, scale, 0.10, seed=3)

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        face = over(rgb(skin).expand_as(p), crown(u, v, p), p[..., 1] > 0.05)
        beak = over(face, (0.62, 0.50, 0.30), (p[..., 0] > 1.19) & (p[..., 1] < 0.10))
        return over(beak, (0.25, 0.17, 0.10), (p[..., 1] < 0.0) & (p[..., 1] > -0.03) & (p[..., 0] > 1.05))

    return paint
