"""CIE L*a*b*: colours laid out so that equal distances look about equally large. Differentiable."""

import torch
from torch import Tensor

#: From linear sRGB to CIE XYZ under D65 (IEC 61966-2-1), and the white that it gives.
_TO_XYZ = torch.tensor(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], dtype=torch.float64
)
_KNEE = 6 / 29


def lab(images: Tensor) -> Tensor:
    """sRGB images in CIE 1976 L*a*b*, white point D65.

    L* runs from 0 (black) to 100 (white), a* from green to red, b* from blue to yellow, each about −110 … 100. The
    Euclidean distance of two colours is ΔE (CIE76); about 2 can just be seen side by side.

    Args:
        images: floating ``(N, 3, …)`` in [0, 1], gamma-encoded as images are.

    Returns:
        The same shape, dtype and device. The gradient is finite everywhere, at black too.

    Raises:
        ValueError: another number of channels.
    """
    if images.ndim < 2 or images.shape[1] != 3:
        raise ValueError(f"images have shape {tuple(images.shape)}; expected (N, 3, …), red, green and blue")
    bent = ((images.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    linear = torch.where(images > 0.04045, bent, images / 12.92)
    matrix = (_TO_XYZ / _TO_XYZ.sum(1, keepdim=True)).to(images)
    xyz = torch.tensordot(linear.movedim(1, -1), matrix.T, dims=1)
    # below the knee, the cube root goes on as its tangent: its own slope at 0 would be infinite
    root = xyz.clamp(min=_KNEE**3) ** (1 / 3)
    x, y, z = torch.where(xyz > _KNEE**3, root, xyz / (3 * _KNEE**2) + 4 / 29).unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def lab_distance(images: Tensor, others: Tensor) -> Tensor:
    """Root mean square of ΔE over the pixels, ``(N,)``. Its gradient is 0 where nothing has changed.

    Raises:
        ValueError: images of other shapes than the others, or without three channels.
    """
    if images.shape != others.shape:
        raise ValueError(f"images have shape {tuple(images.shape)}, others {tuple(others.shape)}; expected the same")
    change = (lab(images) - lab(others)).flatten(1)
    return torch.linalg.vector_norm(change, dim=1) * (3 / change.shape[1]) ** 0.5
