"""Where things stand: tables of things, slot by slot, and their order from far to near."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from lecture13.render import buildings, trees, vehicles
from lecture13.render.canvas import Canvas
from lecture13.render.chance import Chance
from lecture13.render.layouts import Plan
from lecture13.render.palette import Sky

_PAINT = {
    "round": trees.paint_round,
    "conifer": trees.paint_conifer,
    "poplar": trees.paint_poplar,
    "house": buildings.paint_house,
    "block": buildings.paint_block,
    "car": vehicles.paint_car,
    "boat": vehicles.paint_boat,
}
_KIND = {name: number for number, name in enumerate(_PAINT)}


@dataclass
class Things:
    """The things of n scenes, m slots each, all (n, m); ``kind`` −1 is an empty slot.

    ``x`` and ``foot`` (where it touches the ground) and ``size`` are in canvas sides, ``far`` in [0, 1] is the haze
    before it, and ``keys`` seed what it draws for itself.
    """

    kind: Tensor
    x: Tensor
    foot: Tensor
    size: Tensor
    far: Tensor
    keys: Tensor

    def far_to_near(self) -> "Things":
        """Sorted by foot, empty slots last."""
        order = torch.where(self.kind < 0, 9.0, self.foot).argsort(dim=1, stable=True)
        return Things(*(getattr(self, field.name).gather(1, order) for field in fields(self)))


def join(*tables: Things) -> Things:
    """Several tables of the same scenes as one."""
    return Things(*(torch.cat([getattr(table, field.name) for table in tables], 1) for field in fields(Things)))


def place(
    chance: Chance, plan: Plan, name: str, horizon: Tensor, base: Tensor, at: Tensor | None = None, row: float = 0.0
) -> Things:
    """The things that a layout calls ``<name>s``, spread over the width of the picture.

    Args:
        chance: of the scenes.
        plan: gives their number, size, and depth.
        name: of the layout's fields: ``<name>s``, ``<name>s_at``, ``<name>_size``.
        horizon: (n,), from which depth is measured for the size: what stands nearer is larger.
        base: (n,), where depth 0 of ``<name>s_at`` lies: the horizon, or the near shore of water.
        at: (n, 2) depths instead of the layout's.
        row: in [0, 1]; 1 sets them all at one depth, 0 each at its own.
    """
    n, slots = len(horizon), plan.most(f"{name}s")
    chance = chance.fork(name)
    number = chance.whole("number", *plan[f"{name}s"].unbind(1))[:, None]
    there = torch.arange(slots) < number
    # One in each of as many equal parts of the width, in shuffled order.
    order = torch.where(there, chance.uniform("order", shape=(slots,)), 9.0).argsort(1).argsort(1)
    x = (order + chance.uniform("x", 0.1, 0.9, (slots,))) / number.clamp(min=1)
    low, high = (plan[f"{name}s_at"] if at is None else at)[:, None, :].unbind(2)
    depth = low + (high - low) * (
        row * chance.uniform("row")[:, None] + (1 - row) * chance.uniform("at", shape=(slots,))
    )
    foot = base[:, None] + depth * (1 - base[:, None])
    depth = (foot - horizon[:, None]) / (1 - horizon[:, None])
    small, large = plan[f"{name}_size"][:, None, :].unbind(2)
    size = (small + (large - small) * chance.uniform("size", shape=(slots,))) * (0.75 + 0.5 * depth)
    kind = _kinds(chance, plan, name, slots)
    far = (0.24 - 1.1 * depth).clamp(min=0)
    return Things(torch.where(there, kind, -1), x, foot, size, far, chance.fork("own", slots).keys.view(n, slots))


def _kinds(chance: Chance, plan: Plan, name: str, slots: int) -> Tensor:
    if name not in ("tree", "far_tree"):
        return torch.tensor(_KIND[name.removeprefix("far_")])
    share = (plan["conifers"] + chance.uniform("share", -0.45, 0.45)).clamp(0, 1)[
        :, None
    ]  # a stand has its own mixture
    broad = torch.where(chance.uniform("poplar", shape=(slots,)) < 0.15, _KIND["poplar"], _KIND["round"])
    return torch.where(chance.uniform("conifer", shape=(slots,)) < share, _KIND["conifer"], broad)


def paint(canvas: Canvas, things: Things, light: Sky, autumn: Tensor) -> None:
    """Paint rank after rank, so that the near hides the far; a rank's things of one kind are painted at once."""
    things = things.far_to_near()
    for rank in range(things.kind.shape[1]):
        for kind, paint_kind in enumerate(_PAINT.values()):
            images = (things.kind[:, rank] == kind).nonzero()[:, 0]
            if len(images):
                x, foot, size, far = (
                    column[images, rank][:, None, None] for column in (things.x, things.foot, things.size, things.far)
                )
                chance = Chance(things.keys[images, rank])
                paint_kind(canvas, images, chance, x, foot, size, far, light.of(images), autumn[images])
