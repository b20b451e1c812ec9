"""What an edit does to the picture, counted: each concept's pixels in the segmented output, before and after.

Bau et al. 2020, Figure 4: the causal effect of a set of units on a concept is the change of its area. Removing units
that draw trees should remove trees; removing as many others should not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13.dissection.concepts import Segment, label_maps
from lecture13.dissection.editing import insert
from lecture13.estimates import LEVEL, RESAMPLES, Estimate, share
from lecture13.guard import check_count, frozen
from lecture13.tracing import batches


@dataclass(frozen=True)
class Effect:
    """Pixels of K names in N pictures, int64 (N, K), as they are drawn and as they are drawn after an edit."""

    names: tuple[str, ...]
    before: Tensor
    after: Tensor

    def change(self, name: str) -> Estimate:
        """(after − before) / before of a name's pixels in all pictures: −1 is all gone, 0 as it was, .3 is 30 % more.

        With its 95 % interval, by bootstrap over pictures; NaN where there was nothing before.
        """
        column = self._column(name)
        pixels = torch.stack([self.before[:, column], self.after[:, column]], dim=1).double().cpu().numpy()
        if not pixels[:, 0].sum():
            return Estimate(float("nan"), float("nan"), float("nan"))
        chance, drawn = np.random.default_rng(0), []
        for _ in range(RESAMPLES // 100):
            counts = chance.multinomial(len(pixels), np.full(len(pixels), 1 / len(pixels)), size=100)
            drawn.append(counts @ pixels)
        before, after = np.concatenate(drawn).T
        ratios = after[before > 0] / before[before > 0] - 1
        low, high = np.quantile(ratios, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Estimate(float(pixels[:, 1].sum() / pixels[:, 0].sum() - 1), float(low), float(high))

    def removed(self, name: str) -> Estimate:
        """The share of a name's pixels that is gone: −:meth:`change`."""
        change = self.change(name)
        return Estimate(-change.value, -change.high, -change.low)

    def gained(self, name: str, pixels: int = 1) -> Estimate:
        """The share of pictures with at least so many pixels more of a name, with its Wilson interval."""
        more = self.after[:, self._column(name)] - self.before[:, self._column(name)]
        return share(int((more >= check_count("pixels", pixels)).sum()), len(more))

    def among(self, chosen: Tensor) -> "Effect":
        """The same of some of the pictures: their indices, or a mask (N,) of booleans."""
        return Effect(self.names, self.before[chosen], self.after[chosen])

    def _column(self, name: str) -> int:
        if name not in self.names:
            raise ValueError(f"no concept {name!r}; known: {', '.join(self.names)}")
        return self.names.index(name)


def areas(
    model: nn.Module, layer: str, inputs: Tensor, segment: Segment, names: Sequence[str], *, batch_size: int = 32
) -> Tensor:
    """Pixels of each name in what a generator draws of ``inputs``: int64 (N, K); see :func:`effect`."""
    return _areas(model, layer, (), inputs, segment, names, None, 0.0, batch_size)


def effect(
    model: nn.Module,
    layer: str,
    units: Sequence[int] | Tensor,
    inputs: Tensor,
    segment: Segment,
    names: Sequence[str],
    *,
    where: Tensor | None = None,
    value: float | Tensor = 0.0,
    before: Tensor | None = None,
    batch_size: int = 32,
) -> Effect:
    """Draw ``inputs`` as they are and with ``units`` set to ``value``, and count what is in the pictures.

    Args:
        model: a generator: noise (N, …) → pictures (N, C, H, W).
        layer, units, where, value: as :func:`~lecture13.dissection.insert`; as they stand here, units are removed.
            ``where`` is (h, w), or (N, h, w) over all N inputs.
        inputs: noise (N, …), other than what the units were chosen on.
        segment: pictures, as the model gives them → numbers (n, H, W), or logits (n, K, H, W).
        names: what the K numbers stand for.
        before: what :func:`areas` gives, if it is known already.
        batch_size: pictures at a time.

    Raises:
        ValueError: as :func:`~lecture13.dissection.insert`; numbers that have no name; other counts ``before``.
    """
    if before is None:
        before = areas(model, layer, inputs, segment, names, batch_size=batch_size)
    elif before.shape != (len(inputs), len(names)):
        raise ValueError(
            f"before has shape {tuple(before.shape)}; expected {(len(inputs), len(names))}, as areas gives"
        )
    after = _areas(model, layer, units, inputs, segment, names, where, value, batch_size)
    return Effect(tuple(names), before, after)


@dataclass(frozen=True)
class Comparison:
    """Some units' effect beside that of as many random ones.

    Args:
        chosen: the effect of the units.
        random: effects of plain random draws; ``held`` says how many of each draw belong to ``outside``.
        elsewhere: effects of draws outside ``outside``.
    """

    chosen: Effect
    random: list[Effect]
    held: list[int]
    elsewhere: list[Effect]


def against_random(
    model: nn.Module,
    layer: str,
    units: Sequence[int] | Tensor,
    inputs: Tensor,
    segment: Segment,
    names: Sequence[str],
    *,
    outside: Sequence[int] | Tensor,
    draws: int = 3,
    batch_size: int = 32,
    generator: torch.Generator | None = None,
) -> Comparison:
    """Remove ``units``, and as many random ones: of all, and of those not in ``outside`` (the concept's detectors).

    Arguments and errors as :func:`effect`, and ValueError where too few units lie outside.
    """
    total = next(batches(model, inputs[:1], layer)).activations[layer].shape[1]
    generator = generator or torch.Generator().manual_seed(0)
    plain = [random_units(len(units), total, generator=generator) for _ in range(draws)]
    others = [random_units(len(units), total, outside=outside, generator=generator) for _ in range(draws)]
    before = areas(model, layer, inputs, segment, names, batch_size=batch_size)
    done = []
    for some in tqdm([torch.as_tensor(units), *plain, *others], desc="removing units", delay=2, leave=False):
        done.append(effect(model, layer, some, inputs, segment, names, before=before, batch_size=batch_size))
    known = set(torch.as_tensor(outside).tolist())
    held = [len(known.intersection(some.tolist())) for some in plain]
    return Comparison(done[0], done[1 : 1 + draws], held, done[1 + draws :])


def random_units(
    count: int, total: int, *, outside: Sequence[int] | Tensor = (), generator: torch.Generator | None = None
) -> Tensor:
    """``count`` of ``total`` units, none twice and none of ``outside``: (count,) int64, in rising order.

    Raises:
        ValueError: there are not so many.
    """
    banned = set(torch.as_tensor(outside).tolist())
    pool = torch.tensor([unit for unit in range(total) if unit not in banned], dtype=torch.int64)
    if not 0 <= count <= len(pool):
        raise ValueError(
            f"{count} units of {len(pool)} (of {total}, {len(banned)} are ruled out); expected 0 to as many"
        )
    return pool[torch.randperm(len(pool), generator=generator)[:count]].sort().values


@dataclass(frozen=True)
class Ranking:
    """Units of a layer, the most effective first, and the effect of each: (U,) int64, (U,) float64."""

    units: Tensor
    effects: Tensor


def rank_by_effect(
    model: nn.Module,
    layer: str,
    inputs: Tensor,
    segment: Segment,
    names: Sequence[str],
    concept: str,
    *,
    units: Sequence[int] | Tensor | None = None,
    batch_size: int = 32,
) -> Ranking:
    """Rank units by the share of a concept's pixels that is gone when each is removed alone.

    Takes one pass over the inputs for each unit. Judge the ranking on other inputs than these.

    Args:
        model, layer, inputs, segment, names, batch_size: as :func:`effect`.
        concept: one of the names.
        units: those to be ranked (the first hundred by IoU, say); None: all of the layer.

    Raises:
        ValueError: a concept that is not among the names, or that no picture shows; and as :func:`effect`.
    """
    before = areas(model, layer, inputs, segment, names, batch_size=batch_size)
    column = Effect(tuple(names), before, before)._column(concept)
    if not int(before[:, column].sum()):
        raise ValueError(f"no picture of {len(inputs)} shows {concept!r}; take more inputs, or another concept")
    if units is None:
        units = range(next(batches(model, inputs[:1], layer)).activations[layer].shape[1])
    numbers = torch.as_tensor(units)
    gone = torch.zeros(len(numbers), dtype=torch.float64)
    for place, unit in enumerate(tqdm(numbers.tolist(), desc=f"units of {layer}", unit="unit", delay=2, leave=False)):
        after = _areas(model, layer, [unit], inputs, segment, names, None, 0.0, batch_size)
        gone[place] = 1 - after[:, column].sum() / before[:, column].sum().double()
    order = gone.argsort(descending=True, stable=True)
    return Ranking(numbers[order], gone[order])


def _areas(
    model: nn.Module,
    layer: str,
    units: Sequence[int] | Tensor,
    inputs: Tensor,
    segment: Segment,
    names: Sequence[str],
    where: Tensor | None,
    value: float | Tensor,
    batch_size: int,
) -> Tensor:
    counts, kinds = [], {"name": tuple(names)}
    if not len(inputs):
        raise ValueError("no inputs; expected noise (N, …) with N ≥ 1")
    if where is not None and where.ndim == 3 and len(where) != len(inputs):
        raise ValueError(f"where is of {len(where)} inputs; expected (h, w), or one for each of the {len(inputs)}")
    for start in range(0, len(inputs), check_count("batch_size", batch_size)):
        part = inputs[start : start + batch_size]
        here = where[start : start + batch_size] if where is not None and where.ndim == 3 else where
        with insert(model, layer, units, here, value):
            (drawn,) = (batch.output for batch in batches(model, part, layer, batch_size=batch_size, outputs=True))
        with frozen(segment, drawn.device), torch.no_grad():
            maps = label_maps(segment(drawn), kinds, len(part))["name"].long().flatten(1)
        if int(maps.max()) >= len(names):
            raise ValueError(f"the segmenter gave the number {int(maps.max())}; expected those of {len(names)} names")
        shifted = maps + len(names) * torch.arange(len(part), device=maps.device)[:, None]
        counts.append(shifted.flatten().bincount(minlength=len(part) * len(names)).view(len(part), -1).cpu())
    return torch.cat(counts)
