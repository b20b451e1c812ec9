"""Machines: a rifle, an aeroplane, a car. All point towards +x."""

import torch
from torch import Tensor

from lecture13.render.solids.paints import Colour, Variation, over, plain, rgb, ripple
from lecture13.render.solids.parts import Paint, Part, box, tube


def rifle(vary: Variation) -> list[Part]:
    """An assault rifle: wooden stock, handguard and grip, black steel, a curved magazine, a scope."""
    wood = vary.tone("wood", (0.52, 0.29, 0.12), (0.42, 0.22, 0.10), (0.60, 0.38, 0.19))
    steel, grain = plain(vary.tone("steel", (0.16, 0.16, 0.18), (0.24, 0.25, 0.27))), _wood(wood)
    long, drop = vary.size("barrel", 0.92, 1.08), vary.size("drop", 0.10, 0.2)
    stock = [
        (-1.02, (-0.10 - drop, 0.0), (0.17, 0.055)),
        (-0.90, (-0.08 - drop, 0.0), (0.165, 0.060)),
        (-0.50, (-0.04, 0.0), (0.085, 0.055)),
        (-0.36, (0.0, 0.0), (0.085, 0.055)),
    ]
    magazine = [
        (-0.50, (0.0, 0.24), (0.050, 0.085)),
        (-0.36, (0.0, 0.15), (0.052, 0.085)),
        (-0.22, (0.0, 0.09), (0.054, 0.085)),
        (0.0, (0.0, 0.06), (0.054, 0.085)),
    ]
    return [
        tube("x", stock, grain, around=12, rows=7, power=4.0),
        box((-0.38, -0.10, -0.065), (0.24, 0.10, 0.065), steel, detail=1.3),
        box((-0.30, 0.10, -0.045), (0.16, 0.15, 0.045), steel),
        tube("x", [(0.22, (0, 0), (0.075, 0.07)), (0.58, (0, 0), (0.062, 0.06))], grain, power=4.0, detail=1.3),
        tube("x", [(0.5, (0.01, 0), (0.042, 0.042)), (long, (0.01, 0), (0.038, 0.038))], steel, around=10),
        tube("x", [(long - 0.14, (0.01, 0), (0.058, 0.058)), (long, (0.01, 0), (0.058, 0.058))], steel, around=10),
        box((long - 0.22, 0.03, -0.018), (long - 0.16, 0.15, 0.018), steel),
        tube("y", magazine, steel, around=12, rows=8, power=4.0, detail=1.3),
        tube("y", [(-0.36, (0, -0.36), (0.048, 0.07)), (-0.05, (0, -0.24), (0.05, 0.075))], grain, power=4.0),
        tube(
            "x",
            [
                (-0.32, (0.23, 0), (0.068, 0.068)),
                (-0.20, (0.23, 0), (0.05, 0.05)),
                (0.10, (0.23, 0), (0.05, 0.05)),
                (0.22, (0.23, 0), (0.08, 0.08)),
            ],
            _lens(steel),
            around=12,
        ),
    ]


def _wood(colour: Colour) -> Paint:
    """Grain along x and y."""

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        rings = torch.sin(40 * p[..., 1] + 14 * p[..., 2] + 3 * ripple(p, 3.0))
        return rgb(colour) * (1 + 0.18 * rings)[..., None]

    return paint


def _lens(body: Paint) -> Paint:
    """Glass at both flat ends of a tube along x."""
    return lambda u, v, p: over(body(u, v, p), (0.45, 0.55, 0.75), (p[..., 0] < -0.315) | (p[..., 0] > 0.215))


def aeroplane(vary: Variation) -> list[Part]:
    """An airliner: white, with a stripe and windows, swept wings, two engines, a coloured tail."""
    paint = vary.tone("livery", (0.10, 0.25, 0.65), (0.75, 0.12, 0.15), (0.05, 0.45, 0.40), (0.85, 0.50, 0.10))
    grey, white = plain((0.68, 0.70, 0.73)), (0.93, 0.94, 0.95)
    span, thick = vary.size("span", 0.88, 1.02), vary.size("thick", 0.125, 0.155)
    body = [
        (-1.0, (0.07, 0.0), (0.0, 0.0)),
        (-0.75, (0.04, 0.0), (0.55 * thick, 0.5 * thick)),
        (-0.4, (0.0, 0.0), (thick, thick)),
        (0.6, (0.0, 0.0), (thick, thick)),
        (0.85, (-0.02, 0.0), (0.75 * thick, 0.75 * thick)),
        (1.0, (-0.04, 0.0), (0.0, 0.0)),
    ]
    wing = [
        (0.0, (0.12, -0.06), (0.20, 0.035)),
        (0.4, (-0.08, -0.04), (0.13, 0.022)),
        (span, (-0.38, 0.0), (0.06, 0.012)),
    ]
    plane = [(0.0, (-0.80, 0.06), (0.12, 0.02)), (0.36, (-0.95, 0.07), (0.06, 0.01))]
    fin = [(0.05, (0.0, -0.78), (0.025, 0.16)), (0.42, (0.0, -0.96), (0.012, 0.08))]
    engine = tube("x", [(0.0, (0, 0), (0.06, 0.06)), (0.26, (0, 0), (0.075, 0.075))], _engine(paint), around=10)
    wings = [tube("z", wing, grey, around=10, rows=6), tube("z", plane, plain(paint), around=8)]
    return [
        tube("x", body, _fuselage(white, paint, thick), around=16, rows=16, detail=2.0),
        *wings,
        *(each.mirrored() for each in wings),
        tube("y", fin, plain(paint), around=8, detail=1.5),
        engine.moved(0.0, -0.14, 0.36),
        engine.moved(0.0, -0.14, -0.36),
    ]


def _fuselage(white: Colour, colour: Colour, thick: float) -> Paint:
    """Windows in a row, a stripe below them, the cockpit's glass, the tail in colour."""

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        x, y, _ = p.unbind(-1)
        skin = over(rgb(white).expand_as(p), colour, (y > -0.055) & (y < -0.005) | (x < -0.66))
        windows = ((y - 0.035).abs() < 0.018) & (x.abs() < 0.66) & (torch.frac(x * 11 + 20) < 0.55)
        return over(skin, (0.10, 0.12, 0.18), windows | ((x > 0.80) & (x < 0.90) & (y > 0.25 * thick)))

    return paint


def _engine(colour: Colour) -> Paint:
    return lambda u, v, p: over(plain(colour)(u, v, p), (0.08, 0.08, 0.09), (p[..., 0] > 0.25) | (p[..., 0] < 0.005))


def car(vary: Variation) -> list[Part]:
    """A small car: body, cabin with windows, four wheels, lamps."""
    paint = vary.tone("paint", (0.78, 0.10, 0.10), (0.12, 0.30, 0.70), (0.15, 0.50, 0.25), (0.90, 0.88, 0.85))
    high = vary.size("high", 0.46, 0.56)
    body = [
        (-0.98, (-0.06, 0.0), (0.10, 0.34)),
        (-0.92, (-0.02, 0.0), (0.19, 0.40)),
        (-0.4, (0.0, 0.0), (0.22, 0.42)),
        (0.4, (0.0, 0.0), (0.21, 0.42)),
        (0.88, (-0.05, 0.0), (0.16, 0.40)),
        (0.98, (-0.08, 0.0), (0.09, 0.34)),
    ]
    cabin = [
        (0.15, (0.0, -0.18), (0.40, 0.62)),
        (0.22, (0.0, -0.18), (0.39, 0.60)),
        (high, (0.0, -0.22), (0.31, 0.38)),
        (high + 0.02, (0.0, -0.22), (0.26, 0.32)),
    ]
    wheel = tube("z", [(-0.06, (0, 0), (0.19, 0.19)), (0.06, (0, 0), (0.19, 0.19))], _wheel, around=14)
    return [
        tube("x", body, _bodywork(paint), around=20, rows=12, power=5.0, detail=1.2),
        tube("y", cabin, _windows(paint, high), around=20, power=5.0, detail=1.3),
        *(wheel.moved(x, -0.20, z) for x in (-0.60, 0.58) for z in (-0.39, 0.39)),
    ]


def _bodywork(colour: Colour) -> Paint:
    """Paint, a dark sill, headlamps in front, red lamps behind, a grille."""

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        x, y, z = p.unbind(-1)
        skin = over(plain(colour, grain=0.02)(u, v, p), (0.12, 0.12, 0.13), y < -0.16)
        lamps = (z.abs() > 0.20) & (z.abs() < 0.38) & (y > -0.08) & (y < 0.06)
        skin = over(skin, (0.98, 0.96, 0.80), lamps & (x > 0.86))
        skin = over(skin, (0.95, 0.20, 0.10), lamps & (x < -0.90))
        return over(skin, (0.10, 0.10, 0.11), (x > 0.90) & (z.abs() < 0.17) & (y < 0.0))

    return paint


def _windows(colour: Colour, high: float) -> Paint:
    """Dark glass on all sides, with pillars between."""

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        x, y, z = p.unbind(-1)
        pillar = (z.abs() > 0.29) & (((x + 0.18).abs() < 0.03) | ((x + 0.2).abs() > 0.46))
        glass = (y > 0.235) & (y < high - 0.03) & ~pillar
        return over(plain(colour, grain=0.02)(u, v, p), (0.16, 0.22, 0.28), glass)

    return paint


def _wheel(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
    far = p[..., :2].norm(dim=-1)
    rubber = rgb((0.07, 0.07, 0.08)).expand_as(p)
    return over(rubber, (0.75, 0.76, 0.78), (far < 0.11) & (far > 0.03))
