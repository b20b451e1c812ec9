"""Insert a concept in one cell of each scene: where does it appear, and where not? (Bau et al. 2020, Figure 4.)

A generator's layer of 8×8 cells sees a scene as 64 squares. What stands in a square, and around it, makes its place.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, pad
from tqdm import tqdm

from lecture13.dissection.concepts import Segment
from lecture13.dissection.editing import one_cell
from lecture13.dissection.effects import Effect, Ranking, areas, effect
from lecture13.estimates import Estimate, mean

_GROUND = ("grass", "sand", "pavement", "road", "water")
_HOUSE = ("building", "window", "door", "roof")

#: place → which cells it is; none but "existing door" has a pixel of a door in it.
PLACES = {
    "existing door": "a quarter of it is door",
    "foot of a building": "half of it is wall or window, and half of the cell below is ground",
    "window": "half of it is window",
    "upper wall": "half of it is wall, and the cell below is house too",
    "roof": "half of it is roof",
    "ground before a house": "all but a tenth is ground, and half of the cell above is house",
    "grass": "all but a tenth is grass; no house in the cells around",
    "road": "half of it is road",
    "tree before a house": "three quarters are tree; some house in the cells around",
    "tree": "three quarters are tree; no house in the cells around",
    "cloud": "half of it is cloud",
    "sky": "all of it is sky; no house in the cells around",
}


def places(maps: Tensor, names: Sequence[str], size: tuple[int, int]) -> dict[str, Tensor]:
    """Which cells of a layer lie at which place of a scene: {place of :data:`PLACES`: bool (N, h, w)}.

    Args:
        maps: what stands at every pixel, integers (N, H, W).
        names: of the maps' numbers; those of the surfaces of :mod:`lecture13.render.scenes` are looked for.
        size: (h, w) of the layer.

    Raises:
        ValueError: a surface without a number.
    """
    if missing := [name for name in (*_GROUND, *_HOUSE, "tree", "cloud", "sky") if name not in names]:
        raise ValueError(f"no {missing[0]!r} among the names; expected the surfaces of a scene, got {', '.join(names)}")

    def part(*several: str) -> Tensor:
        wanted = torch.tensor([names.index(name) for name in several], device=maps.device)
        return adaptive_avg_pool2d(torch.isin(maps.long(), wanted).float()[:, None], size)[:, 0] + 1e-6

    house, window, wall = part(*_HOUSE), part("window"), part("building")
    below, above = pad(house, (0, 0, 0, 1))[:, 1:], pad(house, (0, 0, 1, 0))[:, :-1]
    around = nn.functional.max_pool2d(house[:, None], 3, 1, 1)[:, 0] > 1e-3
    doorless = part("door") < 1e-3
    foot = (wall + window >= 0.5) & (window < 0.5) & (pad(part(*_GROUND), (0, 0, 0, 1))[:, 1:] >= 0.5)
    found = {
        "foot of a building": foot,
        "window": window >= 0.5,
        "upper wall": (wall >= 0.5) & (below >= 0.75),
        "roof": part("roof") >= 0.5,
        "ground before a house": (part(*_GROUND) >= 0.9) & (above >= 0.5),
        "grass": (part("grass") >= 0.9) & ~around,
        "road": part("road") >= 0.5,
        "tree before a house": (part("tree") >= 0.75) & around,
        "tree": (part("tree") >= 0.75) & ~around,
        "cloud": part("cloud") >= 0.5,
        "sky": (part("sky") >= 1) & ~around,
    }
    found = {place: cells & doorless for place, cells in found.items()} | {"existing door": part("door") >= 0.25}
    return {place: found[place] for place in PLACES}


def insert_at(
    model: nn.Module,
    layer: str,
    units: Sequence[int] | Tensor,
    value: float | Tensor,
    inputs: Tensor,
    segment: Segment,
    names: Sequence[str],
    cells: Tensor,
    *,
    before: Tensor | None = None,
    trials: int | None = None,
    batch_size: int = 32,
    generator: torch.Generator | None = None,
) -> Effect:
    """Set units to ``value`` in one of the cells of each scene that has any, and count what that changes.

    Args:
        model, layer, units, value, inputs, segment, names, batch_size: as :func:`lecture13.dissection.effect`.
        cells: bool (N, h, w), the cells of a place; one of each scene is drawn.
        before: what :func:`lecture13.dissection.areas` gives of all inputs, if it is known already.
        trials: take the first so many of the scenes that have such a cell; None: all.
        generator: draws the cell.

    Returns:
        The effect on those scenes; of no scene, where none has such a cell.
    """
    where = one_cell(cells, generator=generator)
    there = where.flatten(1).any(1).nonzero()[:, 0][:trials]
    if not len(there):
        nothing = torch.zeros(0, len(names), dtype=torch.int64)
        return Effect(tuple(names), nothing, nothing)
    known = None if before is None else before[there]
    options = {"where": where[there], "value": value, "before": known, "batch_size": batch_size}
    return effect(model, layer, units, inputs[there], segment, names, **options)


def added(found: Effect, name: str, typical: float) -> Estimate:
    """The mean change of a concept's pixels, as a share of ``typical``, what an average scene has of it.

    The added area of Bau et al. 2020, Figure 4, as its authors' code computes it.
    """
    column = found.names.index(name)
    return mean((found.after - found.before)[:, column].double().cpu().numpy() / typical)


def rank_by_insertion(
    model: nn.Module,
    layer: str,
    levels: Tensor,
    inputs: Tensor,
    segment: Segment,
    names: Sequence[str],
    concept: str,
    cells: Tensor,
    *,
    before: Tensor | None = None,
    trials: int | None = None,
    batch_size: int = 32,
    generator: torch.Generator | None = None,
) -> Ranking:
    """Rank units by the pixels of a concept that appear when each is set to its level alone, in one cell of a place.

    Takes one pass over the scenes for each unit. Judge the ranking on other scenes.

    Args:
        levels: (C,), the value for each of the layer's units.
        concept: one of the names.
        The others are as for :func:`insert_at`; every unit gets the same scenes and cells.

    Raises:
        ValueError: no scene has such a cell.
    """
    where = one_cell(cells, generator=generator)
    there = where.flatten(1).any(1).nonzero()[:, 0][:trials]
    if not len(there):
        raise ValueError(f"none of {len(cells)} scenes has such a cell; take more, or another place")
    if before is None:
        known = areas(model, layer, inputs[there], segment, names, batch_size=batch_size)
    else:
        known = before[there]
    column, gain = names.index(concept), torch.zeros(len(levels), dtype=torch.float64)
    for unit in tqdm(range(len(levels)), desc=f"units of {layer}", unit="unit", delay=2, leave=False):
        options = {"where": where[there], "value": levels[[unit]], "before": known, "batch_size": batch_size}
        found = effect(model, layer, [unit], inputs[there], segment, names, **options)
        gain[unit] = (found.after - found.before)[:, column].double().mean()
    order = gain.argsort(descending=True, stable=True)
    return Ranking(order, gain[order])
