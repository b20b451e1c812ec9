"""What a scene stands on: grass, fields, sand, pavement, water with its reflections, and roads in perspective."""

import torch
from torch import Tensor

from lecture13.render import palette
from lecture13.render.canvas import Canvas, Patch
from lecture13.render.chance import Chance
from lecture13.render.concepts import REGION
from lecture13.render.shapes import convex, cover, interval


def depth(patch: Patch, horizon: Tensor) -> Tensor:
    """0 at the horizon, 1 at the lower edge of the picture."""
    return (patch.y - horizon) / (1 - horizon)


def paint_ground(canvas: Canvas, chance: Chance, horizon: Tensor, kinds: Tensor) -> None:
    """Everything below the horizon: ``kinds`` (n,) 0 grass, 1 sand, 2 pavement."""
    patch, pixels = canvas.frame(), chance.over_pixels()
    kind = kinds[:, None, None]
    near = depth(patch, horizon)
    grass, sand, stone = (pixels.colour("ground", table) for table in (palette.GRASS, palette.SANDS, palette.PAVEMENTS))
    colour = torch.where(kind == 0, grass, torch.where(kind == 1, sand, stone))
    rough = torch.where(kind == 0, 0.11, 0.045)
    texture = 1 + rough * (patch.mottle + (0.4 + 0.6 * near) * patch.grain) - 0.10 * near
    region = torch.tensor([REGION["grass"], REGION["sand"], REGION["pavement"]], dtype=torch.uint8)[kind]
    patch.paint(cover(horizon - patch.y, patch.pitch), colour * texture, region, far=0.28 * (1 - near).clamp(0, 1) ** 2)
    # Flowers stand where the fine noise is largest, in patches of the coarse one.
    blossom = pixels.colour("flower", palette.FLOWERS)
    amount = pixels.uniform("flowers", -0.5, 0.75).clamp(min=0) * (kind == 0)
    there = ((patch.grain - 0.99 + 0.35 * amount * (1 + patch.mottle)) * 8).clamp(0, 1) * (amount > 0)
    patch.paint(there * cover(0.02 + horizon - patch.y, patch.pitch), blossom, REGION["flower"])
    patch.done()


def paint_fields(canvas: Canvas, images: Tensor, chance: Chance, horizon: Tensor) -> None:
    """A crop field with furrows that run to the vanishing point, in a band below the horizon."""
    patch, pixels = canvas.frame(images), chance.over_pixels()
    near = depth(patch, horizon)
    top = pixels.uniform("top", 0.02, 0.2) + 0.05 * patch.x
    bottom = top + pixels.uniform("width", 0.15, 0.5)
    edge = pixels.uniform("edge", -0.2, 1.2)
    side = torch.where(pixels.happens("left", 0.5), 1.0, -1.0)
    band = interval(near, top, bottom, patch.pitch) * cover(side * (patch.x - edge) - 0.3 * near, patch.pitch)
    furrows = torch.sin(60 * (patch.x - pixels.uniform("vanish")) / (near + 0.12))
    colour = pixels.colour("field", palette.FIELDS) * (1 + 0.07 * furrows + 0.05 * patch.grain)
    patch.paint(band, colour, REGION["field"], far=0.15)
    patch.done()


def paint_water(canvas: Canvas, images: Tensor, chance: Chance, top: Tensor, bottom: Tensor, sea: Tensor) -> None:
    """Water from ``top`` to ``bottom`` (n, 1, 1), mirroring what stands above its far shore.

    Where ``sea`` (n, 1, 1) is True it is straight at the horizon and has foam on the beach, else a lake with wavy
    shores.
    """
    patch, pixels = canvas.frame(images), chance.over_pixels()
    n, side = len(images), canvas.side
    wave = 0.5 * patch.mottle.mean(1, keepdim=True) * 3
    bank = pixels.uniform("bank tilt", -0.16, 0.16) * (patch.x - 0.5)
    far_shore = top + torch.where(sea, 0.0, 0.012 * wave)
    near_shore = bottom + torch.where(sea, 1.6 * bank, 0.6 * bank) + 0.02 * wave
    inset = pixels.uniform("inset", -0.45, 0.12)  # a lake may end inside the picture
    ends = pixels.uniform("end", -0.3, 0.18) * torch.ones_like(inset)
    middle = (patch.y - far_shore) / (near_shore - far_shore).clamp(min=0.02)
    bulge = 0.22 * (2 * middle - 1).square()
    left, right = inset + bulge, 1 - ends - bulge
    across = torch.where(sea, torch.ones_like(middle), interval(patch.x, left, right, patch.pitch))
    body = cover(torch.maximum(far_shore - patch.y, patch.y - near_shore), patch.pitch) * across

    # The mirror image: the row as far above the shore as this one lies below, shifted by ripples that grow towards us.
    ripple = patch.mottle * 0.02 + patch.grain * 0.012
    distance = (patch.y - far_shore).clamp(min=0)
    rows = ((2 * far_shore - patch.y + distance * ripple * 4) * side).long().clamp(0, side - 1)
    columns = ((patch.x + ripple * (0.3 + 3 * distance)) * side).long().clamp(0, side - 1)
    index = (torch.arange(n)[:, None, None] * side + rows) * side + columns.expand_as(rows)
    mirror = patch.colours.reshape(3, -1)[:, index.reshape(-1)].view(3, n, side, side)
    own = pixels.colour("water", palette.WATERS) * patch.light
    clear = (0.62 - 0.9 * distance).clamp(0.18, 1)
    stripes = torch.sin(120 * distance.sqrt() + 5 * patch.mottle) * patch.grain
    colour = torch.lerp(own, mirror, clear) * (0.94 + 0.05 * stripes)
    patch.paint(body, colour, REGION["water"], glows=True)
    foam = cover((patch.y - near_shore + 0.012).abs() - 0.008 - 0.006 * patch.mottle, patch.pitch) * sea
    patch.paint(foam, patch.light * 0.94, REGION["foam"], glows=True)
    patch.done()


def paint_road(canvas: Canvas, images: Tensor, chance: Chance, horizon: Tensor, width: Tensor, paved: Tensor) -> None:
    """A road from the lower edge to the horizon, winding; asphalt with a dashed line where ``paved``, else a path."""
    patch, pixels = canvas.frame(images), chance.over_pixels()
    near = depth(patch, horizon).clamp(min=0)
    vanish, foot = pixels.uniform("vanish", 0.3, 0.7), pixels.uniform("foot", 0.15, 0.85)
    bend = pixels.uniform("bend", -0.35, 0.35) * near * (1 - near)
    centre = torch.lerp(vanish.expand_as(near), foot.expand_as(near), near) + bend
    half = width * (near + 0.03)
    away = (patch.x - centre).abs()
    below = cover(horizon + 0.005 - patch.y, patch.pitch)
    texture = 1 + 0.05 * patch.grain + 0.04 * patch.mottle
    paved_road, path = pixels.colour("road", palette.ROADS), pixels.colour("path", palette.PATHS)
    colour = torch.where(paved, paved_road, path) * texture
    region = torch.where(paved, REGION["road"], REGION["path"]).to(torch.uint8)
    ragged = torch.where(paved, 0.0, 0.012 * patch.mottle)
    patch.paint(below * cover(away - half + ragged, patch.pitch), colour, region, far=0.2 * (1 - near))
    # Dashes have one length on the ground, so they shorten as 1/near towards the horizon.
    phase = pixels.uniform("dash") + 1.1 / (near + 0.12)
    dashes = ((0.25 - (phase - phase.floor() - 0.5).abs()) * 12).clamp(0, 1)
    line = cover(away - 0.055 * half, patch.pitch) * dashes
    edges = cover((away - 0.88 * half).abs() - 0.03 * half, patch.pitch)
    marks = torch.maximum(line, edges * 0.7) * paved * below
    patch.paint(marks, torch.full_like(colour[:, :, :1, :1], 0.92), REGION["marking"])
    patch.done()


def paint_street(canvas: Canvas, images: Tensor, chance: Chance, top: Tensor, bottom: Tensor) -> None:
    """A road across the picture between ``top`` and ``bottom`` (n, 1, 1), pavements on both sides, dashes along it."""
    patch, pixels = canvas.frame(images), chance.over_pixels()
    kerb = (bottom - top) * 0.30
    texture = 1 + 0.05 * patch.grain + 0.04 * patch.mottle
    stone = pixels.colour("pavement", palette.PAVEMENTS) * texture
    patch.paint(
        interval(patch.y, top - kerb, bottom + 1.2 * kerb, patch.pitch).expand_as(patch.grain),
        stone,
        REGION["pavement"],
    )
    road = pixels.colour("road", palette.ROADS) * texture
    patch.paint(interval(patch.y, top, bottom, patch.pitch).expand_as(patch.grain), road, REGION["road"])
    middle = (top + bottom) / 2
    phase = (patch.x + pixels.uniform("dash")) * 5
    dashes = ((0.28 - (phase - phase.floor() - 0.5).abs()) * 8).clamp(0, 1)
    line = interval(patch.y, middle - 0.009, middle + 0.009, patch.pitch) * dashes
    patch.paint(line, torch.full((3, 1, 1, 1), 0.93), REGION["marking"])
    patch.done()


def paint_doorstep(canvas: Canvas, images: Tensor, chance: Chance, x: Tensor, foot: Tensor, width: Tensor) -> None:
    """A path from a door at ``x``, ``foot`` to the lower edge of the picture, widening towards us."""
    pixels = chance.over_pixels()
    end = (x + pixels.uniform("end", -0.3, 0.3)).clamp(0.05, 0.95)
    wide = width * (1 + 2.2 * (1 - foot))
    left, right = torch.minimum(x - width, end - wide), torch.maximum(x + width, end + wide)
    patch = canvas.patch(images, left - 0.03, foot - 0.02, right + 0.03, torch.ones_like(foot))
    corners = [
        (x - width, foot),
        (x + width, foot),
        (end + wide, torch.full_like(foot, 1.05)),
        (end - wide, torch.full_like(foot, 1.05)),
    ]
    colour = pixels.colour("path", palette.PATHS) * (1 + 0.06 * patch.grain + 0.05 * patch.mottle)
    patch.paint(convex(patch.x, patch.y, corners, patch.pitch), colour, REGION["path"])
    patch.done()
