"""Things: a baseball, an espresso, a guitar, a fly agaric."""

import math

import torch
from torch import Tensor

from lecture13.render.solids.paints import Colour, Variation, over, plain, rgb, ripple, scatter
from lecture13.render.solids.parts import Paint, Part, box, ellipsoid, ring, tube


def baseball(vary: Variation) -> list[Part]:
    """A white ball of leather with one long red seam."""
    leather = vary.tone("leather", (0.93, 0.91, 0.86), (0.88, 0.85, 0.76))
    thread = vary.tone("thread", (0.80, 0.10, 0.12), (0.70, 0.14, 0.16))
    t = torch.linspace(0, 2 * math.pi, 401)[:-1]
    b = vary.size("bend", 0.40, 0.48)
    seam = torch.stack(
        [torch.cos(t) + b * torch.cos(3 * t), torch.sin(t) - b * torch.sin(3 * t), 1.3 * torch.sin(2 * t)], 1
    )
    seam = torch.nn.functional.normalize(seam, dim=1)

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        near = torch.cdist(torch.nn.functional.normalize(p, dim=-1).reshape(-1, 3), seam).min(1)
        far, where = near.values.view(p.shape[:-1]), near.indices.view(p.shape[:-1])
        stitch = (far < 0.13) & (torch.frac(where / 8 + far * 1.5) < 0.55) | (far < 0.035)
        return over(plain(leather, grain=0.03)(u, v, p), thread, stitch)

    return [ellipsoid((0, 0, 0), (1, 1, 1), paint, around=28, rows=17)]


def espresso(vary: Variation) -> list[Part]:
    """A small cup of coffee with its crema, on a saucer."""
    china = vary.tone("china", (0.92, 0.92, 0.94), (0.90, 0.86, 0.78), (0.55, 0.65, 0.72))
    crema = vary.tone("crema", (0.56, 0.33, 0.13), (0.45, 0.25, 0.10))
    wide = vary.size("wide", 0.46, 0.54)
    cup = [
        (-0.30, (0.0, 0.0), (0.26, 0.26)),
        (-0.22, (0.0, 0.0), (0.34, 0.34)),
        (0.10, (0.0, 0.0), (0.94 * wide, 0.94 * wide)),
        (0.36, (0.0, 0.0), (wide, wide)),
        (0.36, (0.0, 0.0), (wide - 0.06, wide - 0.06)),
        (0.24, (0.0, 0.0), (wide - 0.08, wide - 0.08)),
    ]
    saucer = [
        (-0.40, (0.0, 0.0), (0.40, 0.40)),
        (-0.34, (0.0, 0.0), (0.70, 0.70)),
        (-0.24, (0.0, 0.0), (0.92, 0.92)),
        (-0.22, (0.0, 0.0), (0.92, 0.92)),
        (-0.30, (0.0, 0.0), (0.60, 0.60)),
        (-0.33, (0.0, 0.0), (0.40, 0.40)),
    ]

    def inside(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        far = p[..., [0, 2]].norm(dim=-1)
        coffee = (far < wide - 0.075) & (p[..., 1] > 0.2)
        foam = rgb(crema) * (1 + 0.25 * ripple(p, 7.0))[..., None]
        foam = over(foam, (0.24, 0.12, 0.05), far > wide - 0.13)
        return torch.where(coffee[..., None], foam, plain(china, grain=0.02)(u, v, p))

    handle = ring(0.19, 0.05, plain(china, grain=0.02)).moved(wide + 0.06, 0.08, 0.0)
    rim = vary.tone("rim", (0.20, 0.30, 0.55), (0.60, 0.20, 0.18), (0.30, 0.30, 0.30))

    def plate(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        return over(plain(china, grain=0.02)(u, v, p), rim, p[..., [0, 2]].norm(dim=-1) > 0.84)

    return [
        tube("y", cup, inside, around=22, detail=1.5),
        tube("y", saucer, plate, around=26),
        handle,
    ]


def guitar(vary: Variation) -> list[Part]:
    """An acoustic guitar: a waisted body with a sound hole, a neck with frets, a head with pegs."""
    wood = vary.tone("wood", (0.83, 0.56, 0.25), (0.62, 0.28, 0.13), (0.87, 0.68, 0.38))
    dark = (0.20, 0.11, 0.06)
    waist = vary.size("waist", 0.25, 0.31)
    body = [
        (-1.0, (0.0, 0.0), (0.0, 0.0)),
        (-0.97, (0.0, 0.0), (0.13, 0.20)),
        (-0.80, (0.0, 0.0), (0.14, 0.40)),
        (-0.60, (0.0, 0.0), (0.14, 0.42)),
        (-0.34, (0.0, 0.0), (0.14, waist)),
        (-0.08, (0.0, 0.0), (0.14, 0.31)),
        (0.05, (0.0, 0.0), (0.13, 0.16)),
        (0.07, (0.0, 0.0), (0.0, 0.0)),
    ]
    return [
        tube("y", body, _top(wood, dark), around=24, rows=18, power=5.0, detail=1.2),
        box((-0.05, 0.0, 0.08), (0.05, 0.86, 0.15), _frets(dark), detail=1.5),
        box((-0.085, 0.84, 0.06), (0.085, 1.10, 0.12), plain(wood)),
        box((-0.17, -0.70, 0.13), (0.17, -0.64, 0.17), plain(dark)),
        *(
            ellipsoid((side * 0.11, y, 0.09), (0.045, 0.03, 0.03), plain((0.85, 0.82, 0.75)), around=6, rows=4)
            for y in (0.90, 0.97, 1.04)
            for side in (-1, 1)
        ),
    ]


def _top(wood: Colour, dark: Colour) -> Paint:
    """A pale top with a hole and a rosette; darker sides and back."""

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        x, y, z = p.unbind(-1)
        grain = rgb(wood) * (1 + 0.10 * torch.sin(70 * x + ripple(p, 2.0)))[..., None]
        skin = torch.where((z > 0.11)[..., None], grain, 0.55 * grain)
        far = (x.square() + (y + 0.27).square()).sqrt()
        skin = over(skin, dark, (z > 0.11) & (far < 0.17))
        return over(skin, (0.04, 0.03, 0.03), (z > 0.11) & (far < 0.13))

    return paint


def _frets(dark: Colour) -> Paint:
    return lambda u, v, p: over(
        plain(dark)(u, v, p), (0.80, 0.78, 0.70), (p[..., 2] > 0.14) & (torch.frac(p[..., 1] * 11) < 0.22)
    )


def mushroom(vary: Variation) -> list[Part]:
    """A fly agaric: a red cap with white warts, pale gills, a white stem with a skirt."""
    red = vary.tone("red", (0.80, 0.10, 0.06), (0.85, 0.30, 0.08), (0.65, 0.08, 0.10))
    ivory = vary.tone("ivory", (0.93, 0.90, 0.80), (0.88, 0.82, 0.68))
    high = vary.size("high", 0.32, 0.52)
    cap = [
        (0.22, (0.0, 0.0), (0.10, 0.10)),
        (0.12, (0.0, 0.0), (0.76, 0.76)),
        (0.18, (0.0, 0.0), (0.82, 0.82)),
        (0.30, (0.0, 0.0), (0.72, 0.72)),
        (0.12 + high, (0.0, 0.0), (0.40, 0.40)),
        (0.18 + high, (0.0, 0.0), (0.0, 0.0)),
    ]
    warts = scatter(26, (-0.8, -0.8), (0.8, 0.8), seed=2)

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        near = torch.cdist(p[..., [0, 2]].reshape(-1, 2), warts)
        size = 0.05 + 0.05 * torch.frac(torch.arange(len(warts)) * 0.618)
        spot = (near < size).any(1).view(p.shape[:-1])
        top = over(plain(red)(u, v, p), ivory, spot)
        gills = rgb(ivory) * (0.85 + 0.15 * torch.cos(48 * 2 * math.pi * u))[..., None]
        under = (v < 0.5) & (p[..., 1] < 0.155)
        return torch.where(under[..., None], gills, top)

    stem = [
        (-0.92, (0.0, 0.0), (0.20, 0.20)),
        (-0.80, (0.0, 0.0), (0.26, 0.26)),
        (-0.60, (0.0, 0.0), (0.17, 0.17)),
        (0.22, (0.0, 0.0), (0.13, 0.13)),
    ]
    skirt = [(-0.16, (0.0, 0.0), (0.27, 0.27)), (-0.02, (0.0, 0.0), (0.14, 0.14))]
    return [
        tube("y", cap, paint, around=26, rows=16, detail=1.2),
        tube("y", stem, plain(ivory, grain=0.1), around=14, rows=8),
        tube("y", skirt, plain(ivory, grain=0.1), around=16),
    ]
