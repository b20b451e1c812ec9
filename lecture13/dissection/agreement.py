"""How far can a segmenter be believed where there is no truth? Ask a second one.

Two nets that were trained apart differ about as often as each errs (Jiang et al. 2022), also on images of another kind
than those that they learnt from (Baek et al. 2022, whose line goes through many nets; ours through many kinds of
images). So: change drawn scenes, whose truth is known, in many ways; draw the line of error over disagreement; and read
off the error where only disagreement can be measured. How wrong that can be is seen by leaving each change out in turn
and predicting it from the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate
from torchvision.transforms.v2.functional import gaussian_blur

from lecture13.estimates import Estimate


def differing(first: Tensor, second: Tensor) -> Tensor:
    """Each image's share of pixels in which two maps (N, H, W) differ: float64 (N,).

    Of two judges it is their disagreement; of a judge and the truth, the judge's error.

    Raises:
        ValueError: maps of different shapes.
    """
    if first.shape != second.shape or first.ndim != 3:
        raise ValueError(f"maps {tuple(first.shape)} and {tuple(second.shape)}; expected two (N, H, W)")
    return (first != second).double().mean((1, 2))


def changed(
    images: Tensor, maps: Tensor, *, generator: torch.Generator | None = None
) -> dict[str, tuple[Tensor, Tensor]]:
    """Drawn scenes, changed in ways that keep the truth known: name → (images, maps).

    What generated pictures suffer from: soft edges, bent shapes, ghosts of other scenes, grain, pale colours, and
    mixtures of these. Shapes are bent in the images and in the maps alike.

    Args:
        images: (N, 3, H, W) in [0, 1], N ≥ 2.
        maps: integer (N, H, W).
        generator: of the bends and the grain.
    """
    generator = generator or torch.Generator().manual_seed(0)

    def grain(pictures: Tensor, deviation: float) -> Tensor:
        return (pictures + deviation * torch.randn(pictures.shape, generator=generator)).clamp(0, 1)

    bent = {pixels: bend(images, maps, pixels, generator=generator) for pixels in (1.0, 2.5, 4.0)}
    some, theirs = bent[2.5]
    return {
        "as drawn": (images, maps),
        "soft, σ = 1": (_blur(images, 1.0), maps),
        "soft, σ = 1.5": (_blur(images, 1.5), maps),
        "soft, σ = 2": (_blur(images, 2.0), maps),
        "half the pixels": (_coarse(images, 1 / 2), maps),
        "a third": (_coarse(images, 1 / 3), maps),
        **{f"bent, {pixels:g} px": pair for pixels, pair in bent.items()},
        "ghost, 20 %": (_ghost(images, 0.2), maps),
        "ghost, 35 %": (_ghost(images, 0.35), maps),
        "grain": (grain(images, 0.05), maps),
        "half the contrast": (0.25 + images / 2, maps),
        "bent, soft": (_blur(some, 1.0), theirs),
        "bent, ghost, grain": (grain(_ghost(some, 0.2), 0.03), theirs),
        "bent, soft, ghost": (_ghost(_blur(some, 1.0), 0.2), theirs),
    }


def bend(
    images: Tensor, maps: Tensor, pixels: float, *, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Move everything by a smooth random field.

    Its standard deviation is ``pixels`` at its knots, of which there is one in eight pixels. Images are read
    bilinearly, maps by the nearest pixel.
    """
    count, size = len(images), images.shape[-2:]
    knots = torch.randn(count, 2, size[0] // 8, size[1] // 8, generator=generator) * pixels
    field = interpolate(knots, size=size, mode="bicubic", align_corners=False).movedim(1, -1)
    scale = 2 / torch.tensor([size[1], size[0]])  # a grid runs from −1 to 1
    grid = affine_grid(torch.eye(2, 3).expand(count, 2, 3), [count, 1, *size], align_corners=False) + field * scale
    options = {"padding_mode": "border", "align_corners": False}
    moved = grid_sample(maps[:, None].double(), grid.double(), mode="nearest", **options)[:, 0]
    return grid_sample(images, grid, **options).clamp(0, 1), moved.to(maps.dtype)


@dataclass(frozen=True)
class Line:
    """Error over disagreement, for K sets of images whose truth is known: the straight line of least squares.

    Args:
        names: of the K sets.
        disagreement, error: (K,), shares of the pixels.
        slope, constant: error ≈ constant + slope · disagreement.
        misses: (K,), each set's error less what the line through the K − 1 others says.
    """

    names: tuple[str, ...]
    disagreement: np.ndarray
    error: np.ndarray
    slope: float
    constant: float
    misses: np.ndarray

    @classmethod
    def through(cls, sets: Mapping[str, tuple[float, float]]) -> "Line":
        """The line through name → (disagreement, error).

        Raises:
            ValueError: fewer than three sets, or all of one disagreement.
        """
        x, y = np.array(list(sets.values()), dtype=float).reshape(-1, 2).T
        if len(x) < 3 or np.ptp(x) == 0:
            raise ValueError(f"{len(x)} sets, disagreements {x.tolist()}; expected three or more, not all alike")
        slope, constant = np.polyfit(x, y, 1)
        leverage = 1 / len(x) + (x - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
        with np.errstate(divide="ignore", invalid="ignore"):  # a set that alone fixes the slope
            misses = np.where(leverage < 1 - 1e-12, (y - constant - slope * x) / (1 - leverage), np.nan)
        return cls(tuple(sets), x, y, float(slope), float(constant), misses)

    def at(self, disagreement: Estimate) -> Estimate:
        """The error to be expected, within [0, 1].

        The interval takes that of the disagreement, and adds to both sides the worst of the misses.
        """
        worst = float(np.nanmax(np.abs(self.misses)))
        value, *ends = (
            self.constant + self.slope * x for x in (disagreement.value, disagreement.low, disagreement.high)
        )
        low, high = min(ends) - worst, max(ends) + worst
        return Estimate(*(min(1.0, max(0.0, share)) for share in (value, low, high)))


def _blur(images: Tensor, deviation: float) -> Tensor:
    return gaussian_blur(images, 2 * round(3 * deviation) + 1, deviation)


def _coarse(images: Tensor, share: float) -> Tensor:
    size = images.shape[-2:]
    small = interpolate(images, size=[max(1, round(side * share)) for side in size], mode="area")
    return interpolate(small, size=size, mode="bilinear", align_corners=False)


def _ghost(images: Tensor, share: float) -> Tensor:
    return (1 - share) * images + share * images.roll(1, 0)
