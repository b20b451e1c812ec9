"""The power spectrum of images: repeated textures and checkerboards are peaks in it."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Radial:
    """Power by spatial frequency, whatever the direction.

    Args:
        frequency: (B,) cycles per pixel, the rings' middles, from 0 to √½.
        power: (B,) mean power of a frequency in the ring.
        cells: (B,) int64, how many frequencies the ring holds: Σ power · cells is the images' mean square.
    """

    frequency: Tensor
    power: Tensor
    cells: Tensor


def power_spectrum(images: Tensor) -> Tensor:
    """|F|²/(HW)², averaged over images and channels: (H, W), frequency 0 in the middle (``fftshift``).

    Its sum is the mean square of the pixels (Parseval); its middle, the square of their mean, averaged.

    Args:
        images: (N, C, H, W), any finite values.

    Raises:
        ValueError: another shape, no images, NaN.
    """
    _check(images)
    height, width = images.shape[-2:]
    power = sum(  # in parts: the transform of a thousand images takes a gigabyte
        torch.fft.fft2(part.double()).abs().square().mean(1).sum(0) for part in images.split(100)
    )
    return torch.fft.fftshift(power / (len(images) * (height * width) ** 2))


def shared(images: Tensor) -> Tensor:
    """The share of each frequency's power that is the same in all images, |E F|²/E|F|²: (H, W), in [0, 1].

    A texture that a generator repeats at the same place in every sample is 1, whatever else differs; N images that
    have nothing in common are about 1/N. Frequency 0, the mean colour, stands in the middle.

    Raises:
        ValueError: as :func:`power_spectrum`.
    """
    _check(images)
    mean = power_spectrum(images.double().mean(0, keepdim=True))
    return mean / power_spectrum(images).clamp_min(torch.finfo(torch.float64).tiny)


def radial(spectrum: Tensor) -> Radial:
    """A spectrum (S, S) of :func:`power_spectrum` by distance from its middle, in rings 1/S cycles per pixel wide.

    Raises:
        ValueError: no square.
    """
    if spectrum.ndim != 2 or spectrum.shape[0] != spectrum.shape[1]:
        raise ValueError(f"a spectrum of shape {tuple(spectrum.shape)}; expected (S, S)")
    side = len(spectrum)
    place = torch.fft.fftshift(torch.fft.fftfreq(side, dtype=torch.float64)) * side  # whole numbers
    ring = (place[:, None].square() + place.square()).sqrt().round().long().flatten()
    cells = ring.bincount()
    total = torch.zeros(len(cells), dtype=torch.float64).index_add_(0, ring, spectrum.flatten().cpu().double())
    return Radial(torch.arange(len(cells), dtype=torch.float64) / side, total / cells, cells)


def checkerboard(spectrum: Tensor, period: int = 2) -> float:
    """How much a pattern of ``period`` pixels stands out: its power over the median of its neighbours', a ratio ≥ 0.

    The frequencies that repeat every ``period`` pixels along rows, columns or both, but not in fewer pixels along the
    axis (for a period of 2: (½, 0), (0, ½), (½, ½)); their geometric mean ratio. 1: nothing stands out. Upsampling by
    strided convolutions leaves periods 2, 4, 8, … (Odena et al. 2016).

    Args:
        spectrum: (S, S) of :func:`power_spectrum`.
        period: divides S, 2 to S/4.

    Raises:
        ValueError: no square, or a period that does not fit.
    """
    if spectrum.ndim != 2 or spectrum.shape[0] != spectrum.shape[1]:
        raise ValueError(f"a spectrum of shape {tuple(spectrum.shape)}; expected (S, S)")
    side = len(spectrum)
    if period < 2 or side % period or side // period < 4:
        raise ValueError(
            f"period={period} in a spectrum of side {side}; expected a divisor of it from 2 to {side // 4}"
        )
    step = side // period
    middle, line = side // 2, torch.arange(-2, 3)
    ratios = []
    for i in range(period):
        for j in range(period):
            if torch.gcd(torch.gcd(torch.tensor(i), torch.tensor(j)), torch.tensor(period)) != 1:
                continue  # a shorter period, or none
            row, column = (middle + i * step) % side, (middle + j * step) % side
            around = spectrum[(row + line) % side][:, (column + line) % side].flatten()
            others = torch.cat([around[:12], around[13:]])
            ratios.append(around[12] / others.median())
    return torch.stack(ratios).log().mean().exp().item()


def _check(images: Tensor) -> None:
    if images.ndim != 4 or not images.numel():
        raise ValueError(f"images of shape {tuple(images.shape)}; expected (N, C, H, W), not empty")
    if not images.isfinite().all():
        raise ValueError("images hold NaN or infinity: the generator has diverged")
