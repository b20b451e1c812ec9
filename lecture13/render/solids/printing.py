"""What a printer makes of a texture: fewer colours, softer edges, ink and paper instead of black and white."""

import math
from numbers import Real

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13.render.solids.mesh import check_texture


def printed(
    texture: Tensor,
    *,
    blur: float = 0.6,
    gamut: float = 0.85,
    ink: float = 0.06,
    paper: float = 0.95,
    levels: int | None = 32,
) -> Tensor:
    """A simulated print: colours drawn into the printer's gamut, smeared, and rounded to the levels it can lay down.

    Athalye et al. 2018, section 3.3, print their turtles, and draw this "printing error" at random when they optimise.
    This one is a fixed, simple printer, not a calibrated one. In this order: each colour moves towards its own grey,
    which is the mean of its channels, to ``gamut`` of its saturation; [0, 1] becomes [``ink``, ``paper``]; the dots
    spread as a Gaussian; each channel is rounded to the nearest of ``levels``, evenly from ``ink`` to ``paper``.

    Args:
        texture: floating (N, 3, H, W) in [0, 1].
        blur: standard deviation in texels, in [0, 20].
        gamut: share of the saturation that is left, in [0, 1].
        ink, paper: the darkest and the lightest that is printed, 0 ≤ ink < paper ≤ 1.
        levels: 2 or more; None: any, which an attack through the printer needs.

    Returns:
        A texture of the same shape, in [ink, paper]; but for rounding, differentiable.

    Raises:
        TypeError, ValueError: a texture that is none, or settings out of range.
    """
    check_texture(texture)
    for name, value, high in (("blur", blur, 20.0), ("gamut", gamut, 1.0), ("ink", ink, 1.0), ("paper", paper, 1.0)):
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= high:
            raise ValueError(f"{name}={value!r}; expected a number from 0 to {high:g}")
    if ink >= paper:
        raise ValueError(f"ink={ink} is not darker than paper={paper}")
    if levels is not None and (isinstance(levels, bool) or not isinstance(levels, int) or levels < 2):
        raise ValueError(f"levels={levels!r}; expected a whole number, 2 or more, or None")
    grey = texture.mean(1, keepdim=True)
    sheet = ink + (paper - ink) * torch.lerp(grey.expand_as(texture), texture, gamut)
    sheet = _smear(sheet, blur)
    if levels is None:
        return sheet
    steps = (sheet - ink) / (paper - ink) * (levels - 1)
    return (ink + (paper - ink) * steps.round() / (levels - 1)).clamp(ink, paper)


def _smear(sheet: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of all channels alike, the edge's texels going on beyond it."""
    if not sigma:
        return sheet
    reach = max(1, math.ceil(4 * sigma))
    steps = torch.arange(-reach, reach + 1, device=sheet.device, dtype=sheet.dtype)
    kernel = torch.exp(-0.5 * (steps / sigma).square())
    kernel = (kernel / kernel.sum()).view(1, 1, -1)
    n, c, h, w = sheet.shape
    planes = F.pad(sheet, (reach,) * 4, mode="replicate").reshape(n * c, 1, h + 2 * reach, w + 2 * reach)
    return F.conv2d(F.conv2d(planes, kernel[:, :, :, None]), kernel[:, :, None]).view(n, c, h, w)
