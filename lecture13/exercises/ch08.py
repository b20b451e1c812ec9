"""Checks of chapter 08: units removed and inserted by hand, their effect, and how many half of the trees take."""

import torch
from torch import Tensor, nn

from lecture13 import dissection
from lecture13.dissection.concepts import Segment
from lecture13.exercises import close, exercise, expect
from lecture13.render.scenes import CONCEPTS


def _maps(found: object, given: Tensor, kept: Tensor) -> None:
    """What every edit of activations gives: new maps of the same shape."""
    expect(isinstance(found, Tensor), f"Return the edited activations, a tensor; this is a {type(found).__name__}.")
    expect(found.shape == given.shape, f"Expected the shape {tuple(given.shape)}, got {tuple(found.shape)}.")
    expect(torch.equal(given, kept), "The activations that came in were changed: work on a copy, `.clone()`.")


@exercise("08.1", title="Units switched off")
def _(without):
    given, units = torch.rand(3, 6, 4, 4) + 0.1, torch.tensor([1, 4])
    kept, others = given.clone(), [0, 2, 3, 5]
    found = without(given, units)
    _maps(found, given, kept)
    expect(not found[:, units].any(), f"Units {units.tolist()} should be 0 everywhere: which dimension are the units?")
    close(found[:, others], kept[:, others], "All other units stay as they are.")
    return "With `trace(G, edit={layer: lambda a: without(a, units)})` this removes trees: there is no more to it."


@exercise("08.2", title="The share that is gone")
def _(gone):
    before = torch.tensor([100, 0, 10, 90])
    after = torch.tensor([20, 4, 10, 46])
    found = gone(before, after)
    expect(not isinstance(found, Tensor) or found.ndim == 0, "One number for all pictures together.")
    value = float(found)
    if value == value and abs(value + 0.6) < 1e-6:
        expect(False, "That is the change. What is *gone* has the other sign: a positive number if trees vanish.")
    expect(
        value == value and abs(value) != float("inf"), "A picture without trees makes that 0/0: add up pixels first."
    )
    close(value, 0.6, "Pixels of all pictures together: Σ before, Σ after, and the share of the first that is missing.")
    close(gone(after, before), -1.5, "If pixels were added, the share gone is negative: do not cut it off at 0.")
    return "A picture with many trees weighs more than one with few, and one with none does no harm."


@exercise("08.3", title="A concept in one cell")
def _(insert_cell):
    given, units, value = torch.rand(2, 6, 4, 5), torch.tensor([5, 0]), torch.tensor([7.0, 9.0])
    kept = given.clone()
    found = insert_cell(given, units, value, 2, 3)
    _maps(found, given, kept)
    expect(not torch.equal(found, kept), "Nothing has changed.")
    elsewhere = torch.ones(4, 5, dtype=torch.bool)
    elsewhere[2, 3] = False
    close(found[..., elsewhere], kept[..., elsewhere], "All other cells stay as they are; (row, column) is (2, 3).")
    others = [1, 2, 3, 4]
    close(found[:, others, 2, 3], kept[:, others, 2, 3], "The other units of the cell stay as they are.")
    close(found[:, units, 2, 3], value.expand(2, 2), "Each unit gets its own value: `units[i]` gets `value[i]`.")
    return "A few numbers in one of 64 cells: that is a door. Whether it is drawn, the layers after it decide."


@exercise("08.4", title="Half of the trees")
def _(count, *, model: nn.Module, layer: str, ranking: Tensor, z: Tensor, segment: Segment):
    """``count``: the first so many units of ``ranking`` are the fewest that remove half of the tree pixels of G(z)."""
    expect(isinstance(count, int), f"Give a whole number of units; this is a {type(count).__name__}.")
    expect(1 <= count <= len(ranking), f"Expected 1 to {len(ranking)} units, got {count}.")
    names = CONCEPTS["surface"]
    before = dissection.areas(model, layer, z, segment, names)

    def gone(units: int) -> float:
        return dissection.effect(model, layer, ranking[:units], z, segment, names, before=before).removed("tree").value

    share = gone(count)
    message = f"Without the first {count} units of the ranking, {share:.0%} of the tree pixels are gone."
    expect(share >= 0.5, f"{message} More are needed.")
    expect(count == 1 or gone(count - 1) < 0.5, f"{message} Fewer are enough.")
    return f"{message} That is {count / len(ranking):.0%} of the layer's units."
