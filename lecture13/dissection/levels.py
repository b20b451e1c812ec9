"""The levels of a layer's units over many images, on its own cells or on its maps brought to the masks' size."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from lecture13.dissection.quantiles import Largest, Sketch, enough, places, rank

#: Largest values that are kept of a layer, all units together (8 MB, and as much again while they are gathered);
#: beyond, the level is that of a sample of each image's places.
KEPT = 2**21
#: Samples of a unit from which the grid's levels are taken.
GRID_SAMPLES = 2**16
#: Values that are brought to the masks' size at a time: what a processor's cache holds, and what fills a GPU.
CHUNK, CHUNK_CUDA = 2**21, 2**26


def upsampled(activations: Tensor, size: tuple[int, int]) -> Tensor:
    """Activations (N, C, …) at the masks' size: (N, C, H, W) float32, bilinear between the centres of the cells.

    A layer without places, (N, C), is the same everywhere; one with a single axis of them, (N, C, L), is a row.
    """
    maps = as_maps(activations)
    if maps.shape[-2:] == tuple(size):
        return maps
    return interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)


class Levels:
    """The levels of one layer's units, while its images pass.

    Exact while the largest values fit; beyond, those of a sample of each image's places, drawn by its number.

    Args:
        images: N, how many will pass.
        quantile: the share of the places that shall lie above the level.
        grid: shares of further levels, taken on a sample; None: no others.
    """

    def __init__(self, images: int, quantile: float, grid: Sequence[float] | None):
        self.images, self.quantile, self.grid = images, quantile, grid
        self.largest: Largest | None = None
        self.sketch = Sketch()

    def add(self, activations: Tensor, first: int, size: tuple[int, int] | None) -> None:
        """Take in (n, C, …) of the images from number ``first`` on: at a size, or None, at the layer's own."""
        maps = as_maps(activations)
        size = size or maps.shape[-2:]
        positions = size[0] * size[1]
        if self.largest is None:
            self._plan(positions, maps.shape[1])
        for index, part in chunks(maps, size):
            rows, images = pixel_rows(part, size), range(first + index.start, first + index.stop)
            self.largest.add(_sampled(rows, images, positions, self.sampled))
            if self.grid:
                self.sketch.add(_sampled(rows, images, positions, self.for_grid))

    def found(self) -> Tensor:
        """(1 + G, C): the level at the quantile, and at the shares of the grid."""
        exact = self.largest.levels([self.quantile])
        return torch.cat([exact, self.sketch.levels(self.grid)]) if self.grid else exact

    def _plan(self, positions: int, units: int) -> None:
        """How many of an image's positions are looked at: all, if so many values can be kept."""
        affordable = max(KEPT // units, enough(self.quantile))
        self.sampled = positions
        if rank(self.quantile, self.images * positions) >= affordable:
            self.sampled = min(positions, math.ceil(affordable / (self.quantile * self.images)))
        self.for_grid = min(positions, math.ceil(GRID_SAMPLES / self.images))
        self.largest = Largest(rank(self.quantile, self.images * self.sampled) + 1)


def as_maps(activations: Tensor) -> Tensor:
    """(N, C), (N, C, L) or (N, C, h, w) → (N, C, h, w), float32. ValueError for any other shape."""
    if not 2 <= activations.ndim <= 4:
        raise ValueError(f"activations of shape {tuple(activations.shape)}; expected (N, C), (N, C, L) or (N, C, h, w)")
    for _ in range(4 - activations.ndim):
        activations = activations.unsqueeze(2)
    return activations.float()


def chunks(maps: Tensor, size: tuple[int, int]) -> Iterator[tuple[slice, Tensor]]:
    """Some images of maps (N, C, h, w) at a time: as many as :func:`pixel_rows` can bring to a size at once."""
    limit = CHUNK_CUDA if maps.is_cuda else CHUNK
    step = max(1, min(limit // maps.shape[1], 2**23) // (size[0] * size[1]))  # float32 counts to 2²⁴
    for start in range(0, len(maps), step):
        part = maps[start : start + step]
        yield slice(start, start + len(part)), part


def pixel_rows(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps (n, C, h, w) at a size, as (n·H·W, C).

    Units stand last: bilinear interpolation is ten times faster so, and the units' levels are one row to compare with.
    """
    large = upsampled(maps.contiguous(memory_format=torch.channels_last), size)
    return large.movedim(1, -1).reshape(-1, maps.shape[1])


def _sampled(rows: Tensor, images: range, positions: int, count: int) -> Tensor:
    """``count`` of each image's rows."""
    if count == positions:
        return rows
    chosen = [places(image, positions, count) + number * positions for number, image in enumerate(images)]
    return rows[torch.cat(chosen).to(rows.device)]
