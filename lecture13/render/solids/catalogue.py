"""The solids by name, and labelled images of them: every class, in any pose, light and place."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from lecture13.render.chance import Chance
from lecture13.render.series import check, classes_in_turn, paint_in_chunks
from lecture13.render.solids.animals import duck, fish
from lecture13.render.solids.atlas import assemble
from lecture13.render.solids.backgrounds import scene_pool
from lecture13.render.solids.machines import aeroplane, car, rifle
from lecture13.render.solids.mesh import Mesh
from lecture13.render.solids.paints import Variation
from lecture13.render.solids.parts import Part
from lecture13.render.solids.poses import Poses
from lecture13.render.solids.things import baseball, espresso, guitar, mushroom
from lecture13.render.solids.turtle import turtle
from lecture13.render.solids.views import look, render

_MAKERS: dict[str, Callable[[Variation], list[Part]]] = {
    "sea turtle": turtle,
    "rifle": rifle,
    "baseball": baseball,
    "espresso": espresso,
    "aeroplane": aeroplane,
    "car": car,
    "rubber duck": duck,
    "clownfish": fish,
    "fly agaric": mushroom,
    "guitar": guitar,
}
CLASSES = tuple(_MAKERS)
VARIANTS = 12  # of each class, in a data set


@dataclass(frozen=True)
class Solids:
    """``images`` (N, 3, S, S) float32 in [0, 1]; ``labels`` (N,) int64 into CLASSES."""

    images: Tensor
    labels: Tensor


@lru_cache(maxsize=256)
def solid(name: str, *, variant: int = 0, texels: int = 128) -> Mesh:
    """A solid of a class, of radius 1 around the origin, its front towards +x and its top towards +y.

    Args:
        name: one of :data:`CLASSES`.
        variant: 0 is the plain one, others differ in proportions and colours. 0 … 2³² − 1.
        texels: side of its texture.

    Raises:
        ValueError: an unknown name, or numbers out of range.
    """
    if name not in _MAKERS:
        raise ValueError(f"unknown solid {name!r}; known: {', '.join(CLASSES)}")
    for what, value, low, high in (("variant", variant, 0, 2**32 - 1), ("texels", texels, 32, 4096)):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{what}={value!r}; expected a whole number from {low} to {high}")
    return assemble(_MAKERS[name](Variation(variant)), name, texels=texels)


def draw(
    count: int,
    *,
    size: int = 64,
    seed: int = 0,
    first: int = 0,
    progress: bool = False,
    poses: Poses | None = None,
) -> Solids:
    """Draw solids: one of :data:`VARIANTS` of its class each, in a pose of its own.

    Args:
        count, size, seed, first, progress: as :func:`lecture13.render.scenes.draw` takes them, and with its errors.
        poses: the ranges; None: :class:`Poses` as they are.
    """
    check(count, size, seed, first)
    ranges = poses or Poses()
    labels = classes_in_turn(seed, first, count, len(CLASSES))
    chance = Chance.of_images(seed, first, count).fork("solid")
    variants = chance.whole("variant", 0, VARIANTS - 1)
    wanted = list(zip(labels.tolist(), variants.tolist(), strict=True))
    # made before the threads part, each once
    meshes = {pair: solid(CLASSES[pair[0]], variant=pair[1]) for pair in set(wanted)}
    scene_pool()
    images = torch.empty(count, 3, size, size)

    def paint_part(part: slice) -> None:
        chosen = [meshes[pair] for pair in wanted[part]]
        views = look(chosen, ranges.of(chance[part].fork("shot")), size=size)
        images[part] = render(torch.cat([mesh.texture for mesh in chosen]), views)

    paint_in_chunks(paint_part, count, size, "solid", progress)
    return Solids(images, labels)
