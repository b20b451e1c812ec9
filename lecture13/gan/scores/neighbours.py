"""The nearest training images of a generated one: has it been copied?"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13.gan.scores.features import embed


@dataclass(frozen=True)
class Neighbours:
    """The k nearest candidates of each of N queries, nearest first.

    Args:
        index: (N, k) int64, into the candidates.
        distance: (N, k): root mean squared difference of the pixels, in [0, 1]; or Euclidean, between feature vectors.
        name: what was compared: "pixels", or the name of the features.
    """

    index: Tensor
    distance: Tensor
    name: str


def centre_crop(images: Tensor, side: int) -> Tensor:
    """The middle ``side`` × ``side`` pixels of images (N, C, H, W); ValueError unless they fit."""
    height, width = images.shape[-2:]
    if not 1 <= side <= min(height, width):
        raise ValueError(f"a crop of side {side} in images of {height}×{width}; expected 1 to {min(height, width)}")
    top, left = (height - side) // 2, (width - side) // 2
    return images[..., top : top + side, left : left + side]


@torch.no_grad()
def nearest(
    queries: Tensor,
    candidates: Tensor,
    features: nn.Module | None = None,
    *,
    k: int = 1,
    crop: int | None = None,
    batch: int = 500,
) -> Neighbours:
    """The nearest candidates of each query, in pixels or by what a net sees.

    Karras et al. 2018, Figure 10, compare the activations of five layers on a centre crop; so does
    ``Features(classifier, five_layers, pooled=False)`` with ``crop``. The candidates are embedded a batch at a time, so
    that a whole training set fits.

    Args:
        queries: (N, C, H, W) in [0, 1], or uint8.
        candidates: (M, C, H, W) in [0, 1], or uint8: the training images.
        features: None compares pixels.
        k: neighbours of each.
        crop: side of the centre crop that is compared; None compares whole images.
        batch: candidates at a time.

    Raises:
        ValueError: shapes that differ, k beyond the candidates, a crop that does not fit, NaN, values outside [0, 1].
    """
    if queries.ndim != 4 or candidates.ndim != 4 or queries.shape[1:] != candidates.shape[1:] or not len(queries):
        raise ValueError(
            f"queries {tuple(queries.shape)}, candidates {tuple(candidates.shape)}; expected (N, C, H, W), N ≥ 1, "
            "images of one size"
        )
    if not 1 <= k <= len(candidates):
        raise ValueError(f"k={k} of {len(candidates)} candidates; expected 1 to {len(candidates)}")
    net = features or _PIXELS

    def seen(images: Tensor) -> Tensor:
        return embed(images if crop is None else centre_crop(images, crop), net)

    wanted = seen(queries)
    best = torch.full((len(queries), k), torch.inf, device=wanted.device)
    index = torch.zeros(len(queries), k, dtype=torch.long, device=wanted.device)
    bar = tqdm(total=len(candidates), desc=f"nearest in {net.name}", unit="image", delay=2, leave=False)
    for start in range(0, len(candidates), batch):
        some = seen(candidates[start : start + batch])
        distances = torch.cat([best, torch.cdist(wanted, some)], dim=1)
        known = torch.cat(
            [index, torch.arange(start, start + len(some), device=index.device).expand(len(index), -1)], 1
        )
        best, order = distances.topk(k, dim=1, largest=False)
        index = known.gather(1, order)
        bar.update(len(some))
    bar.close()
    return Neighbours(index.cpu(), best.cpu(), net.name)


def suspicious(distance: Tensor, fresh: Tensor, *, quantile: float = 0.01) -> float:
    """The share of images, in [0, 1], that are nearer to the training set than nearly all fresh images are.

    A generator that draws as the data does gets ``quantile``; one that copies, more. So does one that blurs, because
    means are near to everything: look at the pairs.

    Args:
        distance: (N,) of each generated image to its nearest training image.
        fresh: (M,) the same of fresh images of the data, which cannot be copies.
        quantile: of ``fresh``, below which a distance is suspicious; M should be well above its inverse.

    Raises:
        ValueError: other shapes, none, or a quantile outside (0, 1).
    """
    if distance.ndim != 1 or fresh.ndim != 1 or not len(distance) or not len(fresh):
        raise ValueError(f"distances {tuple(distance.shape)}, fresh {tuple(fresh.shape)}; expected (N,) and (M,)")
    if not 0 < quantile < 1:
        raise ValueError(f"quantile={quantile}; expected between 0 and 1")
    return (distance < fresh.quantile(quantile)).double().mean().item()


class _Pixels(nn.Module):
    """The pixels of an image over √(CHW): their Euclidean distance is a root mean square."""

    name = "pixels"

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1) / images[0].numel() ** 0.5


_PIXELS = _Pixels()
