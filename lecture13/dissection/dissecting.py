"""Dissect a net: which concept, if any, does each unit stand for? (Bau et al. 2017; 2020.)

Two passes over the images, all layers together. The first finds each unit's level t_u, which its activations exceed at
a share of 1 % of the places; the second takes its region {p: a_u(p) > t_u}, brought to the masks' size by bilinear
interpolation, and counts how it meets every concept's mask:

    IoU(u, c) = Σ_x |{p: a_u(x, p) > t_u} ∩ L_c(x)| / Σ_x |{p: a_u(x, p) > t_u} ∪ L_c(x)|

Nothing is kept of an image but those counts: memory is flat, and time linear in the number of images.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13.dissection.concepts import Masks, Segment, iou, label_maps, vocabulary
from lecture13.dissection.levels import Levels, as_maps, chunks, pixel_rows, upsampled
from lecture13.dissection.report import Dissection, Labelling, Units
from lecture13.guard import check_count, frozen
from lecture13.tracing import batches

#: Shares at which the best level is looked for: from half of the pixels to one in a thousand.
GRID = (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001)

#: On what the levels are taken. "upsampled": on activations brought to the masks' size (Bau et al. 2020), so that the
#: regions cover the share exactly; "raw": on the layer's own cells (Bau et al. 2017), faster.
Resolution = Literal["upsampled", "raw"]


def dissect(
    model: nn.Module,
    layers: str | Sequence[str],
    inputs: Tensor,
    masks: Mapping[str, Tensor] | Segment,
    names: Mapping[str, Sequence[str]],
    *,
    quantile: float = 0.01,
    resolution: Resolution = "upsampled",
    grid: Sequence[float] | None = None,
    shuffle: bool = True,
    top: int = 8,
    batch_size: int = 32,
    seed: int = 0,
) -> Dissection:
    """Measure how well every unit of some layers agrees with every concept.

    Levels are exact while the largest values fit (:class:`~lecture13.dissection.levels.Levels`); beyond, they are those
    of a random sample of each image's places, off by at most .1 % of all places in rank. Batches do not change them.

    Args:
        model: any module; it runs in eval mode, on its own device, and is left as it was.
        layers: one name, or several; of what they give, (N, C, …), C units are dissected.
        inputs: (N, C, H, W) images, or a generator's noise of any other shape.
        masks: what stands where in the N images: maps, {kind: integer (N, H, W)} or {kind: bool (N, names, H, W)}, of
            any H×W if the inputs are noise. Or a segmenter that is given the images, or what a generator drew of the
            noise, a batch at a time, and gives numbers (n, H, W), logits (n, K, H, W), or {kind: either}.
        names: {kind: names}, such as ``scenes.CONCEPTS``; a map's values are indices into them, "none" is no concept.
        quantile: share of the places at which a unit is above its level.
        resolution: on what the levels are taken: "upsampled" or "raw".
        grid: shares of further levels, such as :data:`GRID`, of which each unit takes the best for each concept. A
            level of 1 % caps the IoU of a concept that covers a share p of the pixels at .01/p; this rule has no cap.
            The grid's levels are taken on a sample; what they cover is counted.
        shuffle: count also with the masks of other images, a permutation drawn from ``seed``: the baseline.
        top: T, images to remember of each unit.
        batch_size: images in one pass.
        seed: of the permutation.

    Raises:
        ValueError: no concept, masks of the wrong number or size, an unknown layer, activations that are NaN or
            infinite or have no units, a quantile or a grid out of range.
        TypeError: a layer that gives no tensor, maps that are no integers.
    """
    layers = (layers,) if isinstance(layers, str) else tuple(dict.fromkeys(layers))
    if resolution not in ("upsampled", "raw"):
        raise ValueError(f"resolution={resolution!r}; known: 'upsampled', 'raw'")
    for share in (quantile, *(grid or ())):
        if not 0 < share < 1:
            raise ValueError(f"a quantile of {share!r}; expected a share of the places between 0 and 1, such as 0.01")
    concepts, count = vocabulary(names), len(inputs)
    given = None if callable(masks) else Masks(masks, names)
    if given is not None:
        _check_fit(given, inputs)
    top = min(check_count("top", top), count)
    with tqdm(total=2 * count, desc="dissecting", unit="image", delay=2, leave=False) as bar:
        levels = {layer: Levels(count, quantile, grid) for layer in layers}
        drawn: list[dict[str, Tensor]] = []
        for batch in batches(model, inputs, *layers, batch_size=batch_size, outputs=given is None):
            if given is None:
                drawn.append(_segmented(masks, inputs[batch.index], batch.output, names))
            size = next(iter(drawn[0].values())).shape[-2:] if drawn else given.size
            for layer in layers:
                at = size if resolution == "upsampled" else None
                levels[layer].add(batch.activations[layer], batch.index.start, at)
            bar.update(batch.index.stop - batch.index.start)
            del batch  # the next one takes as much memory
        if given is None:
            given = Masks({kind: torch.cat([maps[kind] for maps in drawn]) for kind in drawn[0]}, names)
        other = torch.randperm(count, generator=torch.Generator().manual_seed(seed)) if shuffle else None
        tallies = {layer: _Tally(given, levels[layer].found(), other, top) for layer in layers}
        for batch in batches(model, inputs, *layers, batch_size=batch_size):
            for layer in layers:
                tallies[layer].add(batch.activations[layer], batch.index.start)
            bar.update(batch.index.stop - batch.index.start)
            del batch
    settings = {"quantile": quantile, "resolution": resolution, "images": count, "size": list(given.size)}
    return Dissection(concepts, {layer: tally.units() for layer, tally in tallies.items()}, settings)


def region(
    model: nn.Module,
    layer: str,
    unit: int,
    inputs: Tensor,
    threshold: float,
    size: tuple[int, int],
    *,
    batch_size: int = 32,
) -> Tensor:
    """Where a unit is above a threshold in each input, at the masks' size: bool (N, H, W), on the CPU.

    ``region(model, layer, u, images[units.top[u]], float(units.level.thresholds[u]), size)`` masks its top images.

    Raises:
        ValueError: a unit that the layer does not have; and as :func:`dissect`.
    """
    parts = []
    for batch in batches(model, inputs, layer, batch_size=batch_size):
        found = batch.activations[layer]
        if not 0 <= unit < found.shape[1]:
            raise ValueError(f"unit {unit} of layer {layer!r}; expected 0 … {found.shape[1] - 1}")
        parts.append((upsampled(found[:, unit : unit + 1], size)[:, 0] > threshold).cpu())
    return torch.cat(parts)


class _Tally:
    """The counts of one layer's units, while the images pass.

    ``regions`` (L, K + K' + 1, C): for each of the levels (L, C), a region's pixels in each concept's mask, in its mask
    of another image, and in all. ``areas`` (K,): each concept's pixels in all images.
    """

    def __init__(self, masks: Masks, levels: Tensor, other: Tensor | None, top: int):
        self.masks, self.levels, self.other, self.top = masks, levels, other, top
        rows = (1 if other is None else 2) * len(masks.concepts) + 1
        self.regions = torch.zeros(len(levels), rows, levels.shape[1], dtype=torch.int64, device=levels.device)
        self.areas = torch.zeros(len(masks.concepts), dtype=torch.int64, device=levels.device)
        self.peaks = levels.new_empty(0, levels.shape[1])
        self.images = torch.empty_like(self.peaks, dtype=torch.int64)
        # Interpolated values lie between the cells', up to rounding: a unit whose cells are below has no region.
        lowest = levels.amin(0)
        self.floor = lowest - 1e-5 * lowest.abs()

    def add(self, activations: Tensor, first: int) -> None:
        maps = as_maps(activations)
        device = maps.device
        for index, part in chunks(maps, self.masks.size):
            images = slice(first + index.start, first + index.stop)
            planes = [self.masks.planes(images, device)]
            self.areas += planes[0].sum(1).long()
            if self.other is not None:
                planes.append(self.masks.planes(self.other[images], device))
            planes = torch.cat([*planes, planes[0].new_ones(1, planes[0].shape[1])])
            units = (part.amax((0, 2, 3)) > self.floor).nonzero()[:, 0]
            if not len(units):
                continue
            rows = pixel_rows(part[:, units], self.masks.size)
            above = torch.empty_like(rows)
            with torch.autocast(device.type, enabled=False):  # counts need float32
                found = [planes @ torch.gt(rows, level, out=above) for level in self.levels[:, units]]
            self.regions[:, :, units] += torch.stack(found).long()
        self._remember(maps.amax((2, 3)), first)

    def units(self) -> Units:
        concepts, (height, width) = self.masks.concepts, self.masks.size
        regions, areas, levels = self.regions.transpose(1, 2).cpu(), self.areas.cpu(), self.levels.cpu()
        k, covered = len(concepts), regions[..., -1:]
        shares = covered / (len(self.masks) * height * width)
        own = iou(regions[..., :k], covered, areas)
        shuffled = None if self.other is None else iou(regions[..., k:-1], covered, areas)
        level = Labelling(concepts, own[0], levels[0][:, None], shares[0], None if shuffled is None else shuffled[0])
        best = None
        if len(levels) > 1:
            highest, chosen = own.max(0)  # (C, K): each concept at its own level
            unit = torch.arange(len(highest))[:, None]
            luck = None if shuffled is None else shuffled.amax(0)  # had the choice of as many levels
            best = Labelling(concepts, highest, levels[chosen, unit], shares[chosen, unit, 0], luck)
        return Units(level, best, self.images.T.contiguous().cpu(), self.peaks.T.contiguous().cpu())

    def _remember(self, peaks: Tensor, first: int) -> None:
        images = torch.arange(first, first + len(peaks), device=peaks.device)[:, None].expand_as(peaks)
        images = torch.cat([self.images, images])
        peaks, order = torch.cat([self.peaks, peaks]).sort(dim=0, descending=True, stable=True)
        self.peaks, self.images = peaks[: self.top], images.gather(0, order[: self.top])


def _segmented(segment: Segment, inputs: Tensor, output: Tensor, names: Mapping[str, Sequence[str]]) -> dict:
    """The maps of a batch: of the inputs if they are images, else of what the model drew."""
    images = inputs if _are_images(inputs) else output
    device = output.device if isinstance(output, Tensor) else inputs.device
    with frozen(segment, device), torch.no_grad():
        maps = label_maps(segment(images.to(device)), names, len(inputs))
    return {kind: values.cpu() for kind, values in maps.items()}


def _are_images(inputs: Tensor) -> bool:
    return inputs.ndim == 4 and inputs.shape[-2:].numel() > 1  # some generators take noise (N, d, 1, 1)


def _check_fit(masks: Masks, inputs: Tensor) -> None:
    if len(masks) != len(inputs):
        raise ValueError(f"masks of {len(masks)} images for {len(inputs)} inputs; expected those of the same images")
    if _are_images(inputs) and masks.size != tuple(inputs.shape[-2:]):
        raise ValueError(
            f"masks of {masks.size[0]}×{masks.size[1]} for images of {inputs.shape[-2]}×{inputs.shape[-1]}; expected "
            "the same size: load or draw both at one size"
        )
