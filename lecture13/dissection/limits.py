"""Why a concept has no unit: how well could maps of so many cells do, and how well do all units together?

Two numbers to stand beside the IoU of a layer's best unit. The *ceiling*: a perfect map of h×h cells, each holding the
share of it that the concept covers, brought to the mask's size like any unit. The *linear read-out*: the sum of all
units, each with its weight, that tells the concept best; what it knows and no single unit does is spread over many.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from lecture13.dissection.concepts import Masks
from lecture13.dissection.levels import pixel_rows, upsampled
from lecture13.tracing import batches


def best_threshold(scores: Tensor, mask: Tensor) -> tuple[float, float]:
    """The threshold t for which {scores ≥ t} meets a mask best, and the IoU there: every value is tried.

    Args:
        scores: any shape, finite.
        mask: bool, of the same shape.

    Raises:
        ValueError: another shape or type, or a mask without a pixel.
    """
    _check(scores, mask)
    if not bool(mask.any()):
        raise ValueError("the mask is empty; expected at least one pixel of the concept")
    values, order = scores.flatten().double().sort(descending=True)
    hits = mask.flatten()[order].cumsum(0)
    covered = torch.arange(1, len(hits) + 1, device=hits.device)
    iou = hits.double() / (covered + hits[-1] - hits)
    last = torch.ones_like(mask.flatten())
    last[:-1] = values[:-1] != values[1:]  # equal scores stand or fall together
    chosen = int(torch.where(last, iou, -1.0).argmax())
    return float(values[chosen]), float(iou[chosen])


def iou_at(scores: Tensor, mask: Tensor, threshold: float) -> float:
    """IoU of {scores ≥ threshold} with a mask; 0 where both are empty. Arguments as :func:`best_threshold`."""
    _check(scores, mask)
    region = scores.double() >= threshold
    return float((region & mask).sum().double() / (region | mask).sum().clamp(min=1))


def ceiling(mask: Tensor, cells: int) -> float:
    """The best IoU of a perfect map of ``cells``×``cells`` cells with a mask, bool (N, H, W).

    Perfect means that each cell holds the share of it that the mask covers; the map is brought to the mask's size as a
    unit's is, bilinearly. A map of other values could do a little better, by sharpening what the interpolation blurs.

    Raises:
        ValueError: more cells than pixels; and as :func:`best_threshold`.
    """
    if mask.ndim != 3 or not 0 < cells <= min(mask.shape[1:]):
        raise ValueError(f"{cells} cells for masks {tuple(mask.shape)}; expected (N, H, W), and 1 to as many cells")
    shares = adaptive_avg_pool2d(mask.float()[:, None], cells)
    return best_threshold(upsampled(shares, mask.shape[1:])[:, 0], mask)[1]


class Readout:
    """A weighted sum of a layer's units that tells concepts apart, by least squares (Fisher's discriminant).

    Args:
        weights: (C + 1, K) float64; the last row is the constant.
    """

    def __init__(self, weights: Tensor):
        self.weights = weights

    @classmethod
    def fit(
        cls, model: nn.Module, layer: str, inputs: Tensor, masks: Masks, *, ridge: float = 1e-6, batch_size: int = 32
    ) -> "Readout":
        """Regress all masks on all units, over every pixel of the inputs; memory is flat.

        Args:
            model, layer, inputs: as :func:`~lecture13.dissection.dissect`.
            masks: of the same inputs.
            ridge: of the mean square of a unit, so that units that are never active do no harm.

        Raises:
            ValueError: masks of another number of inputs; and as :func:`~lecture13.tracing.batches`.
        """
        if len(masks) != len(inputs):
            raise ValueError(
                f"masks of {len(masks)} images for {len(inputs)} inputs; expected those of the same images"
            )
        square = product = 0
        for index, rows in _rows(model, layer, inputs, masks.size, batch_size):
            square = square + rows.T @ rows
            product = product + rows.T @ masks.planes(index, rows.device).double().T
        square = square + ridge * square.trace() / len(square) * torch.eye(len(square)).to(square)
        return cls(torch.linalg.solve(square, product).cpu())

    def scores(
        self, model: nn.Module, layer: str, inputs: Tensor, size: tuple[int, int], *, batch_size: int = 32
    ) -> Tensor:
        """The sum for each concept at each pixel: float32 (K, N, H, W), on the CPU."""
        parts = [
            (rows @ self.weights.to(rows)).T.float().reshape(-1, index.stop - index.start, *size).cpu()
            for index, rows in _rows(model, layer, inputs, size, batch_size)
        ]
        return torch.cat(parts, dim=1)


def _rows(
    model: nn.Module, layer: str, inputs: Tensor, size: tuple[int, int], batch_size: int
) -> Iterator[tuple[slice, Tensor]]:
    """(n·H·W, C + 1) float64 a batch: every unit at every pixel, and a one."""
    for batch in batches(model, inputs, layer, batch_size=batch_size):
        rows = pixel_rows(batch.activations[layer].float(), size).double()
        yield batch.index, torch.cat([rows, rows.new_ones(len(rows), 1)], dim=1)


def _check(scores: Tensor, mask: Tensor) -> None:
    if mask.dtype != torch.bool or mask.shape != scores.shape:
        raise ValueError(
            f"mask {mask.dtype} {tuple(mask.shape)} for scores {tuple(scores.shape)}; expected bool of the same shape"
        )
