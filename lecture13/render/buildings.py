"""Buildings: houses with gabled roofs, seen from the gable or from the eaves, and blocks with flat ones."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lecture13.render import palette
from lecture13.render.canvas import Canvas, Patch
from lecture13.render.chance import Chance
from lecture13.render.concepts import REGION
from lecture13.render.palette import Sky
from lecture13.render.shapes import Number, convex, ellipse, interval, rectangle

_WALLS = ("plaster wall", "brick wall", "wooden wall")


@dataclass(frozen=True)
class Facade:
    """One building on its patch, in its own units: u to the right of its middle, v up from its foot, over its size."""

    patch: Patch
    pixels: Chance
    u: Tensor
    v: Tensor
    step: Tensor
    far: Tensor
    light: Sky

    def box(self, left: Number, bottom: Number, right: Number, top: Number) -> Tensor:
        """Coverage of a rectangle."""
        return rectangle(self.u, -self.v, left, -top, right, -bottom, self.step)

    def polygon(self, *corners: tuple) -> Tensor:
        """Coverage of a convex polygon, its corners (u, v) clockwise."""
        return convex(self.u, -self.v, [(u, -v) for u, v in corners], self.step)

    def paint(self, cover: Tensor, colour: Tensor, region: int | Tensor, glows: bool = False) -> None:
        """Paint on the patch, behind the building's haze."""
        self.patch.paint(cover, colour, region, far=self.far, glows=glows)


def _wall(front: Facade, kind: Tensor) -> tuple[Tensor, Tensor]:
    """Colour with its texture, and region, of the wall: kind 0 plaster, 1 brick, 2 wood."""
    pixels, patch = front.pixels, front.patch
    plaster, brick, wood = (pixels.colour("wall", table) for table in (palette.PLASTER, palette.BRICK, palette.TIMBER))
    colour = torch.where(kind == 1, brick, torch.where(kind == 2, wood, plaster))
    courses = torch.where(kind == 1, torch.sin(150 * front.v), torch.where(kind == 2, torch.sin(110 * front.u), 0.0))
    texture = 1 + 0.035 * patch.mottle + 0.03 * patch.grain + 0.06 * courses * (front.step < 0.05)
    region = torch.tensor([REGION[name] for name in _WALLS], dtype=torch.uint8)[kind]
    return colour * texture, region


def _windows(
    front: Facade,
    left: Tensor,
    right: Tensor,
    bottom: Number,
    top: Tensor,
    columns: Tensor,
    rows: Tensor,
    fill: tuple,
    door_u: Tensor,
    door_half: Tensor,
    door_top: Tensor,
) -> None:
    """A grid of ``columns`` × ``rows`` windows in a rectangle of wall, none where the door is; some of them lit."""
    pixels, step = front.pixels, front.step
    pitch_u, pitch_v = (right - left) / columns, (top - bottom) / rows
    column = ((front.u - left) / pitch_u).floor().clamp(min=0).minimum(columns - 1)
    row = ((front.v - bottom) / pitch_v).floor().clamp(min=0).minimum(rows - 1)
    middle_u, middle_v = left + (column + 0.5) * pitch_u, bottom + (row + 0.5) * pitch_v
    half_u, half_v = pitch_u * fill[0] / 2, pitch_v * fill[1] / 2
    at_door = ((middle_u - door_u).abs() < half_u + door_half + 0.02) & (middle_v - half_v < door_top + 0.02)
    rim = 0.018
    frame = interval(front.u - middle_u, -half_u - rim, half_u + rim, step) * interval(
        front.v - middle_v, -half_v - rim, half_v + rim, step
    )
    glass = interval(front.u - middle_u, -half_u, half_u, step) * interval(front.v - middle_v, -half_v, half_v, step)
    free = 1 - at_door.float()
    front.paint(frame * free, torch.full((3, 1, 1, 1), 0.93), REGION["window"])
    pane = pixels.colour("glass", palette.GLASS)
    mirrored = 0.22 * (
        (front.v - middle_v) / half_v.clamp(min=1e-3) + 0.6 * (front.u - middle_u) / half_u.clamp(min=1e-3)
    )
    pane = pane + mirrored.clamp(-0.12, 0.3) * (front.patch.haze - pane)
    front.paint(glass * free, pane, REGION["window"])
    cell = torch.sin(12.9898 * column + 78.233 * row + 6.28 * pixels.uniform("lamps")) * 43.7  # a hash of the window
    lit = ((cell - cell.floor()) < 0.75 * front.light.lamps).float()
    lamp = torch.tensor([1.0, 0.83, 0.45]).view(3, 1, 1, 1).expand(3, *frame.shape)
    front.paint(glass * free * lit, lamp, REGION["window"], glows=True)


def _door(front: Facade, u: Tensor, half: Tensor, top: Tensor, arched: Tensor) -> None:
    """A door with a frame, from the foot to ``top``; an arched one ends in a half circle."""
    pixels = front.pixels
    for grow, colour in (
        (0.02, pixels.colour("door frame", palette.PLASTER)),
        (0.0, pixels.colour("door", palette.DOORS)),
    ):
        side, height = half + grow, top + grow
        flat = front.box(u - side, 0.0, u + side, torch.where(arched, height - side, height))
        arch = ellipse(front.u, -front.v, u, -(height - side), side, side, front.step) * arched
        shade = 1 + 0.25 * (front.v / top - 0.5)
        front.paint(torch.maximum(flat, arch), colour * shade, REGION["door"])


def _front(
    canvas: Canvas,
    images: Tensor,
    chance: Chance,
    x: Tensor,
    foot: Tensor,
    size: Tensor,
    far: Tensor,
    light: Sky,
    reach: float,
    height: float,
) -> Facade:
    """A building's patch, ``reach`` sizes to both sides and ``height`` sizes up."""
    patch = canvas.patch(images, x - reach * size, foot - height * size, x + reach * size, foot + 0.08 * size)
    mirrored = torch.where(light.sun > 0, 1.0, -1.0)  # the side wall, to the right of the front, lies in the shade
    u, v = (x - patch.x) * mirrored / size, (foot - patch.y) / size
    return Facade(patch, chance.over_pixels(), u, v, patch.pitch / size, far, light)


def paint_house(
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
    """A house about ``size`` wide with a gabled roof.

    Seen from the gable its roof slopes away to the side, over a wall in the shade; seen from the eaves it faces us.
    """
    front = _front(canvas, images, chance, x, foot, size, far, light, 0.86, 1.12)
    pixels, patch = front.pixels, front.patch
    gable = pixels.happens("gable", 0.6)
    kind = pixels.pick("wall kind", [6, 2, 2.5])[:, None, None]
    half = torch.where(gable, pixels.uniform("half", 0.26, 0.33), pixels.uniform("half", 0.40, 0.48))
    eaves = pixels.uniform("eaves", 0.36, 0.52)
    ridge = eaves + torch.where(gable, pixels.uniform("pitch", 0.26, 0.42), pixels.uniform("pitch", 0.2, 0.32))
    length = torch.where(gable, pixels.uniform("length", 0.22, 0.46), 0.0)
    shift = torch.where(gable, -length / 2, 0.0)  # the middle of the front wall
    left, right = shift - half, shift + half
    over = 0.05
    patch.shade(ellipse(front.u, -front.v, 0.12, 0.0, half + 0.5 * length + 0.14, 0.05, front.step), light.shadow)
    # Chimney, then the wall and roof of the far side, then the front.
    chimney_u = shift + torch.where(gable, length * 0.6, half * pixels.uniform("chimney", -0.7, 0.7))
    chimney = front.box(chimney_u - 0.045, ridge - 0.15, chimney_u + 0.045, ridge + 0.09) * pixels.happens(
        "chimney there", 0.55
    )
    front.paint(chimney, pixels.colour("chimney", palette.BRICK), REGION["chimney"])
    wall, region = _wall(front, kind)
    rise = 0.03  # of the side wall's foot, by perspective
    side = front.polygon((right, eaves), (right + length, eaves), (right + length, rise), (right, 0.0))
    front.paint(side * gable, wall * 0.68, region)  # of no length from the eaves
    tiles = pixels.colour("roof", palette.TILES)
    rows = 1 + 0.07 * torch.sin(95 * front.v) * (front.step < 0.05) + 0.05 * patch.grain + 0.03 * patch.mottle
    slope = front.polygon(
        (shift, ridge), (shift + length, ridge), (right + length + over, eaves - 0.05), (right + over, eaves - 0.05)
    )
    front.paint(slope * gable, tiles * rows * 0.86, REGION["tiled roof"])
    front.paint(front.box(left, 0.0, right, eaves), wall, region)
    narrow = torch.where(gable, 0.0, half * pixels.uniform("hip", 0.6, 1.0))
    roof = front.polygon(
        (left - over, eaves - 0.02), (shift - narrow, ridge), (shift + narrow, ridge), (right + over, eaves - 0.02)
    )
    front.paint(roof, tiles * rows, REGION["tiled roof"])
    open_gable = gable & pixels.happens("gable wall", 0.7)
    rim = 0.085
    inner = front.polygon((left + 0.015, eaves - 0.03), (shift, ridge - rim), (right - 0.015, eaves - 0.03))
    front.paint(inner * open_gable, wall, region)

    door_half = pixels.uniform("door half", 0.055, 0.085)
    door_top = eaves * pixels.uniform("door top", 0.52, 0.7)
    door_u = shift + (half - door_half - 0.04) * pixels.uniform("door u", -0.8, 0.8)
    columns = torch.where(gable, pixels.whole("columns", 2, 3), pixels.whole("columns", 3, 5)).float()
    rows_of_windows = torch.where((eaves > 0.46) & pixels.happens("two floors", 0.6), 2.0, 1.0)
    bottom = torch.where(rows_of_windows == 2, 0.04, 0.1)
    _windows(
        front,
        left + 0.03,
        right - 0.03,
        bottom,
        eaves - 0.03,
        columns,
        rows_of_windows,
        (0.5, 0.62),
        door_u,
        door_half,
        door_top,
    )
    attic = (
        front.box(shift - 0.05, eaves + 0.02, shift + 0.05, eaves + 0.13) * open_gable * pixels.happens("attic", 0.6)
    )
    front.paint(attic, pixels.colour("glass", palette.GLASS), REGION["window"])
    _door(front, door_u, door_half, door_top, pixels.happens("arched", 0.4))
    patch.done()


def paint_block(
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
    """A building with a flat roof, ``size`` high: rows of windows, a door below, a side wall in the shade."""
    front = _front(canvas, images, chance, x, foot, size, far, light, 0.56, 1.16)
    pixels, patch = front.pixels, front.patch
    half = pixels.uniform("half", 0.2, 0.36)
    depth = pixels.uniform("depth", 0.04, 0.16)
    left, right = -half - depth / 2, half - depth / 2
    top = 0.94
    patch.shade(ellipse(front.u, -front.v, 0.08, 0.0, half + depth + 0.08, 0.04, front.step), light.shadow)
    concrete, plaster = pixels.colour("wall", palette.CONCRETE), pixels.colour("wall", palette.PLASTER)
    brick = pixels.colour("wall", palette.BRICK)
    kind = pixels.pick("kind", [3, 2, 1.5])[:, None, None]
    wall = torch.where(kind == 0, concrete, torch.where(kind == 1, plaster, brick))
    wall = wall * (1 + 0.03 * patch.mottle + 0.03 * patch.grain)
    names = ("concrete wall", "plaster wall", "brick wall")
    region = torch.tensor([REGION[name] for name in names], dtype=torch.uint8)[kind]
    roof = pixels.colour("roof", palette.FLAT_ROOFS)
    shed = front.box(-0.1 + left * 0.3, top, 0.04, top + 0.1) * pixels.happens("shed", 0.4)
    front.paint(shed, roof * 0.9, REGION["flat roof"])
    side = front.polygon((right, top), (right + depth, top - 0.03), (right + depth, 0.02), (right, 0.0))
    front.paint(side, wall * 0.62, region)
    front.paint(front.box(left, 0.0, right, top), wall, region)
    parapet = front.box(left - 0.02, top - 0.015, right + 0.015, top + 0.035)
    front.paint(parapet, roof, REGION["flat roof"])
    columns = pixels.whole("columns", 2, 4).float()
    rows = (pixels.whole("rows", 3, 6)).float()
    door_half, door_top = pixels.uniform("door half", 0.04, 0.065), pixels.uniform("door top", 0.13, 0.19)
    door_u = (left + right) / 2 + (half - 0.1) * pixels.uniform("door u", -0.7, 0.7)
    fill = (pixels.uniform("window width", 0.45, 0.72), pixels.uniform("window height", 0.45, 0.66))
    _windows(front, left + 0.02, right - 0.02, 0.03, top - 0.04, columns, rows, fill, door_u, door_half, door_top)
    _door(front, door_u, door_half, door_top, pixels.happens("arched", 0.15))
    patch.done()
