"""Optimal transport: the Wasserstein-1 distance, exactly, and what a critic makes of it.

W₁(p, q) is the least cost of moving the mass of p onto q, a unit of mass over a unit of distance costing 1; and, by
Kantorovich and Rubinstein, the largest mean difference E_p f − E_q f that a 1-Lipschitz function f can show. The first
is a linear program, solved here to the end (SciPy on the line, POT's network simplex elsewhere); the second is what the
critic of a Wasserstein GAN climbs towards (Arjovsky et al. 2017, eqs. 1 and 2).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.stats import wasserstein_distance
from torch import Tensor, nn


@dataclass(frozen=True)
class Plan:
    """An optimal plan between x (N points) and y (M points), with the dual solution that proves it optimal.

    Args:
        x, y: (N, d), (M, d) float64, the points.
        mass: (N, M) float64: how much goes from xᵢ to yⱼ. Rows sum to x's weights, columns to y's.
        heights: (M,) float64: the Kantorovich potential at y, from the dual of the linear program.
    """

    x: Tensor
    y: Tensor
    mass: Tensor
    heights: Tensor

    @property
    def distance(self) -> float:
        """W₁: the mean distance that the mass travels."""
        return (self.mass * _distances(self.x, self.y)).sum().item()

    @property
    def matching(self) -> Tensor:
        """For each x the index (N,) of the y that gets most of its mass; a permutation where N = M, equal weights."""
        return self.mass.argmax(dim=1)

    def potential(self, points: Tensor) -> Tensor:
        """The best critic f*(points), (K, d) → (K,): 1-Lipschitz, and E_x f* − E_y f* = W₁ exactly.

        The dual solution fixes f* at the samples. Elsewhere a 1-Lipschitz function with these values lies between a
        roof over y, minⱼ (f*(yⱼ) + ‖p − yⱼ‖), and a tent over x, maxᵢ (f*(xᵢ) − ‖p − xᵢ‖). Both are best critics, and
        this is their mean. Any constant may be added; here the mean over y is 0.
        """
        points = _points(points, "points").to(self.y)

        def roof(at: Tensor) -> Tensor:
            return (_distances(at, self.y) + self.heights).min(dim=1).values

        tent = (roof(self.x) - _distances(points, self.x)).max(dim=1).values
        return (roof(points) + tent) / 2 - (roof(self.y) * self.mass.sum(dim=0)).sum()


def plan(x: Tensor, y: Tensor, *, x_weights: Tensor | None = None, y_weights: Tensor | None = None) -> Plan:
    """Move the samples x onto the samples y at the least cost ‖xᵢ − yⱼ‖₂: POT's network simplex, exact.

    Args:
        x, y: (N, d) and (M, d) points, or (N, C, H, W) and (M, C, H, W) images, whose distance is the Euclidean one
            between all their pixels. Time grows like N·M·log: 0.1 s for 1000 and 1000, 1 s for 2000 and 2000.
        x_weights, y_weights: (N,) and (M,), not negative, of any positive sum (they are scaled to sum 1); None: equal.

    Raises:
        ValueError: no points, points that are not finite or of different dimensions, weights that do not fit.
        RuntimeError: the network simplex did not come to an end.
    """
    shapes = tuple(x.shape[1:]), tuple(y.shape[1:])
    x, y = _points(x, "x"), _points(y, "y")
    if shapes[0] != shapes[1]:
        raise ValueError(f"x holds samples of shape {shapes[0]}, y of shape {shapes[1]}; expected one shape")
    a, b = _weights(x_weights, x, "x_weights"), _weights(y_weights, y, "y_weights")
    cost = _distances(x, y)
    mass, log = _pot().emd(a.numpy(), b.numpy(), cost.numpy(), numItermax=100_000_000, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"optimal transport of {len(x)} to {len(y)} samples: {log['warning']}; give fewer samples")
    return Plan(x, y, torch.as_tensor(mass), -torch.as_tensor(log["v"]))


def wasserstein(x: Tensor, y: Tensor, *, x_weights: Tensor | None = None, y_weights: Tensor | None = None) -> float:
    """W₁ between samples, exactly: by SciPy on the line, by POT's network simplex elsewhere; arguments as :func:`plan`.

    This is the distance of the *samples*. Two samples of one density are apart too: in the plane by about N^(−1/2), on
    images by nearly as much as any two images. Set a distance between two real samples beside it.
    """
    if x.ndim == y.ndim == 2 and x.shape[1] == y.shape[1] == 1:
        x, y = _points(x, "x"), _points(y, "y")
        a, b = _weights(x_weights, x, "x_weights"), _weights(y_weights, y, "y_weights")
        return float(wasserstein_distance(x[:, 0], y[:, 0], a, b))
    return plan(x, y, x_weights=x_weights, y_weights=y_weights).distance


def between_densities(p: Tensor, q: Tensor, edges: Tensor) -> float:
    """W₁ = ∫ |P(t) − Q(t)| dt of two densities on the line, P and Q their distribution functions.

    Args:
        p, q: (B,) averages of the densities over bins (:func:`~lecture13.gan.densities.pushforward`), or their values
            at the bins' centres; scaled to mass 1. All of a bin's mass is taken to lie at its centre, so a wide outer
            bin must hold next to none.
        edges: (B + 1,) of the bins, increasing.

    Raises:
        ValueError: lengths that do not fit, edges that do not increase, a density that is negative, not finite or 0
            everywhere.
    """
    p, q, edges = (values.detach().cpu().double() for values in (p, q, edges))
    width = edges.diff()
    if not p.shape == q.shape == width.shape or p.ndim != 1:
        raise ValueError(
            f"{tuple(p.shape)} and {tuple(q.shape)} densities, {len(edges)} edges; expected B, B and B + 1"
        )
    if not (edges.isfinite().all() and (width > 0).all()):
        raise ValueError(f"edges from {edges[0]:g} to {edges[-1]:g}; expected finite numbers that increase")
    at = ((edges[:-1] + edges[1:]) / 2)[:, None]
    a, b = _weights(p * width, at, "p"), _weights(q * width, at, "q")
    return float(wasserstein_distance(at[:, 0], at[:, 0], a, b))


@torch.no_grad()
def estimate(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, *, lipschitz: float = 1.0) -> float:
    """What a critic makes of W₁(p_data, p_g): (mean D(x) − mean D(G(z))) / K; Arjovsky et al. 2017, eqs. 2 and 3.

    The supremum over all K-Lipschitz D of the difference is K·W₁: so for a D whose constant K is known, this is a lower
    bound of the distance between the same samples, and as good as the critic. With a wrong K (the critic's constant is
    neither 1 nor known under a penalty or a clip) it is a number, not a bound.

    Args:
        critic: samples → (N,).
        real, fake: samples of the data and of the generator.
        lipschitz: K > 0.

    Raises:
        ValueError: K not positive, no samples.
    """
    if not lipschitz > 0:
        raise ValueError(f"lipschitz={lipschitz!r}; expected K > 0")
    if not (len(real) and len(fake)):
        raise ValueError(f"{len(real)} real and {len(fake)} generated samples; expected at least one of each")
    return (critic(real).double().mean() - critic(fake).double().mean()).item() / lipschitz


@torch.no_grad()
def lipschitz_bound(network: nn.Module) -> float:
    """An upper bound on the Lipschitz constant (Euclidean norms) of a perceptron: the product Π ‖W_l‖₂ of its layers.

    Args:
        network: made of ``nn.Linear`` and activations of slope at most 1 (ReLU, LeakyReLU, Tanh, ELU, Sigmoid), one
            after the other.

    Raises:
        TypeError: another layer, named.
    """
    bound = 1.0
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Linear):
            bound *= torch.linalg.matrix_norm(layer.weight.double(), 2).item()
        elif not any(layer.children()) and not isinstance(layer, _CONTRACTIONS):
            raise TypeError(f"layer {name or 'itself'} is a {type(layer).__name__}; expected Linear or an activation")
    return bound


_CONTRACTIONS = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.ELU, nn.Sigmoid, nn.Flatten, nn.Identity)


def _points(samples: Tensor, name: str) -> Tensor:
    """The samples as rows (N, d), float64, on the CPU."""
    if samples.ndim < 2 or samples.numel() == 0:
        raise ValueError(f"{name} has the shape {tuple(samples.shape)}; expected (N, d) or (N, C, H, W), not empty")
    rows = samples.detach().flatten(1).cpu().double()
    if not rows.isfinite().all():
        raise ValueError(f"{name} holds NaN or infinity: the generator has diverged")
    return rows


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """‖xᵢ − yⱼ‖₂, (N, M). A matrix product is faster for images, but gives equal points a distance of 1e-8."""
    direct = x.shape[1] <= 16
    mode = "donot_use_mm_for_euclid_dist" if direct else "use_mm_for_euclid_dist_if_necessary"
    return torch.cdist(x, y, compute_mode=mode)


def _weights(weights: Tensor | None, points: Tensor, name: str) -> Tensor:
    """Weights (N,) of sum 1, float64."""
    if weights is None:
        return torch.full((len(points),), 1 / len(points), dtype=torch.float64)
    weights = weights.detach().cpu().double()
    if weights.shape != (len(points),):
        raise ValueError(f"{name} has the shape {tuple(weights.shape)}; expected ({len(points)},), one for each sample")
    if not (weights.isfinite().all() and (weights >= 0).all() and weights.sum() > 0):
        raise ValueError(f"{name} has values from {weights.min():g} to {weights.max():g}; expected ≥ 0, and not all 0")
    return weights / weights.sum()


def _pot():
    """POT, imported where it is used: the first import takes seconds, more where it finds TensorFlow or JAX."""
    for backend in ("TENSORFLOW", "JAX", "CUPY"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    import ot

    return ot
