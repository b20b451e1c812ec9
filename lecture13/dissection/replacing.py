"""What a generator draws in the place of what was removed, pixel by pixel."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lecture13.dissection.concepts import Segment, label_maps
from lecture13.dissection.editing import ablate
from lecture13.dissection.effects import Effect
from lecture13.estimates import Estimate
from lecture13.guard import frozen
from lecture13.tracing import batches


def seen(
    model: nn.Module,
    layer: str,
    inputs: Tensor,
    segment: Segment,
    names: Sequence[str],
    *,
    without: Sequence[int] | Tensor = (),
    batch_size: int = 32,
) -> Tensor:
    """What stands at every pixel of what a generator draws, perhaps without some units: uint8 (N, H, W), on the CPU.

    Arguments and errors as :func:`lecture13.dissection.effect`; ``without`` are the units that are removed.
    """
    parts, kinds = [], {"name": tuple(names)}
    with ablate(model, layer, without):
        for batch in batches(model, inputs, layer, batch_size=batch_size, outputs=True):
            with frozen(segment, batch.output.device), torch.no_grad():
                parts.append(label_maps(segment(batch.output), kinds, len(batch.output))["name"].cpu())
    return torch.cat(parts)


def replaced(before: Tensor, after: Tensor, names: Sequence[str], name: str) -> dict[str, Estimate]:
    """Of the pixels that were ``name`` and are not any more, the share that each other name has now, largest first.

    Args:
        before, after: maps of the same pictures (N, H, W), such as :func:`seen` gives.
        names: of the maps' numbers.
        name: what was removed.

    Returns:
        Shares that sum to 1, with their 95 % intervals by bootstrap over pictures; NaN if no pixel is gone.

    Raises:
        ValueError: a name that is not among the names, or maps of different shapes.
    """
    if name not in names:
        raise ValueError(f"no concept {name!r}; known: {', '.join(names)}")
    if before.shape != after.shape:
        raise ValueError(f"maps of {tuple(before.shape)} and {tuple(after.shape)}; expected those of the same pictures")
    number = list(names).index(name)
    gone = (before == number) & (after != number)
    total, found = gone.flatten(1).sum(1), {}
    for other, text in enumerate(names):
        if other != number:
            now = (gone & (after == other)).flatten(1).sum(1)
            ratio = Effect(("gone",), total[:, None], now[:, None]).change("gone")  # now / total − 1
            found[text] = Estimate(1 + ratio.value, 1 + ratio.low, 1 + ratio.high)
    return dict(sorted(found.items(), key=lambda item: -item[1].value))
