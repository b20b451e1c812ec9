"""Remove successively larger sets of units, and as many random ones beside them (Bau et al. 2020, Figure 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13.dissection.concepts import Segment
from lecture13.dissection.effects import areas, effect, random_units
from lecture13.estimates import Estimate
from lecture13.tracing import batches


@dataclass(frozen=True)
class Removed:
    """The share of a concept's pixels that is gone without ``count`` units.

    Args:
        count: units removed.
        ranked: name of a ranking → without its first ``count`` units.
        random: plain random draws.
        held: how many of the concept's units each of them holds.
        elsewhere: random draws that hold none.
    """

    count: int
    ranked: dict[str, Estimate]
    random: list[Estimate]
    held: list[int]
    elsewhere: list[Estimate]


def remove_in_steps(
    model: nn.Module,
    layer: str,
    rankings: Mapping[str, Tensor],
    counts: Sequence[int],
    inputs: Tensor,
    segment: Segment,
    names: Sequence[str],
    concept: str,
    *,
    outside: Sequence[int] | Tensor,
    draws: int = 1,
    generator: torch.Generator | None = None,
    batch_size: int = 32,
) -> list[Removed]:
    """Remove the first units of each ranking, and random ones, and count what is left of a concept.

    Args:
        model, layer, inputs, segment, names, batch_size: as :func:`lecture13.dissection.effect`.
        rankings: name → units, first the one to go first, as many as the largest count; made on other inputs than
            these.
        counts: how many units, each.
        concept: one of the names.
        outside: the concept's units, which ``elsewhere`` spares.
        draws: random draws of each kind, for each count.
        generator: draws them.

    Raises:
        ValueError: as :func:`lecture13.dissection.effect`, and where too few units lie outside.
    """
    before = areas(model, layer, inputs, segment, names, batch_size=batch_size)
    total = next(batches(model, inputs[:1], layer)).activations[layer].shape[1]

    def gone(units: Tensor) -> Estimate:
        found = effect(model, layer, units, inputs, segment, names, before=before, batch_size=batch_size)
        return found.removed(concept)

    rows, spared = [], torch.as_tensor(outside)
    for count in tqdm(counts, desc="units removed", delay=2, leave=False):
        plain = [random_units(count, total, generator=generator) for _ in range(draws)]
        others = [random_units(count, total, outside=spared, generator=generator) for _ in range(draws)]
        rows.append(
            Removed(
                count,
                {name: gone(units[:count]) for name, units in rankings.items()},
                [gone(units) for units in plain],
                [int(torch.isin(units, spared).sum()) for units in plain],
                [gone(units) for units in others],
            )
        )
    return rows
