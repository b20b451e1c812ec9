"""Where things stand: a layout for each scene class, and the painting of one chunk of scenes from far to near."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from lecture13.render import buildings, ground, sky, trees, vehicles
from lecture13.render.canvas import SAMPLES, Canvas
from lecture13.render.chance import Chance
from lecture13.render.palette import Sky


@dataclass(frozen=True)
class Layout:
    """A scene class. Pairs are ranges that each scene draws from; ``*_at`` in depths, 0 the horizon, 1 the lower edge."""

    horizon: tuple = (0.46, 0.60)
    hills: float = 0.7  # how often there are
    mountains: float = 0.1
    ground: int = 0  # 0 grass, 1 sand, 2 pavement
    fields: float = 0.0
    water: float = 0.0
    sea: float = 0.0
    water_from: tuple = (0.0, 0.1)
    water_to: tuple = (0.5, 0.8)
    road: float = 0.0  # a road to the horizon …
    paved: float = 0.0  # … of asphalt
    road_width: tuple = (0.06, 0.14)
    street: float = 0.0  # a road across the picture
    doorstep: float = 0.0  # a path from a house's door
    far_trees: tuple = (0, 3)
    trees: tuple = (1, 4)
    trees_at: tuple = (0.05, 0.75)
    tree_size: tuple = (0.22, 0.40)
    conifers: float = 0.3
    houses: tuple = (0, 0)
    houses_at: tuple = (0.15, 0.4)
    house_size: tuple = (0.34, 0.5)
    blocks: tuple = (0, 0)
    blocks_at: tuple = (0.1, 0.3)
    block_size: tuple = (0.4, 0.7)
    cars: tuple = (0, 0)
    boats: tuple = (0, 0)


LAYOUTS = {
    "farm": Layout(
        fields=0.75, houses=(1, 2), houses_at=(0.12, 0.42), house_size=(0.42, 0.60), doorstep=0.8, trees=(1, 3), cars=(0, 0)
    ),
    "village": Layout(
        houses=(3, 4), houses_at=(0.1, 0.45), house_size=(0.30, 0.42), road=0.5, paved=0.3, doorstep=0.3,
        trees=(1, 4), blocks=(0, 0), cars=(0, 1), tree_size=(0.2, 0.34),
    ),
    "street": Layout(
        horizon=(0.48, 0.58), hills=0.3, mountains=0.03, street=1.0, houses=(2, 3), houses_at=(0.28, 0.34), house_size=(0.42, 0.54),
        blocks=(0, 1), blocks_at=(0.26, 0.32), block_size=(0.46, 0.58), cars=(1, 2), trees=(0, 2), trees_at=(0.3, 0.42), tree_size=(0.26, 0.4),
    ),
    "city": Layout(
        horizon=(0.5, 0.62), hills=0.15, mountains=0.03, ground=2, street=0.85, blocks=(3, 5), blocks_at=(0.16, 0.32), block_size=(0.45, 0.8),
        cars=(0, 3), trees=(0, 2), trees_at=(0.3, 0.45), tree_size=(0.18, 0.3), far_trees=(0, 0), conifers=0.1,
    ),
    "forest": Layout(
        horizon=(0.44, 0.58), hills=0.6, mountains=0.15, trees=(6, 9), trees_at=(0.05, 0.7), tree_size=(0.36, 0.62), far_trees=(3, 4),
        conifers=0.5, road=0.45, paved=0.1, road_width=(0.05, 0.10), water=0.08, houses=(0, 0),
    ),
    "lake": Layout(
        horizon=(0.4, 0.52), hills=0.7, mountains=0.4, water=1.0, trees=(0, 3), trees_at=(0.05, 0.9), far_trees=(1, 4), boats=(0, 1),
        houses=(0, 1), houses_at=(0.0, 0.06), house_size=(0.22, 0.32), conifers=0.5,
    ),
    "coast": Layout(
        horizon=(0.38, 0.5), hills=0.3, mountains=0.12, ground=1, water=1.0, sea=1.0, water_from=(0.0, 0.0), water_to=(0.35, 0.75), boats=(0, 2),
        far_trees=(0, 0), trees=(0, 2), trees_at=(0.7, 0.95), tree_size=(0.26, 0.44), houses=(0, 1), houses_at=(0.75, 0.9), house_size=(0.26, 0.36),
    ),
    "hills": Layout(
        horizon=(0.46, 0.62), hills=1.0, mountains=0.4, fields=0.4, trees=(0, 3), tree_size=(0.18, 0.38), road=0.5, paved=0.35,
        far_trees=(0, 4), houses=(0, 1), houses_at=(0.02, 0.12), house_size=(0.18, 0.28), cars=(0, 0),
    ),
}  # fmt: skip

CLASSES = tuple(LAYOUTS)

_PAINT = {
    "round": trees.paint_round,
    "conifer": trees.paint_conifer,
    "poplar": trees.paint_poplar,
    "house": buildings.paint_house,
    "block": buildings.paint_block,
    "car": vehicles.paint_car,
    "boat": vehicles.paint_boat,
}
_KINDS = {name: number for number, name in enumerate(_PAINT)}


class Plan:
    """The layouts' values for each of n scenes: ``plan.low("trees")`` and so on, (n,)."""

    def __init__(self, labels: Tensor) -> None:
        self.labels = labels
        self.columns = {
            field.name: torch.tensor([getattr(layout, field.name) for layout in LAYOUTS.values()], dtype=torch.float32)
            for field in fields(Layout)
        }

    def __getitem__(self, name: str) -> Tensor:
        return self.columns[name][self.labels]

    def draw(self, chance: Chance, name: str) -> Tensor:
        """A number from the range, (n,)."""
        low, high = self[name].unbind(1)
        return chance.uniform(name, low, high)

    def happens(self, chance: Chance, name: str) -> Tensor:
        return chance.happens(name, self[name])


@dataclass
class Things:
    """The things of n scenes, m slots each: all (n, m); ``kind`` −1 is an empty slot."""

    kind: Tensor
    x: Tensor
    foot: Tensor
    size: Tensor
    keys: Tensor
    far: Tensor

    def sorted(self) -> "Things":
        """From far to near, empty slots last."""
        order = torch.where(self.kind < 0, 9.0, self.foot).argsort(dim=1, stable=True)
        return Things(*(getattr(self, field.name).gather(1, order) for field in fields(self)))


def place(chance: Chance, name: str, plan: Plan, horizon: Tensor, kind: Tensor, size: str, count: str, at: str | tuple, row: float) -> Things:
    """Things of one sort, spread over the width of the picture.

    ``row`` in [0, 1]: 1 sets them all at one depth, 0 each at its own. What stands nearer is larger.
    """
    low, high = plan[count].unbind(1)
    number = chance.whole(f"{name} count", low, high)
    slots = int(plan.columns[count].max())
    n = len(horizon)
    near = plan[at] if isinstance(at, str) else torch.tensor(at).expand(n, 2)
    order = chance.uniform(f"{name} order", shape=(slots,))
    order = torch.where(torch.arange(slots) < number[:, None], order, 9.0).argsort(1).argsort(1)
    jitter = chance.uniform(f"{name} jitter", 0.1, 0.9, (slots,))
    x = (order + jitter) / number.clamp(min=1)[:, None]
    common, own = chance.uniform(f"{name} row"), chance.uniform(f"{name} own", shape=(slots,))
    where = near[:, :1] + (near[:, 1:] - near[:, :1]) * (row * common[:, None] + (1 - row) * own)
    foot = horizon[:, None] + where * (1 - horizon[:, None])
    sizes = plan[size]
    scale = chance.uniform(f"{name} size", shape=(slots,))
    scale = (sizes[:, :1] + (sizes[:, 1:] - sizes[:, :1]) * scale) * (0.75 + 0.5 * where)
    there = torch.arange(slots) < number[:, None]
    keys = chance.fork(f"{name} keys", slots).keys.view(n, slots)
    return Things(torch.where(there, kind, -1), x, foot, scale, keys, (0.22 - where).clamp(0.0) * 1.1)


def join(*things: Things) -> Things:
    """Several tables of the same scenes as one."""
    return Things(*(torch.cat([getattr(t, field.name) for t in things], 1) for field in fields(Things)))


def tree_kinds(chance: Chance, name: str, plan: Plan, count: str) -> Tensor:
    """Which tree stands in each slot, (n, slots)."""
    slots = int(plan.columns[count].max())
    leaning = (plan["conifers"] + chance.uniform(f"{name} leaning", -0.45, 0.45)).clamp(0, 1)[:, None]
    u, v = chance.uniform(f"{name} u", shape=(slots,)), chance.uniform(f"{name} v", shape=(slots,))
    broad = torch.where(v < 0.15, _KINDS["poplar"], _KINDS["round"])
    return torch.where(u < leaning, _KINDS["conifer"], broad)


def paint_things(canvas: Canvas, things: Things, light: Sky, autumn: Tensor) -> None:
    """Paint rank after rank, so that the near hides the far; a rank's things of one kind are painted at once."""
    things = things.sorted()
    for rank in range(things.kind.shape[1]):
        for name, paint in _PAINT.items():
            images = (things.kind[:, rank] == _KINDS[name]).nonzero()[:, 0]
            if not len(images):
                continue
            x, foot, size, far = (
                getattr(things, column)[images, rank][:, None, None] for column in ("x", "foot", "size", "far")
            )
            last = light.lamps if name in ("house", "block") else autumn
            paint(canvas, images, Chance(things.keys[images, rank]), x, foot, size, light.sun[images], light.shadow[images], last[images], far)


def paint(chance: Chance, labels: Tensor, size: int) -> Canvas:
    """Paint n scenes of the given classes (n,): each is a function of its key, its class and ``size``."""
    n, side, plan = len(labels), SAMPLES * size, Plan(labels)
    light = Sky.draw(chance)
    mottle = sky.noise(chance, "mottle 1", 17, 17, side) * 0.6 + sky.noise(chance, "mottle 2", 33, 33, side) * 0.6
    canvas = Canvas(n, size, light.light, light.horizon, sky.noise(chance, "grain", 64, 64, side), mottle)
    level = plan.draw(chance, "horizon")
    horizon = level[:, None, None]

    def some(there: Tensor) -> Tensor:
        return there.nonzero()[:, 0]

    sky.paint_sky(canvas, chance.fork("sky"), light, horizon)
    images = some(plan.happens(chance, "mountains"))
    mountain = chance.over_pixels().uniform("mountain height", 0.14, 0.30)
    sky.paint_mountains(canvas, images, chance.fork("mountains")[images], horizon[images], mountain[images])
    hills = plan.happens(chance, "hills")
    for layer, (low, high, far) in enumerate(((0.08, 0.18, 0.55), (0.03, 0.11, 0.28))):
        images = some(hills & chance.happens(f"hill {layer}", 0.75))
        height = chance.over_pixels().uniform(f"hill height {layer}", low, high)
        sky.paint_hills(canvas, images, chance.fork(f"hill {layer}")[images], horizon[images], height[images], torch.tensor(far))

    ground.paint_ground(canvas, chance.fork("ground"), horizon, plan["ground"].long())
    images = some(plan.happens(chance, "fields"))
    ground.paint_fields(canvas, images, chance.fork("fields")[images], horizon[images])

    autumn = torch.where(chance.happens("autumn", 0.22), 0.8, 0.04)[:, None, None]
    kinds = tree_kinds(chance, "far tree", plan, "far_trees")
    behind = place(chance, "far tree", plan, level, kinds, "tree_size", "far_trees", (0.0, 0.03), 0.0)
    behind.size, behind.far = behind.size * 0.62, behind.far * 0 + 0.3
    house = torch.tensor(_KINDS["house"])
    houses = place(chance, "house", plan, level, house, "house_size", "houses", "houses_at", 0.65)
    lake = plan["water"] * (1 - plan["sea"]) > 0.5
    far_house = Things(torch.where(lake[:, None], houses.kind, -1), *(getattr(houses, f.name) for f in fields(Things)[1:]))
    houses.kind = torch.where(lake[:, None], -1, houses.kind)
    paint_things(canvas, join(behind, far_house), light, autumn)

    wet = plan.happens(chance, "water")
    images = some(wet)
    top = (level + plan.draw(chance, "water_from") * (1 - level))[:, None, None]
    bottom = (level + plan.draw(chance, "water_to") * (1 - level))[:, None, None]
    sea = plan["sea"][:, None, None]
    ground.paint_water(canvas, images, chance.fork("water")[images], top[images], bottom[images], sea[images], horizon[images])

    images = some(plan.happens(chance, "road") & ~wet)
    width = plan.draw(chance, "road_width")[:, None, None]
    paved = plan.happens(chance, "paved")[:, None, None]
    ground.paint_road(canvas, images, chance.fork("road")[images], horizon[images], width[images], paved[images])
    street = plan.happens(chance, "street")
    images = some(street)
    kerb = (level + chance.uniform("street top", 0.42, 0.55) * (1 - level))[:, None, None]
    end = kerb + chance.over_pixels().uniform("street width", 0.13, 0.20)
    ground.paint_street(canvas, images, chance.fork("street")[images], kerb[images], end[images])

    images = some(plan.happens(chance, "doorstep") & (houses.kind[:, 0] >= 0))
    x, foot, wide = (getattr(houses, c)[images, 0][:, None, None] for c in ("x", "foot", "size"))
    ground.paint_doorstep(canvas, images, chance.fork("doorstep")[images], x, foot, 0.07 * wide)

    kinds = tree_kinds(chance, "tree", plan, "trees")
    stand = place(chance, "tree", plan, level, kinds, "tree_size", "trees", "trees_at", 0.0)
    block = torch.tensor(_KINDS["block"])
    blocks = place(chance, "block", plan, level, block, "block_size", "blocks", "blocks_at", 0.5)
    plan.columns["car_size"] = torch.tensor([[0.2, 0.28]]).expand(len(CLASSES), 2)
    plan.columns["boat_size"] = torch.tensor([[0.10, 0.26]]).expand(len(CLASSES), 2)
    cars = place(chance, "car", plan, level, torch.tensor(_KINDS["car"]), "car_size", "cars", (0.45, 0.8), 0.0)
    on_street = (kerb + end)[:, 0] / 2 + chance.uniform("lane", -0.25, 0.5, (cars.x.shape[1],)) * (end - kerb)[:, 0]
    cars.foot = torch.where(street[:, None], on_street, cars.foot)
    boats = place(chance, "boat", plan, level, torch.tensor(_KINDS["boat"]), "boat_size", "boats", (0.1, 0.9), 0.0)
    boats.foot = (top + (bottom - top) * (0.12 + 0.55 * chance.uniform("boat at", shape=(boats.x.shape[1], 1))))[:, :, 0]
    paint_things(canvas, join(stand, houses, blocks, cars, boats), light, autumn)
    return canvas
