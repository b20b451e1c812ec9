"""What a printer can lay down: the non-printability score, and the nearest colour that it has."""

import torch
from torch import Tensor

from lecture13.guard import Bounds

#: Black and white stickers, as inked paper is, not as a screen is: (P, 3).
STICKERS = torch.tensor([[0.06, 0.06, 0.06], [0.95, 0.95, 0.95]])


def non_printability(colours: Tensor, palette: Tensor) -> Tensor:
    """The non-printability score of each image, ``(N,)`` (Eykholt et al. 2018, section 3.2, after Sharif et al. 2016)::

        NPS = Σ_p̂ Π_p′ ‖p̂ − p′‖₂

    over the pixels p̂ of the image and the colours p′ that can be printed. A pixel adds nothing where it has one of the
    colours, and little near one.

    Args:
        colours: floating ``(N, C, H, W)``, or ``(N, C, P)`` for P pixels.
        palette: ``(M, C)``, M ≥ 1.

    Raises:
        ValueError: a palette of another shape, or with values that are not finite.
    """
    return _distances(colours, palette).prod(1).flatten(1).sum(1)


def printed_in(colours: Tensor, palette: Tensor) -> Tensor:
    """Every pixel of ``(N, C, H, W)`` in the nearest colour of the palette ``(M, C)``. It has no gradient.

    Raises:
        ValueError: a palette of another shape, or with values that are not finite.
    """
    nearest = _distances(colours.detach(), palette).argmin(1)
    return palette.to(colours)[nearest].movedim(-1, 1)


def check_palette(palette: Tensor, channels: int, bounds: Bounds) -> Tensor:
    """``palette``, if it is ``(M, channels)``, M ≥ 1, finite and in the box.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(palette, Tensor) or palette.ndim != 2 or not len(palette) or palette.shape[1] != channels:
        kind = f"has shape {tuple(palette.shape)}" if isinstance(palette, Tensor) else f"is a {type(palette).__name__}"
        raise ValueError(f"the palette {kind}; expected a tensor (M, {channels}), M colours of as many channels")
    low, high = (-float("inf"), float("inf")) if bounds is None else bounds
    if not bool((palette.isfinite() & (palette >= low) & (palette <= high)).all()):
        least, most = (float(value) for value in palette.aminmax())
        raise ValueError(f"the palette lies in [{least:g}, {most:g}]; expected finite colours in [{low:g}, {high:g}]")
    return palette


def _distances(colours: Tensor, palette: Tensor) -> Tensor:
    """From every pixel to every colour, (N, M, …)."""
    if colours.ndim < 3:
        raise ValueError(f"the colours have shape {tuple(colours.shape)}; expected (N, C, H, W) or (N, C, P)")
    palette = check_palette(palette, colours.shape[1], None)
    palette = palette.to(colours).view(1, *palette.shape, *[1] * (colours.ndim - 2))
    return torch.linalg.vector_norm(colours[:, None] - palette, dim=2)
