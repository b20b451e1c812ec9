"""A scene from far to near: sky, hills, ground, the far shore, water, roads, and what stands before them."""

from collections.abc import Callable

import torch
from torch import Tensor

from lecture13.render import ground, placement, sky
from lecture13.render.canvas import SAMPLES, Canvas
from lecture13.render.chance import Chance
from lecture13.render.layouts import Plan
from lecture13.render.palette import Sky
from lecture13.render.placement import place


def _paint_where(there: Tensor, paint: Callable, canvas: Canvas, chance: Chance, *values: Tensor | float) -> None:
    """``paint(canvas, images, chance, *values)`` where ``there`` (n,), if anywhere; values (n,) as (m, 1, 1)."""
    images = there.nonzero()[:, 0]
    if len(images):
        chosen = (value[images][:, None, None] if isinstance(value, Tensor) else value for value in values)
        paint(canvas, images, chance[images], *chosen)


def paint(chance: Chance, labels: Tensor, size: int) -> Canvas:
    """Paint n scenes of the given classes (n,): each a function of its key, its class and ``size`` (pixels)."""
    plan, light = Plan(labels), Sky.draw(chance)
    canvas = _blank(chance, light, len(labels), size)
    level = plan.draw(chance, "horizon")
    horizon = level[:, None, None]
    autumn = torch.where(chance.happens("autumn", 0.22), 0.8, 0.04)[:, None, None]

    sky.paint_sky(canvas, chance.fork("sky"), light, horizon)
    _paint_heights(canvas, chance, plan, level)
    ground.paint_ground(canvas, chance.fork("ground"), horizon, chance.pick("ground", plan["ground"]))
    _paint_where(plan.happens(chance, "fields"), ground.paint_fields, canvas, chance.fork("fields"), level)

    on_horizon = torch.tensor([0.0, 0.03]).expand(len(labels), 2)
    far_trees = place(chance, plan, "far_tree", level, level, at=on_horizon)
    far_trees.far = far_trees.far + 0.08
    far_houses = place(chance, plan, "far_house", level, level, at=on_horizon)
    placement.paint(canvas, placement.join(far_trees, far_houses), light, autumn)

    wet = plan.happens(chance, "water")
    sea = wet & plan.happens(chance, "sea")
    top = torch.where(sea, level, level + plan.draw(chance, "water_from") * (1 - level))
    bottom = top + plan.draw(chance, "water_to") * (1 - top)
    _paint_where(wet, ground.paint_water, canvas, chance.fork("water"), top, bottom, sea)
    shore = torch.where(wet, bottom + 0.04, level)  # nothing but boats stands in water

    kerb, end, street = _paint_roads(canvas, chance, plan, level, wet)
    houses = place(chance, plan, "house", level, shore, row=0.65)
    doorstep = plan.happens(chance, "doorstep") & (houses.kind[:, 0] >= 0)
    first = houses.x[:, 0], houses.foot[:, 0], 0.07 * houses.size[:, 0]
    _paint_where(doorstep, ground.paint_doorstep, canvas, chance.fork("doorstep"), *first)

    trees = place(chance, plan, "tree", level, shore)
    blocks = place(chance, plan, "block", level, shore, row=0.5)
    cars = place(chance, plan, "car", level, shore)
    lane = kerb + chance.uniform("lane", 0.25, 0.95) * (end - kerb)
    cars.foot = torch.where(street[:, None], lane[:, None], cars.foot)
    afloat = torch.stack([0.15 + 0 * top, 0.65 + 0 * top], 1)
    boats = place(chance, plan, "boat", level, level, at=afloat)
    boats.foot = top[:, None] + (boats.foot - level[:, None]) / (1 - level[:, None]) * (bottom - top)[:, None]
    placement.paint(canvas, placement.join(trees, houses, blocks, cars, boats), light, autumn)
    return canvas


def _blank(chance: Chance, light: Sky, n: int, size: int) -> Canvas:
    side = SAMPLES * size
    grain = sky.noise(chance, "grain", 64, 64, side)
    mottle = 0.6 * (sky.noise(chance, "coarse mottle", 17, 17, side) + sky.noise(chance, "mottle", 33, 33, side))
    return Canvas(n, size, light.light, light.horizon, grain, mottle)


def _paint_heights(canvas: Canvas, chance: Chance, plan: Plan, level: Tensor) -> None:
    """Mountains, and before them two chains of hills."""
    mountains, height = plan.happens(chance, "mountains"), chance.uniform("mountain height", 0.14, 0.30)
    _paint_where(mountains, sky.paint_mountains, canvas, chance.fork("mountains"), level, height)
    hills = plan.happens(chance, "hills")
    for chain, (low, high, far) in {"far hills": (0.08, 0.18, 0.55), "near hills": (0.03, 0.11, 0.28)}.items():
        there, height = hills & chance.happens(chain, 0.75), chance.uniform(f"{chain} height", low, high)
        _paint_where(there, sky.paint_hills, canvas, chance.fork(chain), level, height, far)


def _paint_roads(
    canvas: Canvas, chance: Chance, plan: Plan, level: Tensor, wet: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """A road to the horizon or one across the picture: the latter's upper and lower edge (n,), and where it is."""
    street = plan.happens(chance, "street") & ~wet
    road = plan.happens(chance, "road") & ~wet & ~street
    width, paved = plan.draw(chance, "road_width"), plan.happens(chance, "paved")
    _paint_where(road, ground.paint_road, canvas, chance.fork("road"), level, width, paved)
    kerb = level + chance.uniform("street top", 0.42, 0.55) * (1 - level)
    end = kerb + chance.uniform("street width", 0.13, 0.20)
    _paint_where(street, ground.paint_street, canvas, chance.fork("street"), kerb, end)
    return kerb, end, street
