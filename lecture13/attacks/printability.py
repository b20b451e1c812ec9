"""What a printer can lay down: the non-printability score, and the nearest colour that it has."""

import torch
from torch import Tensor

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
        ValueError: a palette of another shape.
    """
    return _distances(colours, palette).prod(1).flatten(1).sum(1)


def printed_in(colours: Tensor, palette: Tensor) -> Tensor:
    """Every pixel of ``(N, C, H, W)`` in the nearest colour of the palette ``(M, C)``. It has no gradient.

    Raises:
        ValueError: a palette of another shape.
    """
    nearest = _distances(colours.detach(), palette).argmin(1)
    return palette.to(colours)[nearest].movedim(-1, 1)


def _distances(colours: Tensor, palette: Tensor) -> Tensor:
    """From every pixel to every colour, (N, M, …)."""
    channels = colours.shape[1] if colours.ndim > 2 else None
    if palette.ndim != 2 or not len(palette) or palette.shape[1] != channels:
        raise ValueError(
            f"the palette has shape {tuple(palette.shape)} for colours {tuple(colours.shape)}; expected (M, C), M "
            "colours of as many channels"
        )
    palette = palette.to(colours).view(1, *palette.shape, *[1] * (colours.ndim - 2))
    return torch.linalg.vector_norm(colours[:, None] - palette, dim=2)
