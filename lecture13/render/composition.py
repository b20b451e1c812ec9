"""A scene from far to near: sky, hills, ground, the far shore, water, roads, and what stands before them."""

import torch
from torch import Tensor

from lecture13.render import ground, placement, sky
from lecture13.render.canvas import SAMPLES, Canvas
from lecture13.render.chance import Chance
from lecture13.render.layouts import Plan
from lecture13.render.palette import Sky
from lecture13.render.placement import place


def _where(there: Tensor) -> Tensor:
    return there.nonzero()[:, 0]


def paint(chance: Chance, labels: Tensor, size: int) -> Canvas:
    """Paint n scenes of the given classes (n,): each a function of its key, its class and ``size`` (pixels)."""
    plan, light = Plan(labels), Sky.draw(chance)
    canvas = _blank(chance, light, len(labels), size)
    level = plan.draw(chance, "horizon")
    horizon = level[:, None, None]
    autumn = torch.where(chance.happens("autumn", 0.22), 0.8, 0.04)[:, None, None]

    sky.paint_sky(canvas, chance.fork("sky"), light, horizon)
    _paint_heights(canvas, chance, plan, horizon)
    ground.paint_ground(canvas, chance.fork("ground"), horizon, chance.pick("ground", plan["ground"]))
    images = _where(plan.happens(chance, "fields"))
    ground.paint_fields(canvas, images, chance.fork("fields")[images], horizon[images])

    on_horizon = torch.tensor([0.0, 0.03]).expand(len(labels), 2)
    far_trees = place(chance, plan, "far_tree", level, level, at=on_horizon)
    far_trees.far = far_trees.far + 0.08
    far_houses = place(chance, plan, "far_house", level, level, at=on_horizon)
    placement.paint(canvas, placement.join(far_trees, far_houses), light, autumn)

    wet = plan.happens(chance, "water")
    sea = wet & plan.happens(chance, "sea")
    top = torch.where(sea, level, level + plan.draw(chance, "water_from") * (1 - level))
    bottom = top + plan.draw(chance, "water_to") * (1 - top)
    images = _where(wet)
    shape = [value[images][:, None, None] for value in (top, bottom, sea)]
    ground.paint_water(canvas, images, chance.fork("water")[images], *shape)
    shore = torch.where(wet, bottom + 0.04, level)  # nothing but boats stands in water

    kerb, end, street = _paint_roads(canvas, chance, plan, level, wet)
    houses = place(chance, plan, "house", level, shore, row=0.65)
    images = _where(plan.happens(chance, "doorstep") & (houses.kind[:, 0] >= 0))
    x, foot, wide = (column[images, 0][:, None, None] for column in (houses.x, houses.foot, houses.size))
    ground.paint_doorstep(canvas, images, chance.fork("doorstep")[images], x, foot, 0.07 * wide)

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


def _paint_heights(canvas: Canvas, chance: Chance, plan: Plan, horizon: Tensor) -> None:
    """Mountains, and before them two chains of hills."""
    pixels = chance.over_pixels()
    images = _where(plan.happens(chance, "mountains"))
    height = pixels.uniform("mountain height", 0.14, 0.30)
    sky.paint_mountains(canvas, images, chance.fork("mountains")[images], horizon[images], height[images])
    hills = plan.happens(chance, "hills")
    for chain, (low, high, far) in {"far hills": (0.08, 0.18, 0.55), "near hills": (0.03, 0.11, 0.28)}.items():
        images = _where(hills & chance.happens(chain, 0.75))
        height = pixels.uniform(f"{chain} height", low, high)
        sky.paint_hills(canvas, images, chance.fork(chain)[images], horizon[images], height[images], far)


def _paint_roads(
    canvas: Canvas, chance: Chance, plan: Plan, level: Tensor, wet: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """A road to the horizon or one across the picture: the latter's upper and lower edge (n,), and where it is."""
    street = plan.happens(chance, "street") & ~wet
    images = _where(plan.happens(chance, "road") & ~wet & ~street)
    width, paved = plan.draw(chance, "road_width"), plan.happens(chance, "paved")
    shape = [value[images][:, None, None] for value in (level, width, paved)]
    ground.paint_road(canvas, images, chance.fork("road")[images], *shape)
    kerb = level + chance.uniform("street top", 0.42, 0.55) * (1 - level)
    end = kerb + chance.uniform("street width", 0.13, 0.20)
    images = _where(street)
    edges = [value[images][:, None, None] for value in (kerb, end)]
    ground.paint_street(canvas, images, chance.fork("street")[images], *edges)
    return kerb, end, street
