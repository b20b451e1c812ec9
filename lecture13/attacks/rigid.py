"""Rotations and translations of images, one for each, differentiable in angle and shift."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13 import guard


def rotate_and_translate(images: Tensor, angle: Tensor, shift: Tensor) -> Tensor:
    """Each image rotated about its centre by its own angle, then shifted; bilinear, black where it comes from outside.

    Output pixel p takes the value at ``R(−θ)·(p − t) + c`` with p and t relative to the centre c. The same as
    ``torchvision.transforms.v2.functional.affine(image, θ, t, scale=1, shear=0)``, bilinear, which takes one pose for
    the whole batch. Angle 0 with whole shifts moves pixels exactly; with shift 0 it is the identity.

    Args:
        images: float ``(N, C, H, W)``.
        angle: float ``(N,)``, degrees, clockwise.
        shift: float ``(N, 2)``, pixels to the right and down.

    Returns:
        ``(N, C, H, W)``, dtype of ``images``. Gradients flow to all three.

    Raises:
        ValueError: other shapes.
    """
    if images.ndim != 4 or angle.shape != images.shape[:1] or shift.shape != (len(images), 2):
        raise ValueError(
            f"images, angle and shift have shapes {tuple(images.shape)}, {tuple(angle.shape)} and "
            f"{tuple(shift.shape)}; expected (N, C, H, W), (N,) and (N, 2)"
        )
    exact = torch.promote_types(images.dtype, torch.float32)  # half precision cannot count pixels
    height, width = images.shape[2:]
    # On a canvas whose sides are powers of two, grid_sample's way to coordinates in [−1, 1] and back is free of
    # rounding. That is what makes the identity exact.
    tall, wide = (2 ** math.ceil(math.log2(side)) for side in (height, width))
    canvas = F.pad(images.to(exact), (0, wide - width, 0, tall - height))

    theta = torch.deg2rad(angle.to(exact)).view(-1, 1, 1)
    cos, sin = theta.cos(), theta.sin()
    right, down = (part.reshape(-1, 1, 1) for part in shift.to(exact).unbind(1))
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    x = torch.arange(width, dtype=exact, device=images.device).sub(centre_x) - right  # (N, 1, W): p − t
    y = torch.arange(height, dtype=exact, device=images.device).sub(centre_y).view(-1, 1) - down  # (N, H, 1)
    # R(−θ)(p − t) + c, and from pixels to [−1, 1]: g = (2s + 1)/side − 1. What depends on the column and what depends
    # on the row are added at the end, which is the one operation of full size.
    by_column = torch.stack([((cos * x + centre_x) * 2 + 1) / wide - 1, -sin * x * (2 / tall)], dim=-1)  # (N, 1, W, 2)
    by_row = torch.stack([sin * y * (2 / wide), ((cos * y + centre_y) * 2 + 1) / tall - 1], dim=-1)  # (N, H, 1, 2)
    grid = by_column + by_row
    return F.grid_sample(canvas, grid, mode="bilinear", padding_mode="zeros", align_corners=False).to(images.dtype)


def black_canvas(images: Tensor, max_rotation: float, max_shift: tuple[float, float]) -> Tensor:
    """``images`` amid so much black that no rotation and shift within the limits moves a part of them out of the frame.

    Args:
        images: float ``(N, C, H, W)``.
        max_rotation: degrees, either way.
        max_shift: pixels, horizontally and vertically, either way.

    Returns:
        ``(N, C, H + 2a, W + 2b)``, the centre where it was. The net has to take images of this size.
    """
    height, width = images.shape[2:]
    limit = math.radians(max_rotation)

    def margin(side: int, other: int, shift: float) -> int:
        """What the rotated side, ``s·cos θ + o·sin θ`` long, needs at each end; it is longest at tan θ = o/s.

        Bilinearly, a pixel reaches all centres less than a pixel away: half a pixel beyond its own square, so that s
        and o are one more than the sides.
        """
        s, o = side + 1, other + 1
        theta = min(limit, math.atan2(o, s))
        return max(0, math.ceil((s * math.cos(theta) + o * math.sin(theta) - s) / 2 + shift))

    rows, columns = margin(height, width, max_shift[1]), margin(width, height, max_shift[0])
    return F.pad(images, (columns, columns, rows, rows))


def set_on_canvas(model: guard.Model, images: Tensor, max_rotation: float, max_shift: tuple[float, float]) -> Tensor:
    """:func:`black_canvas`, and a look whether ``model`` takes images of that size. Raises ValueError if not."""
    height, width = images.shape[2:]
    images = black_canvas(images, max_rotation, max_shift)
    try:
        with guard.frozen(model, images.device), torch.no_grad():
            guard.logits(model, images[:1])
    except RuntimeError as error:
        raise ValueError(
            f"the model does not take images of {images.shape[2]}×{images.shape[3]}, the black canvas of "
            f"{height}×{width} ones: give it adaptive pooling, train it on black_canvas(images, …), or say "
            f"padding='zeros' ({error})"
        ) from error
    return images


def check_pictures(images: Tensor) -> Tensor:
    """:func:`lecture13.guard.check_images` without a box, and ``(N, C, H, W)`` for certain."""
    images = guard.check_images(images, None)
    if images.ndim != 4:
        raise ValueError(f"images have shape {tuple(images.shape)}; expected (N, C, H, W), which can be rotated")
    return images
