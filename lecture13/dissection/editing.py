"""Write to units: switch them off, or set them where you like.

    with ablate(G, "blocks.block8", trees):
        G(z)                                                    # the same scenes without trees
    with insert(G, "blocks.block8", doors, where, level[doors]):
        G(z)                                                    # and doors, if the place allows

What reaches the layers after it is changed; weights are not, and nothing remains when the block ends.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from lecture13.dissection.concepts import Masks, index_of
from lecture13.tracing import batches, trace


@contextmanager
def insert(
    model: nn.Module,
    layer: str,
    units: Sequence[int] | Tensor,
    where: Tensor | None,
    value: float | Tensor,
) -> Iterator[None]:
    """Set units of a layer to ``value`` at some places, while the block runs the model.

    Args:
        model: any module.
        layer: its name.
        units: numbers from 0 to C − 1; none changes nothing.
        where: bool, over the layer's own places, (h, w) for all inputs alike or (N, h, w) for each; None is everywhere.
            (:func:`cells` makes one of a region in pixels.) A layer without places takes (N,).
        value: one for all, or (U,), one for each of the units: a conditional mean, a high quantile.

    Raises:
        ValueError: an unknown layer, a negative unit, a ``where`` that is no mask, or a value of another shape; and
            when the model runs, a unit that the layer does not have, or a ``where`` of another size.
    """
    numbers = _units(units)
    if where is not None and (not isinstance(where, Tensor) or where.dtype != torch.bool):
        kind = where.dtype if isinstance(where, Tensor) else type(where).__name__
        raise ValueError(f"where is {kind}; expected a bool tensor over the layer's cells, or None for everywhere")
    value = torch.as_tensor(value, dtype=torch.float32 if isinstance(value, int | float) else None)
    if value.shape not in ((), numbers.shape):
        raise ValueError(f"value has shape {tuple(value.shape)}; expected one number, or one for each of {numbers}")

    def edit(given: Tensor) -> Tensor:
        _check_units(numbers, given, layer)
        chosen = numbers.to(given.device)
        new = value.to(given).reshape(-1, *[1] * (given.ndim - 2))
        if where is not None:
            new = torch.where(_over(where.to(given.device), given, layer), new, given[:, chosen])
        changed = given.clone()
        changed[:, chosen] = new
        return changed

    with trace(model, edit={layer: edit}):
        yield


def ablate(
    model: nn.Module, layer: str, units: Sequence[int] | Tensor, *, where: Tensor | None = None, value: float = 0.0
) -> AbstractContextManager[None]:
    """Set units of a layer to zero, or to another value: everywhere, or at some places. As :func:`insert`."""
    return insert(model, layer, units, where, value)


@contextmanager
def keep(model: nn.Module, layer: str, units: Sequence[int] | Tensor) -> Iterator[None]:
    """Set all *other* units of a layer to zero. As :func:`ablate`."""
    numbers = _units(units)

    def edit(given: Tensor) -> Tensor:
        _check_units(numbers, given, layer)
        changed, chosen = torch.zeros_like(given), numbers.to(given.device)
        changed[:, chosen] = given[:, chosen]
        return changed

    with trace(model, edit={layer: edit}):
        yield


def cells(region: Tensor, size: tuple[int, int], *, share: float = 0.5) -> Tensor:
    """The cells of a layer that a region of the image covers: bool (…, H, W) → bool (…, h, w).

    Args:
        region: over the image's pixels: a brush stroke, a concept's mask.
        size: (h, w) of the layer's maps.
        share: of a cell's area that must be covered, in [0, 1]; 0 takes each cell that is touched.

    Raises:
        ValueError: a region that is no mask, or a share out of range.
    """
    if region.dtype != torch.bool or region.ndim < 2:
        raise ValueError(f"region is {region.dtype} of shape {tuple(region.shape)}; expected bool (…, H, W)")
    if not 0 <= share <= 1:
        raise ValueError(f"share={share}; expected from 0 (touched) to 1 (covered)")
    covered = adaptive_avg_pool2d(region.float().reshape(-1, 1, *region.shape[-2:]), size)
    chosen = covered > 0 if share == 0 else covered >= share - 1e-6
    return chosen.reshape(*region.shape[:-2], *size)


def one_cell(allowed: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """One of the allowed cells of each image, drawn: bool (N, h, w) → bool (N, h, w); none where none is allowed."""
    chance = torch.rand(allowed.shape, generator=generator).to(allowed.device)
    scores = torch.where(allowed, chance, -1.0).flatten(1)
    chosen = torch.zeros_like(scores, dtype=torch.bool).scatter_(1, scores.argmax(1, keepdim=True), True)
    return chosen.view_as(allowed) & allowed


def conditional_mean(
    model: nn.Module,
    layer: str,
    inputs: Tensor,
    masks: Masks,
    concept: str,
    *,
    kind: str | None = None,
    batch_size: int = 32,
) -> Tensor:
    """The mean activation of each unit where a concept stands: (C,) float32, on the CPU.

    Each cell weighs as much as the share of it that the concept covers.

    Raises:
        ValueError: an unknown concept, masks of another number of images, or a concept that never appears.
    """
    index = index_of(masks.concepts, concept, kind)
    if len(masks) != len(inputs):
        raise ValueError(f"masks of {len(masks)} images for {len(inputs)} inputs; expected those of the same images")
    total, weight = 0.0, 0.0
    for batch in batches(model, inputs, layer, batch_size=batch_size):
        found = batch.activations[layer]
        if found.ndim != 4:
            raise ValueError(f"layer {layer!r} gives shape {tuple(found.shape)}; expected maps (N, C, h, w)")
        mask = masks.planes(batch.index, found.device)[index].view(len(found), 1, *masks.size)
        share = adaptive_avg_pool2d(mask, found.shape[-2:])
        total = total + (found * share).sum((0, 2, 3)).double()
        weight = weight + share.sum().double()
    if not float(weight):
        raise ValueError(
            f"{masks.concepts[index]} is in none of the {len(inputs)} images; choose another, or more images"
        )
    return (total / weight).float().cpu()


def _units(units: Sequence[int] | Tensor) -> Tensor:
    numbers = torch.as_tensor(units).long().cpu() if len(units) else torch.empty(0, dtype=torch.int64)
    if numbers.ndim != 1 or (len(numbers) and int(numbers.min()) < 0):
        raise ValueError(f"units={units!r}; expected a list of numbers from 0 on")
    return numbers


def _check_units(units: Tensor, given: Tensor, layer: str) -> None:
    if given.ndim < 2 or (len(units) and int(units.max()) >= given.shape[1]):
        raise ValueError(
            f"unit {int(units.max())} of layer {layer!r}, which gives shape {tuple(given.shape)}; expected 0 … "
            f"{given.shape[1] - 1}"
        )


def _over(where: Tensor, given: Tensor, layer: str) -> Tensor:
    """``where`` as (N or 1, 1, …), to be spread over units."""
    of_all = given.shape[2:]
    if where.shape == of_all and of_all:
        return where[None, None]
    if where.shape == (len(given), *of_all):
        return where[:, None]
    raise ValueError(
        f"where has shape {tuple(where.shape)}; layer {layer!r} gives {tuple(given.shape)}, so expected "
        f"{tuple(of_all)} or {(len(given), *of_all)}: dissection.cells(region, size) makes it of pixels"
    )
