"""Two scales of a picture: [−1, 1] where nets of this room draw and judge, as in the papers, and [0, 1] elsewhere."""

from torch import Tensor


def to_signed(images: Tensor) -> Tensor:
    """Images in [0, 1], or bytes, as a critic takes them: floats in [−1, 1]."""
    return images.float().mul_(2 / 255).sub_(1) if not images.is_floating_point() else images * 2 - 1


def to_unit(images: Tensor) -> Tensor:
    """What a generator drew, (N, C, H, W) about [−1, 1], as pictures, classifiers and scores take it: in [0, 1]."""
    return ((images.float() + 1) / 2).clamp(0, 1)
