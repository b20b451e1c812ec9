"""Plain augmentation: every example of a batch is changed by its own draw.

Each is called with (images (N, C, H, W) in [0, 1], labels (N,) or (N, H, W), generator) and gives both, changed.
Its ``repr`` stands in the card of a net, so its fields are its settings.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Augmentation(Protocol):
    """What a recipe may list."""

    def __call__(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]: ...  # noqa: D102


@dataclass(frozen=True)
class Flip:
    """Half of the images, mirrored left to right; maps of labels with them."""

    def __call__(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images of the same shape, labels of the same shape."""
        chosen = (torch.rand(len(images), generator=generator) < 0.5).to(images.device)
        images = torch.where(chosen[:, None, None, None], images.flip(-1), images)
        if labels.ndim == 3:
            labels = torch.where(chosen[:, None, None], labels.flip(-1), labels)
        return images, labels


@dataclass(frozen=True)
class Affine:
    """Turned, scaled and shifted, bilinearly; for labels of images, not of pixels.

    ``degrees``, ``scale`` and ``shift`` bound what is drawn: angles in ±degrees, sizes in 1 ± scale, shifts within
    ±shift of the image's side. ``padding`` is what comes in from outside: "zeros" or "border".
    """

    degrees: float
    scale: float
    shift: float
    padding: str = "zeros"

    def __call__(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images of the same shape; the labels as they are, ValueError where they are maps."""
        if labels.ndim != 1:
            raise ValueError(
                f"labels have the shape {tuple(labels.shape)}; a turned image needs a turned map: use Flip"
            )
        angle, scale, right, down = torch.rand(4, len(images), generator=generator) * 2 - 1
        angle, scale = angle * math.radians(self.degrees), 1 + scale * self.scale
        cos, sin = angle.cos() * scale, angle.sin() * scale
        # affine_grid runs from −1 to 1, so a shift of the whole side is 2
        rows = [torch.stack([cos, -sin, right * 2 * self.shift], 1), torch.stack([sin, cos, down * 2 * self.shift], 1)]
        grid = F.affine_grid(torch.stack(rows, 1).to(images), list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, padding_mode=self.padding, align_corners=False), labels


@dataclass(frozen=True)
class Jitter:
    """Brightness, contrast and each channel's gain within 1 ± strength, then Gaussian noise of σ up to ``noise``."""

    strength: float
    noise: float = 0.0

    def __call__(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images of the same shape in [0, 1]; the labels as they are."""

        def draw(*shape: int) -> Tensor:
            return 1 + self.strength * (torch.rand(len(images), *shape, generator=generator) * 2 - 1).to(images)

        mean = images.mean((1, 2, 3), keepdim=True)
        images = (mean * draw(1, 1, 1) + (images - mean) * draw(1, 1, 1)) * draw(images.shape[1], 1, 1)
        if self.noise:
            level = self.noise * torch.rand(len(images), 1, 1, 1, generator=generator)
            images = images + (level * torch.randn(images.shape, generator=generator)).to(images)
        return images.clamp(0, 1), labels
