"""Quantiles of every unit at once, over more activations than memory holds.

The level of a unit at a share s is the smallest activation that at most a share s of its n activations lie above: the
(⌊s·n⌋ + 1)-th largest. Bau et al. 2020 take s = 1 %. Three ways to it, all fed in parts, of any size, in any order:

- :class:`Largest` keeps the few largest values of each unit: exact, for high levels whose n is known beforehand.
- :func:`places` draws some of an image's positions, the same whenever the same image is asked for. The level over
  them, by :class:`Largest`, needs memory that does not grow with n, and still does not depend on batches or order.
- :class:`Sketch` halves what it holds again and again: any level, n unknown, memory ∝ log n.

Their errors are in rank: the share of the activations that lie between the level found and the true one.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Self

import torch
from torch import Tensor

#: The error in rank that is promised, as a share of the samples; five standard deviations of chance stay below it.
RANK_ERROR = 0.001
DEVIATIONS = 5

#: Room for at least so many new values beside the largest.
SLACK = 1024

#: Values that :func:`quantiles` holds before it goes over to a sketch: 64 MB.
HELD = 2**24


def rank(share: float, count: int) -> int:
    """⌊share · count⌋: how many of ``count`` values may lie above the level. Raises ValueError outside 0 ≤ share < 1.

    A product that is whole up to rounding is taken as whole: .29 of 100 are 29.
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
        raise ValueError(f"share={share!r}; expected a number in [0, 1), such as 0.01 for the top 1 %")
    return math.floor(share * count + 1e-9 * max(1, count * share))


class Largest:
    """The ``keep`` largest values of each unit, exactly.

    Merging is exact too, so neither batches, nor their order, nor processes change the result. What is not above the
    ``keep``-th largest so far is left out by one comparison; the rest is gathered, and cut back by ``topk`` when twice
    as many are there. Holds about 2 · keep values a unit.

    Raises:
        ValueError: ``keep`` below 1.
    """

    def __init__(self, keep: int):
        if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
            raise ValueError(f"keep={keep!r}; expected a whole number ≥ 1")
        self.keep, self.count = keep, 0
        self._room = keep + max(keep, SLACK)
        self._values: Tensor | None = None  # (C, room), −∞ where nothing is
        self._filled: int | Tensor = 0  # columns in use: of all units alike, until the first cut; then (C,)

    def add(self, values: Tensor) -> Self:
        """Take in ``values`` (M, C), one column a unit.

        Raises:
            ValueError: another shape, other units than before, or NaN.
        """
        _check(values, None if self._values is None else len(self._values))
        self.count += len(values)
        self._take(values)
        return self

    def merge(self, other: "Largest") -> Self:
        """Take in what another kept of other samples of the same units (of another process, say)."""
        if other.keep < self.keep:
            raise ValueError(f"the other keeps {other.keep} values of each unit; expected at least {self.keep}")
        if other._values is not None:
            held = other._values[:, : int(torch.as_tensor(other._filled).max())].T
            _check(held, None if self._values is None else len(self._values))
            self.count += other.count
            self._take(held if self._values is None else held.to(self._values.device))
        return self

    def values(self) -> Tensor:
        """(keep, C) float32: the largest values of each unit, from the largest down; the last row is the level.

        Raises:
            ValueError: fewer values were taken in.
        """
        if self._values is None or self.count < self.keep:
            raise ValueError(f"{self.count} values were added; expected at least keep={self.keep}")
        self._cut()
        return self._values[:, : self.keep].sort(dim=1, descending=True).values.T

    def levels(self, shares: Sequence[float]) -> Tensor:
        """(S, C) float32: the level of each unit at each share of what was taken in.

        Raises:
            ValueError: as :meth:`values`; a share of which more lie above than are kept, or outside [0, 1).
        """
        ranks = [rank(share, self.count) for share in shares]
        if max(ranks, default=0) >= self.keep:
            raise ValueError(f"{max(ranks)} of {self.count} values lie above; expected fewer than keep={self.keep}")
        if set(ranks) == {self.keep - 1}:  # nothing to sort
            self._cut()
            return self._floor.expand(len(ranks), -1).clone()
        return self.values()[ranks]

    def _take(self, values: Tensor) -> None:
        if self._values is None:
            self._values = values.new_full((values.shape[1], self._room), -torch.inf, dtype=torch.float32)
            self._floor = self._values[:, 0].clone()
        for part in values.float().split(self._room - self.keep):  # fits after a cut, whatever lies above
            if isinstance(self._filled, int) and self._filled + len(part) <= self._room:
                self._values[:, self._filled : self._filled + len(part)] = part.T
                self._filled += len(part)
            else:
                self._gather(part)

    def _gather(self, part: Tensor) -> None:
        if isinstance(self._filled, int):
            self._cut()
        sample, unit = (part > self._floor).nonzero(as_tuple=True)
        order = unit.argsort(stable=True)
        unit, found = unit[order], part[sample, unit][order]
        counts = unit.bincount(minlength=len(self._values))
        if int((self._filled + counts).max()) > self._room:
            self._cut()
        first = counts.cumsum(0) - counts
        place = torch.arange(len(unit), device=unit.device) + (self._filled - first)[unit]
        self._values[unit, place] = found
        self._filled += counts

    def _cut(self) -> None:
        for rows, floor in zip(self._values.split(64), self._floor.split(64), strict=True):  # topk's indices take room
            best = rows.topk(self.keep, dim=1, sorted=False).values
            rows[:, : self.keep] = best
            rows[:, self.keep :] = -torch.inf
            floor.copy_(best.amin(1))
        filled = torch.as_tensor(self._filled, device=self._values.device).expand(len(self._values))
        self._filled = filled.clamp(max=self.keep)


def enough(share: float) -> int:
    """How many of the largest values of a random sample hold the promised :data:`RANK_ERROR` at ``share``.

    Of m values drawn, s·m ± √(s(1 − s)m) lie above the true level: with k = s·m of them kept, a deviation in rank of
    s·√((1 − s)/k), of which :data:`DEVIATIONS` must stay below the promise.
    """
    return math.ceil(share**2 * (1 - share) * (DEVIATIONS / RANK_ERROR) ** 2)


def places(image: int, positions: int, count: int) -> Tensor:
    """``count`` of an image's ``positions``, drawn without replacement: (count,) int64, the same for the same image."""
    chance = torch.Generator().manual_seed(image)
    return torch.randperm(positions, generator=chance)[:count]


class Sketch:
    """Any quantile of each unit, from a few thousand of its values (after Karnin, Lang & Liberty 2016).

    Level h holds values that stand for 2^h samples each. Where it has ``size`` of them, they are sorted, every second
    one is passed on to level h + 1, and the others are forgotten; whether the first or the second of each pair stays
    is drawn. A quantile's rank is then off by ±2^h or not at all, independently at each halving, so that the standard
    deviation of its error, as a share of the n samples, stays below √2/size (Σ_h 4^h · n/(size · 2^h) is at most
    2(n/size)²). Five of them are :data:`RANK_ERROR`.

    Holds fewer than ``size`` values a unit at each of about log₂(n/size) levels. Below ``size`` samples it is exact.
    Batches and their order change the result, within the error.
    """

    def __init__(self, size: int = math.ceil(DEVIATIONS * math.sqrt(2) / RANK_ERROR), seed: int = 0):
        if isinstance(size, bool) or not isinstance(size, int) or size < 2:
            raise ValueError(f"size={size!r}; expected a whole number ≥ 2")
        self.size, self.count = size, 0
        self._levels: list[list[Tensor]] = []
        self._chance = torch.Generator().manual_seed(seed)

    def add(self, values: Tensor) -> Self:
        """Take in ``values`` (M, C), one column a unit. Raises ValueError as :meth:`Largest.add`."""
        _check(values, self._levels[0][0].shape[1] if self._levels else None)
        if len(values):
            self.count += len(values)
            self._push(0, values.float().clone())
        return self

    def merge(self, other: "Sketch") -> Self:
        """Take in what another sketch holds of other samples of the same units."""
        for level, parts in enumerate(other._levels):
            for part in parts:
                _check(part, self._levels[0][0].shape[1] if self._levels else None)
                self._push(level, part.to(self._levels[0][0].device) if self._levels else part)
        self.count += other.count
        return self

    def levels(self, shares: Sequence[float]) -> Tensor:
        """(S, C) float32: the level of each unit at each share.

        Raises:
            ValueError: no values were added, or a share outside [0, 1).
        """
        ranks = [rank(share, self.count) for share in shares]
        if not self.count:
            raise ValueError("no values were added; expected at least one")
        held = [torch.cat(parts) for parts in self._levels]
        weights = torch.cat([torch.full((len(h),), 2**level, device=h.device) for level, h in enumerate(held)])
        values, order = torch.cat(held).sort(dim=0, descending=True)
        covered = weights[order].cumsum(0)  # samples at or above each value
        found = [values.gather(0, (covered <= r).sum(0, keepdim=True)) for r in ranks]
        return torch.cat(found)

    def _push(self, level: int, values: Tensor) -> None:
        if level == len(self._levels):
            self._levels.append([values[:0]])
        self._levels[level].append(values)
        if sum(map(len, self._levels[level])) < self.size:
            return
        values = torch.cat(self._levels[level]).sort(dim=0).values
        even = len(values) // 2 * 2
        keep = int(torch.randint(2, (), generator=self._chance))
        self._levels[level] = [values[even:].clone()]
        self._push(level + 1, values[keep:even:2].clone())


def quantiles(
    parts: Tensor | Iterable[Tensor], shares: float | Sequence[float], *, count: int | None = None, held: int = HELD
) -> Tensor:
    """The level of each unit that a share of its activations lies above.

    Exact while the values fit (``held``), and beyond that where ``count`` is given and those above the levels fit; else
    by a :class:`Sketch`, off by at most .1 % of the samples in rank.

    Args:
        parts: activations (N, C, …), or an iterable of such parts, as :func:`~lecture13.dissection.activations` gives.
        shares: in [0, 1): .01 is the top 1 %; or several.
        count: activations of a unit in all the parts together (N·H·W), if known.
        held: values that may be kept, of all units together.

    Returns:
        float32 (C,), or (S, C) for several shares.

    Raises:
        ValueError: no activations, NaN, parts of different units, a share out of range, a count that is not theirs.
    """
    wanted = [shares] if isinstance(shares, int | float) else list(shares)
    if not wanted:
        raise ValueError("no shares; expected one or more in [0, 1), such as 0.01 for the top 1 %")
    most = max(rank(share, count or 1) for share in wanted) + 1
    store: _Everything | Largest | Sketch | None = None
    for part in [parts] if isinstance(parts, Tensor) else parts:
        rows = _rows(part)
        if store is None:
            beyond = count is not None and count * rows.shape[1] > held
            store = Largest(most) if beyond and most * rows.shape[1] <= held else _Everything()
        store.add(rows)
        if isinstance(store, _Everything) and store.count * rows.shape[1] > held:
            store = store.sketch()
    if store is None or not store.count:
        raise ValueError("no activations; expected (N, C, …) with N ≥ 1")
    if count is not None and count != store.count:
        raise ValueError(f"count={count}, but the parts hold {store.count} activations of each unit")
    found = store.levels(wanted)
    return found if isinstance(shares, Sequence) else found[0]


class _Everything:
    """All values, while they fit."""

    def __init__(self):
        self.count, self._parts = 0, []

    def add(self, values: Tensor) -> None:
        _check(values, self._parts[0].shape[1] if self._parts else None)
        self.count += len(values)
        self._parts.append(values.float())

    def levels(self, shares: Sequence[float]) -> Tensor:
        ranks = [rank(share, self.count) for share in shares]
        return torch.cat(self._parts).topk(max(ranks) + 1, dim=0).values[ranks]

    def sketch(self) -> Sketch:
        sketch = Sketch()
        for part in self._parts:
            sketch.add(part)
        return sketch


def _rows(part: Tensor) -> Tensor:
    """(N, C, …) → (N · …, C)."""
    if part.ndim < 2:
        raise ValueError(f"activations of shape {tuple(part.shape)}; expected (N, C, …)")
    return part.movedim(1, -1).reshape(-1, part.shape[1])


def _check(values: Tensor, units: int | None) -> None:
    if values.ndim != 2 or not values.shape[1]:
        raise ValueError(f"values of shape {tuple(values.shape)}; expected (samples, units) with 1 unit or more")
    if units is not None and values.shape[1] != units:
        raise ValueError(f"values of {values.shape[1]} units after those of {units}; expected the same units")
    if bool(values.sum().isnan()) and bool(values.isnan().any()):  # ∞ − ∞ has a rank
        unit = int(values.isnan().any(0).nonzero()[0])
        raise ValueError(f"unit {unit} holds NaN, which has no rank: are the inputs and the model's weights finite?")
