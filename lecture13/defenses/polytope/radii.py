"""The radii of the bounds: rows of the units, carried back through the relaxed network to its input.

Every relaxed unit is ``d·(ẑ + h) ± d·h``, every input ``x ± r₀``. So each value in the network is affine in the inputs
and in the units' deviations, and can differ from its value at the centre by the radius

    Σ_j |ν_j|·(d·h)_j + Σ_i |ν̂_i|·r₀_i,

with ν the row of Algorithm 1 at each unit (Wong & Kolter 2018; there the sums are ``Σ ℓ_j·[ν_j]₊`` and ``ε‖ν̂₁‖₁``, and
lower and upper bound share their ν in the same way). Rows are carried for those units alone that are asked for, in
batches of images that ask for about as many.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from lecture13.defenses.polytope.layers import Affine
from lecture13.defenses.polytope.relaxation import Relaxation
from lecture13.defenses.polytope.windows import Windows, worth_while

#: values in the largest tensor of rows, by the kind of device
BUDGET = {"cpu": 2**21, "cuda": 2**26}


def radii(affines: list[Affine], relaxations: list[Relaxation], radius: Tensor, wanted: Tensor) -> Tensor:
    """The radii of the units after the last of ``affines``, where ``wanted``; 0 elsewhere.

    Args:
        affines: L maps, each after a relaxed ReLU but the first.
        relaxations: of the L − 1 ReLUs between them.
        radius: r₀ ``(N, *input)``.
        wanted: bool ``(N, units)``.

    Returns:
        ``(N, units)``.
    """
    top = affines[-1]
    if len(affines) == 1 and top.plain:
        return top.spread(radius).flatten(1)
    budget = BUDGET.get(radius.device.type, BUDGET["cuda"])
    # the last ReLU's own deviations meet the rows of W, of which no more than absolute values is wanted
    known = top.spread(relaxations[-1].radius).flatten(1) if top.plain else None
    cut = known is not None and worth_while(affines)
    run = _WindowedRows(affines, radius, budget) if cut else _WholeRows(affines, radius, wanted.shape[1], budget)
    found = radius.new_zeros(wanted.shape)
    for images, units, filled in _packed(wanted, run.rows, run.images):
        values = run(images, units, [each.of(images) for each in relaxations], known is None)
        if known is not None:
            values = values + known[images].gather(1, units)
        where = images[:, None].expand_as(units)[filled], units[filled]
        put = found.index_put if values.requires_grad else found.index_put_
        found = put(where, values[filled])
    return found


def carry(
    affines: list[Affine], relaxations: list[Relaxation], radius: Tensor, rows: Tensor, *, counted: bool = True
) -> Tensor:
    """The radius of each row: ``Σ_j |ν_j|(d·h)_j + Σ_i |ν̂_i|·r₀_i``.

    Args:
        affines: the maps before the one that the rows start from.
        relaxations: as many, one after each.
        radius: r₀ ``(n, *input)``.
        rows: ``(n, U, *units)``, on the last ReLU's outputs (without one, on the input).
        counted: whether the last ReLU's own deviations count, or have been counted already.

    Returns:
        ``(n, U)``.
    """
    total = radius.new_zeros(rows.shape[:2])
    for affine, relaxation in zip(reversed(affines), reversed(relaxations), strict=True):
        rows = rows * relaxation.slope[:, None]  # ν ← D ν̂
        if counted:
            total = total + _weighted(rows, relaxation.reach)
        rows = affine.transpose(rows.flatten(0, 1)).unflatten(0, total.shape)  # ν̂ ← Wᵀν
        counted = True
    return total + _weighted(rows, radius)


class _WholeRows:
    """Radii by rows on whole layers."""

    def __init__(self, affines: list[Affine], radius: Tensor, units: int, budget: int):
        self.affines, self.radius = affines, radius
        self.rows = self.images = budget // max(_count(affine.taken) for affine in affines)
        fits = units * _count(affines[-1].taken) <= budget
        #: the rows of all units on the last ReLU's outputs, which are the same for all images
        self.shared = self._start(torch.arange(units, device=radius.device)) if fits else None

    def __call__(self, images: Tensor, units: Tensor, relaxations: list[Relaxation], counted: bool) -> Tensor:
        if self.shared is None:
            each, where = units.unique(return_inverse=True)
            rows = self._start(each)[where]
        else:
            rows = self.shared[units]
        return carry(self.affines[:-1], relaxations, self.radius[images], rows, counted=counted)

    def _start(self, units: Tensor) -> Tensor:
        """The rows that single units have before their affine map: rows of W."""
        one = self.radius.new_zeros(len(units), _count(self.affines[-1].given))
        one[torch.arange(len(units), device=units.device), units] = 1.0
        return self.affines[-1].transpose(one.view(len(units), *self.affines[-1].given))


class _WindowedRows:
    """Radii by rows that are windows; the last ReLU's own deviations are never counted."""

    def __init__(self, affines: list[Affine], radius: Tensor, budget: int):
        self.windows, self.radius = Windows(affines, radius), radius
        largest = max(_count(level.size) for level in self.windows.levels)
        self.rows, self.images = budget // largest, budget // (largest * _count(self.windows.places))

    def __call__(self, images: Tensor, units: Tensor, relaxations: list[Relaxation], counted: bool) -> Tensor:
        windows, radius = self.windows, self.radius[images]
        channels, places = windows.split(units)
        first = _count(windows.places) * torch.arange(len(units), device=units.device)
        places = (places + first[:, None]).flatten()

        def at(level: int, maps: Tensor) -> Tensor:
            return windows.levels[level].cut(maps, windows.places).flatten(0, 1)[places]

        rows = windows.template[channels.flatten()]
        total = 0.0
        for level, relaxation in enumerate(reversed(relaxations)):
            rows = rows * at(level, relaxation.slope)
            if level:
                total = total + (rows.abs() * at(level, relaxation.reach)).sum(1)
            rows = windows.back(level, rows)
        total = total + (rows.abs() * at(len(relaxations), radius)).sum(1)
        return total.view(units.shape)


def _weighted(rows: Tensor, weights: Tensor) -> Tensor:
    """``Σ |row|·weight``: rows ``(n, U, *shape)``, weights ``(n, *shape)`` → ``(n, U)``."""
    return (rows.abs() * weights[:, None]).sum(tuple(range(2, rows.ndim)))


def _packed(wanted: Tensor, most: int, most_images: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches of so many rows and images at most (or of one): images ``(n,)``, units ``(n, U)``, which are wanted.

    Images are sorted by how many units they want, so that few places of a batch are left to be filled.
    """
    most, most_images = max(1, most), max(1, most_images)
    counts = wanted.sum(1)
    order = counts.argsort(descending=True)
    sizes, start = counts[order].tolist(), 0
    while start < len(sizes) and sizes[start]:
        images = order[start : start + min(most_images, max(1, most // sizes[start]))]
        start += len(images)
        units = torch.argsort(wanted[images].to(torch.uint8), dim=1, descending=True, stable=True)
        units = units[:, : sizes[start - len(images)]]
        filled = wanted[images].gather(1, units)
        for part, full in zip(units.split(most, 1), filled.split(most, 1), strict=True):
            yield images, part, full


def _count(shape: tuple[int, ...]) -> int:
    return int(torch.Size(shape).numel())
