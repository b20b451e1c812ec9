"""What every loader gives: images in [0, 1], labels, class names, and one honest line on where they come from."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Dataset:
    """N labelled examples.

    ``images`` float32 (N, C, H, W) in [0, 1], or features (N, D); ``labels`` int64 (N,), indices into ``classes``;
    ``source`` the line that stands beside every number measured on it; ``maps`` {kind: (N, H, W) uint8} where the
    ground truth of every pixel is known (scenes), else None.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    name: str
    split: str
    source: str
    maps: dict[str, Tensor] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, indices: Tensor | list[int]) -> "Dataset":
        """The examples of these indices, or those where a mask (N,) of booleans is True; in their order."""
        indices = torch.as_tensor(indices)
        maps = None if self.maps is None else {kind: values[indices] for kind, values in self.maps.items()}
        return replace(self, images=self.images[indices], labels=self.labels[indices], maps=maps)

    def take(self, n: int) -> "Dataset":
        """The first n examples (all of them where there are fewer).

        Raises:
            ValueError: n is negative.
        """
        if n < 0:
            raise ValueError(f"take({n}): expected a number of examples, 0 or more")
        return self.subset(torch.arange(min(n, len(self))))
