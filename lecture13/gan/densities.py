"""Densities on which the game of Goodfellow et al. 2014 has a closed form.

Gaussian mixtures to learn, the density of what a generator draws (exact in one dimension, and for affine generators in
any), the best critic D*, and the Jensen–Shannon divergence by quadrature. All divergences are in nats.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid


@dataclass(frozen=True)
class Mixture:
    """A mixture of K isotropic Gaussians in d dimensions.

    Args:
        means: (K, d).
        stds: (K,), positive.
        weights: (K,), positive, sum 1.

    Raises:
        ValueError: shapes that do not fit, a standard deviation or weight that is not positive, weights that do not
            sum to 1.
    """

    means: Tensor
    stds: Tensor
    weights: Tensor

    def __post_init__(self):
        if self.means.ndim != 2 or self.stds.shape != self.weights.shape or len(self.means) != len(self.stds):
            shapes = [tuple(part.shape) for part in (self.means, self.stds, self.weights)]
            raise ValueError(f"means, stds, weights of shapes {shapes}; expected (K, d), (K,), (K,)")
        if not ((self.stds > 0).all() and (self.weights > 0).all()):
            raise ValueError(f"stds {self.stds.tolist()}, weights {self.weights.tolist()}; expected positive numbers")
        if not math.isclose(self.weights.sum().item(), 1.0, abs_tol=1e-5):
            raise ValueError(f"weights sum to {self.weights.sum().item():.6g}; expected 1")

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Independent draws, (count, d)."""
        modes = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        noise = torch.randn(count, self.means.shape[1], generator=generator, dtype=self.means.dtype)
        return self.means[modes] + self.stds[modes, None] * noise

    def log_prob(self, points: Tensor) -> Tensor:
        """log p(x) in nats at ``points`` (..., d): (...,)."""
        dimensions = self.means.shape[1]
        if points.shape[-1] != dimensions:
            raise ValueError(f"points of shape {tuple(points.shape)}; expected (..., {dimensions}), as the means have")
        square = (points[..., None, :] - self.means).square().sum(-1) / self.stds.square()
        constant = self.weights.log() - dimensions * (self.stds.log() + 0.5 * math.log(2 * math.pi))
        return (constant - 0.5 * square).logsumexp(-1)


def line(means: Sequence[float], stds: Sequence[float], weights: Sequence[float] | None = None) -> Mixture:
    """A mixture in one dimension; equal weights unless given."""
    weights = weights or [1 / len(means)] * len(means)
    return Mixture(torch.tensor(means)[:, None], torch.tensor(stds), torch.tensor(weights))


def ring(modes: int = 8, *, radius: float = 2.0, std: float = 0.05) -> Mixture:
    """Equal Gaussians on a circle in the plane: the usual test for mode collapse (Metz et al. 2017)."""
    angles = torch.arange(modes) * (2 * math.pi / modes)
    return _equal(radius * torch.stack([angles.cos(), angles.sin()], dim=1), std)


def grid(side: int = 5, *, spacing: float = 1.0, std: float = 0.05) -> Mixture:
    """side × side equal Gaussians on a square lattice around the origin."""
    ticks = spacing * (torch.arange(side) - (side - 1) / 2)
    return _equal(torch.cartesian_prod(ticks, ticks), std)


def _equal(means: Tensor, std: float) -> Mixture:
    count = len(means)
    return Mixture(means, torch.full((count,), std), torch.full((count,), 1 / count))


def optimal_logit(log_p: Tensor, log_q: Tensor) -> Tensor:
    """The logit of the best critic, log p_data(x) − log p_g(x); NaN where both densities are 0 and any D is best."""
    return log_p - log_q


def optimal_critic(log_p: Tensor, log_q: Tensor) -> Tensor:
    """D*(x) = p_data(x) / (p_data(x) + p_g(x)); Goodfellow et al. 2014, Proposition 1."""
    return optimal_logit(log_p, log_q).sigmoid()


def jensen_shannon(p: Tensor, q: Tensor, cell: float | Tensor) -> float:
    """JSD(p ‖ q) = ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q)/2, by the midpoint rule; in [0, log 2] nats.

    Args:
        p: density values at the centres of cells (or averages over them), any shape; must be negligible outside.
        q: the same for the other density.
        cell: volume of each cell (width in 1-D, area in 2-D), or one number where all are equal.

    Raises:
        ValueError: a density that is negative, or whose integral over the cells is not 1 to within 1 %.
    """
    for name, density in (("p", p), ("q", q)):
        total = (density * cell).sum().item()
        if not abs(total - 1) < 0.01 or (density < 0).any():
            raise ValueError(
                f"{name} integrates to {total:.4g} over the cells; expected a density ≥ 0 with integral 1: "
                "widen the range of the grid, or make its cells smaller"
            )
    p, q = p.double(), q.double()
    middle = (p + q) / 2
    integrand = torch.xlogy(p, p) + torch.xlogy(q, q) - 2 * torch.xlogy(middle, middle)
    return max(0.0, 0.5 * (integrand * cell).sum().item())


def game_value(divergence: float) -> float:
    """V(D*, G) = −log 4 + 2·JSD(p_data ‖ p_g), in nats; Goodfellow et al. 2014, eq. 6."""
    return -math.log(4.0) + 2 * divergence


def expected_value(logits: Tensor, p: Tensor, q: Tensor, cell: float | Tensor) -> float:
    """V(D, G) = ∫ p log D + ∫ q log(1 − D) in nats, of the critic with these logits at the cells' centres.

    At most ``game_value(jensen_shannon(p, q, cell))``; what is missing there is what the critic has still to learn.
    Arguments as in :func:`jensen_shannon`.
    """
    logits, p, q = logits.double(), p.double(), q.double()
    return ((p * logsigmoid(logits) + q * logsigmoid(-logits)) * cell).sum().item()


def bins(low: float, high: float, count: int, *, reach: float = 1e3) -> Tensor:
    """Edges (count + 3,) of ``count`` equal bins from low to high, and a wide one on either side, out to ±``reach``.

    The wide ones catch what a generator throws far off the data, so that no mass is missed.
    """
    inner = torch.linspace(low, high, count + 1, dtype=torch.float64)
    return torch.cat([inner.new_tensor([-reach]), inner, inner.new_tensor([reach])])


def centres(edges: Tensor) -> Tensor:
    """Midpoints (B,) of the bins between ``edges`` (B + 1,)."""
    return (edges[:-1] + edges[1:]) / 2


@torch.no_grad()
def pushforward(G: nn.Module, edges: Tensor, *, knots: int = 2049) -> Tensor:
    """The density of G(z), z ~ N(0, 1), for any generator from the line to the line, averaged over bins.

    The change of variables, p_g(x) = Σ_{z: G(z) = x} p_z(z) / |G'(z)|, has poles where G turns round, which a grid of x
    would miss or hit at random. Integrated over a bin it has none: between two neighbouring knots in z, G is taken as
    straight, so that the normal's mass between them spreads evenly over the values between. Each bin collects its
    share of every stretch; no mass is lost, whatever the shape of G.

    Args:
        G: maps (N, 1) to (N, 1).
        edges: (B + 1,), increasing: the bins' edges on the x axis.
        knots: number of points on the z axis, from −8 to 8 (outside lies a mass of 1e-15).

    Returns:
        (B,) float64: mass of G(z) in each bin, divided by its width. What falls outside the edges is left out.
    """
    z = torch.linspace(-8, 8, knots, dtype=torch.float64)
    parameter = next(G.parameters(), None)
    like = z if parameter is None else parameter
    x = G(z.to(like)[:, None])[:, 0].to(z)
    mass = torch.special.ndtr(z).diff()
    low, high = torch.minimum(x[:-1], x[1:]), torch.maximum(x[:-1], x[1:])
    at = edges.to(z)
    share = (at[:, None] - low) / (high - low).clamp(min=1e-12)  # of each stretch below each edge
    cumulative = share.clamp(0, 1) @ mass
    return (cumulative.diff() / at.diff()).clamp(min=0)  # rounding, where G has no mass


def affine_log_prob(G: nn.Linear, points: Tensor) -> Tensor:
    """log p_g(x) in nats of x = Az + b, z ~ N(0, I), which is N(b, AAᵀ), at ``points`` (..., d): (...,).

    Raises:
        ValueError: A is not square and invertible, so that p_g has no density.
    """
    matrix, shift = G.weight.detach().double(), G.bias.detach().double()
    rows, columns = matrix.shape
    if rows != columns or torch.linalg.matrix_rank(matrix) < rows:
        raise ValueError(f"an affine generator of shape {rows}×{columns}, not invertible: what it draws has no density")
    z = torch.linalg.solve(matrix, (points.double() - shift)[..., None])[..., 0]
    log_volume = torch.linalg.slogdet(matrix).logabsdet
    return -0.5 * z.square().sum(-1) - 0.5 * rows * math.log(2 * math.pi) - log_volume


def plane(extent: float, cells: int) -> tuple[Tensor, float]:
    """The centres (cells, cells, 2) of a square grid over [−extent, extent]², rows along y, and the area of a cell."""
    ticks = centres(torch.linspace(-extent, extent, cells + 1, dtype=torch.float64))
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    return torch.stack([x, y], dim=-1), (2 * extent / cells) ** 2
