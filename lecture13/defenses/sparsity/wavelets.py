"""The orthonormal wavelet transform of images, periodised: a change of basis that keeps every length.

One level in one dimension is an orthogonal matrix: filter with h (low-pass) and g (high-pass), keep every second value,

    a_k = Σ_j h_j·x_{2k + L/2 − j},    d_k = Σ_j g_j·x_{2k + L/2 − j}    (indices modulo n),

with filters of length L from PyWavelets. In two dimensions rows and columns are transformed one after the other; a
further level does the same to the low-low quarter. Coefficients stand where images have them (Mallat's layout): the
coarsest quarter in the upper left corner.
"""

import pywt
import torch
from torch import Tensor, nn

#: families whose filters are orthonormal, so that the transform's inverse is its transpose
FAMILIES = ("haar", "db", "sym", "coif")


class Wavelet(nn.Module):
    """The transform of images of one shape, and its inverse.

    Args:
        wavelet: ``"haar"``, ``"db2"`` … ``"db38"``, ``"sym2"`` …, ``"coif1"`` … ``"coif17"``.
        shape: of the images: ``(C, H, W)`` or ``(H, W)``. Channels are transformed one by one.
        levels: ≥ 1; H and W have to be multiples of 2^levels.

    Raises:
        ValueError: an unknown wavelet or one that is not orthonormal, another shape, odd sizes.
    """

    def __init__(self, wavelet: str, shape: tuple[int, ...], levels: int = 1):
        super().__init__()
        self.wavelet, self.shape, self.levels = wavelet, tuple(shape), levels
        if len(self.shape) not in (2, 3) or any(not isinstance(n, int) or n < 1 for n in self.shape):
            raise ValueError(f"shape={shape!r}; expected (C, H, W) or (H, W), whole numbers ≥ 1")
        if isinstance(levels, bool) or not isinstance(levels, int) or levels < 1:
            raise ValueError(f"levels={levels!r}; expected a whole number ≥ 1")
        height, width = self.shape[-2:]
        if height % 2**levels or width % 2**levels:
            raise ValueError(
                f"images of {height}×{width} cannot be halved {levels} time{'s' * (levels > 1)}; expected sides that "
                f"are multiples of {2**levels}: pad or scale the images, or take fewer levels"
            )
        for level in range(levels):
            for name, size in (("rows", height >> level), ("columns", width >> level)):
                self.register_buffer(f"{name}{level}", analysis_matrix(wavelet, size), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(…, *shape)`` → coefficients of the same shape; in float32 at least."""
        return self._analyse(self._checked(images), 0)

    def inverse(self, coefficients: Tensor) -> Tensor:
        """Coefficients ``(…, *shape)`` → images: the transpose."""
        return self._synthesise(self._checked(coefficients), 0)

    def extra_repr(self) -> str:
        """Wavelet, shape and levels, for ``print(model)``."""
        return f"{self.wavelet!r}, shape={self.shape}, levels={self.levels}"

    def _checked(self, values: Tensor) -> Tensor:
        if tuple(values.shape[-len(self.shape) :]) != self.shape:
            raise ValueError(
                f"images have shape {tuple(values.shape)}; expected (N, {', '.join(map(str, self.shape))})"
            )
        return values.to(torch.promote_types(values.dtype, torch.float32))

    def _matrices(self, level: int, like: Tensor) -> tuple[Tensor, Tensor]:
        return tuple(getattr(self, f"{name}{level}").to(like) for name in ("rows", "columns"))

    def _analyse(self, images: Tensor, level: int) -> Tensor:
        rows, columns = self._matrices(level, images)
        found = rows @ images @ columns.T
        if level + 1 == self.levels:
            return found
        height, width = (side // 2 for side in found.shape[-2:])
        corner = self._analyse(found[..., :height, :width], level + 1)
        return _with_corner(found, corner)

    def _synthesise(self, coefficients: Tensor, level: int) -> Tensor:
        rows, columns = self._matrices(level, coefficients)
        if level + 1 < self.levels:
            height, width = (side // 2 for side in coefficients.shape[-2:])
            corner = self._synthesise(coefficients[..., :height, :width], level + 1)
            coefficients = _with_corner(coefficients, corner)
        return rows.T @ coefficients @ columns


def analysis_matrix(wavelet: str, size: int) -> Tensor:
    """One level in one dimension: float64 ``(size, size)``, orthogonal; the upper half gives a, the lower half d.

    Raises:
        ValueError: an unknown wavelet, or an odd size.
    """
    if size < 2 or size % 2:
        raise ValueError(f"size={size}; expected an even number: every level halves it")
    filters = check_wavelet(wavelet)
    half, length = size // 2, filters.dec_len
    matrix = torch.zeros(size, size, dtype=torch.float64)
    for k in range(half):
        for j in range(length):
            column = (2 * k + length // 2 - j) % size  # several j meet where the filter is longer than the signal
            matrix[k, column] += filters.dec_lo[j]
            matrix[half + k, column] += filters.dec_hi[j]
    return matrix


def check_wavelet(wavelet: str) -> pywt.Wavelet:
    """The filters of an orthonormal wavelet by name. Raises ValueError for any other."""
    known = [name for family in FAMILIES for name in pywt.wavelist(family)]
    if wavelet not in known:
        raise ValueError(
            f"unknown wavelet {wavelet!r}; choose an orthonormal one: 'haar', 'db2' … 'db38', 'sym2' … 'sym20', "
            "'coif1' … 'coif17'"
        )
    return pywt.Wavelet(wavelet)


def _with_corner(whole: Tensor, corner: Tensor) -> Tensor:
    height, width = corner.shape[-2:]
    above = torch.cat([corner, whole[..., :height, width:]], -1)
    return torch.cat([above, whole[..., height:, :]], -2)
