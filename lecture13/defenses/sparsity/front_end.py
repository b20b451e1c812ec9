"""The sparse front end (Gopalakrishnan et al. 2018): what a classifier sees of an image are its K largest coefficients.

    x̂ = clip(Ψ·H_K(Ψᵀx), 0, 1)

with Ψ an orthonormal wavelet basis and H_K keeping the K entries of largest magnitude. A perturbation that is spread
over all N coefficients meets the classifier only through K of them.

On the way back there are several gradients, since an attacker chooses what to differentiate (:data:`GRADIENTS`). The
values are the same in all.
"""

import torch
from torch import Tensor, nn

from lecture13.defenses.sparsity.wavelets import Wavelet

#: ``"exact"``: the derivative where there is one: the projection onto the kept coefficients, and 0 where the clip acts.
#: ``"projection"``: the projection alone.
#: ``"identity"``: as if the front end were not there (BPDA, Athalye et al. 2018).
#: ``"soft"``: that of a choice without an edge, c·σ((|c| − τ)/T) with τ the K-th magnitude: it also says which
#: coefficients are about to be chosen or dropped. Not in the paper.
GRADIENTS = ("exact", "projection", "identity", "soft")
SOFTNESS = 0.05  # T, in units of coefficients: a patch of 2×2 white pixels has one of 2


class SparseFrontEnd(nn.Module):
    """Keep the K largest wavelet coefficients of each image.

    The K are chosen for each image, from all its N = C·H·W coefficients: channels are transformed one by one, and
    compete for the K. Among coefficients of the same magnitude the choice is arbitrary; K are kept all the same.

    Args:
        keep: K, from 1 to N.
        wavelet: its name, see :class:`~lecture13.defenses.sparsity.wavelets.Wavelet`.
        shape: of an image, ``(C, H, W)`` or ``(H, W)``.
        levels: of the transform; H and W have to be multiples of 2^levels.
        gradient: one of :data:`GRADIENTS`.

    Shapes:
        images ``(N, *shape)`` in [0, 1] → the same, in [0, 1]; dtype and device of the images.

    Raises:
        ValueError: K out of range, an unknown wavelet or gradient, sides that cannot be halved.
    """

    def __init__(
        self,
        keep: int,
        *,
        wavelet: str = "coif1",
        shape: tuple[int, ...] = (1, 28, 28),
        levels: int = 1,
        gradient: str = "exact",
    ):
        super().__init__()
        self.transform = Wavelet(wavelet, shape, levels)
        self.size = int(torch.Size(shape).numel())
        if isinstance(keep, bool) or not isinstance(keep, int) or not 1 <= keep <= self.size:
            raise ValueError(
                f"keep={keep!r}; expected K, a whole number from 1 to N = {self.size}, such as "
                f"round(0.035 * {self.size})"
            )
        if gradient not in GRADIENTS:
            raise ValueError(f"unknown gradient {gradient!r}; choose one of {', '.join(map(repr, GRADIENTS))}")
        self.keep, self.gradient = keep, gradient

    @property
    def share(self) -> float:
        """ρ = K/N."""
        return self.keep / self.size

    def through(self, gradient: str) -> "SparseFrontEnd":
        """The same front end with another gradient, for an attacker to try."""
        shape, levels = self.transform.shape, self.transform.levels
        other = SparseFrontEnd(self.keep, wavelet=self.transform.wavelet, shape=shape, levels=levels, gradient=gradient)
        return other.to(next(self.buffers())).train(self.training)

    def support(self, images: Tensor) -> Tensor:
        """Which coefficients are kept: bool, the shape of ``images``, K True in each image."""
        return self._largest(self.transform(images))

    def project(self, vectors: Tensor, support: Tensor) -> Tensor:
        """``Ψ·P_S·Ψᵀv``: what of ``vectors`` (in pixels) lies in the span of the basis images in ``support``."""
        return self.transform.inverse(self.transform(vectors) * support).to(vectors.dtype)

    def forward(self, images: Tensor) -> Tensor:
        """``clip(Ψ·H_K(Ψᵀx), 0, 1)``."""
        coefficients = self.transform(images)
        sparse = self.transform.inverse(coefficients * self._largest(coefficients)).to(images.dtype)
        clipped = sparse.clamp(0, 1)
        if self.gradient == "exact":
            return clipped
        stand_in = {"projection": lambda: sparse, "identity": lambda: images, "soft": lambda: self._soft(coefficients)}
        return _ValueOf.apply(clipped, stand_in[self.gradient]().to(images.dtype))

    def _largest(self, coefficients: Tensor) -> Tensor:
        magnitudes = coefficients.detach().abs().reshape(-1, self.size)
        kept = torch.zeros_like(magnitudes, dtype=torch.bool).scatter_(1, magnitudes.topk(self.keep).indices, True)
        return kept.view(coefficients.shape)

    def _soft(self, coefficients: Tensor) -> Tensor:
        magnitudes = coefficients.abs()
        edge = magnitudes.detach().reshape(-1, self.size).topk(self.keep).values[:, -1]
        edge = edge.view(-1, *[1] * len(self.transform.shape))
        return self.transform.inverse(coefficients * ((magnitudes - edge) / SOFTNESS).sigmoid())

    def extra_repr(self) -> str:
        """K and the gradient, for ``print(model)``."""
        return f"keep={self.keep} of {self.size}, gradient={self.gradient!r}"


class _ValueOf(torch.autograd.Function):
    """The first argument on the way forward, the second on the way back."""

    @staticmethod
    def forward(ctx, value: Tensor, stand_in: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[None, Tensor]:
        return None, gradient
