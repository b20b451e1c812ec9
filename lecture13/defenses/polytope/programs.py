"""The programs behind Algorithm 1, solved as they stand, for small networks: the oracle of the bounds.

The mixed-integer program is the exact answer: a 0/1 variable says on which side of its kink each unstable ReLU is
(Tjeng et al. 2019). The linear program has the triangle in its place (Wong & Kolter 2018, eq. 4), and Algorithm 1 is a
feasible point of its dual: dual ≤ LP ≤ MILP. Both are solved by HiGHS, in float64.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from scipy.optimize import Bounds as Limits
from scipy.optimize import LinearConstraint, milp
from torch import Tensor, nn

from lecture13 import guard
from lecture13.defenses.polytope import certificates
from lecture13.defenses.polytope.layers import Affine, read
from lecture13.guard import Bounds

#: units of all layers together: beyond, a matrix for each layer and a program for each unit are no small matter
LARGEST = 2000


def lp_bounds(
    network: nn.Module, images: Tensor, epsilon: float | Tensor, *, box: Bounds = None
) -> list[tuple[Tensor, Tensor]]:
    """The bounds of the linear program: each unit's smallest and largest value over the convex outer polytope.

    The triangles come from Algorithm 1's bounds, so that a unit's bounds are at least as tight as those, and what
    remains between the two is what Algorithm 1's one dual point gives away.

    Args:
        network, images, epsilon, box: as in :func:`~lecture13.defenses.polytope.bounds`.

    Returns:
        As :func:`~lecture13.defenses.polytope.bounds`, in float64.

    Raises:
        TypeError, ValueError: as :func:`~lecture13.defenses.polytope.bounds`; a network of more than 2000 units.
        RuntimeError: the solver stops without an answer.
    """
    return _all_bounds(network, images, epsilon, box, exact=False)


def milp_bounds(
    network: nn.Module, images: Tensor, epsilon: float | Tensor, *, box: Bounds = None
) -> list[tuple[Tensor, Tensor]]:
    """The exact bounds: each unit's smallest and largest value over all images within ε. As :func:`lp_bounds`."""
    return _all_bounds(network, images, epsilon, box, exact=True)


def lp_margins(
    network: nn.Module, images: Tensor, labels: Tensor, epsilon: float | Tensor, *, box: Bounds = None
) -> Tensor:
    """The smallest ``z_label − z_k`` over the convex outer polytope, ``(N, K)``, 0 at k = label. As :func:`lp_bounds`.

    Args:
        labels: int64 ``(N,)``.
        network, images, epsilon, box: as in :func:`lp_bounds`.
    """
    return _all_margins(network, images, labels, epsilon, box, exact=False)


def milp_margins(
    network: nn.Module, images: Tensor, labels: Tensor, epsilon: float | Tensor, *, box: Bounds = None
) -> Tensor:
    """The smallest ``z_label − z_k`` over all images within ε: exact. As :func:`lp_margins`."""
    return _all_margins(network, images, labels, epsilon, box, exact=True)


@dataclass(frozen=True)
class _Layer:
    """``ẑ = W·x + b`` as a matrix, and bounds of ẑ for one image."""

    weight: np.ndarray
    bias: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def _all_bounds(
    network: nn.Module, images: Tensor, epsilon: float | Tensor, box: Bounds, exact: bool
) -> list[tuple[Tensor, Tensor]]:
    affines, inputs, found = _prepare(network, images, epsilon, box)
    results = [
        (torch.empty(low.shape, dtype=torch.float64), torch.empty(low.shape, dtype=torch.float64)) for low, _ in found
    ]
    for image in range(len(images)):
        layers = _layers(affines, found, image)
        for number, (lower, upper) in enumerate(results):
            program = _Program(inputs[0][image], inputs[1][image], layers[:number], exact)
            last, flat = layers[number], (lower[image].flatten(), upper[image].flatten())
            for unit in range(len(last.bias)):
                row, bias = last.weight[unit], float(last.bias[unit])
                flat[0][unit] = program.minimise(row) + bias
                flat[1][unit] = -program.minimise(-row) + bias
            lower[image], upper[image] = flat[0].view_as(lower[image]), flat[1].view_as(upper[image])
    return results


def _all_margins(
    network: nn.Module, images: Tensor, labels: Tensor, epsilon: float | Tensor, box: Bounds, exact: bool
) -> Tensor:
    labels = guard.check_labels(labels, images)
    certificates.margins(network, images[:1], labels.new_full((1,), int(labels.max())) if len(labels) else labels, 0.0)
    affines, inputs, found = _prepare(network, images, epsilon, box)
    results = torch.zeros(len(images), affines[-1].given[0], dtype=torch.float64)
    for image, label in enumerate(labels.tolist()):
        *layers, last = _layers(affines, found, image)
        program = _Program(inputs[0][image], inputs[1][image], layers, exact)
        for k in range(len(last.bias)):
            if k != label:  # c = e_label − e_k
                row = last.weight[label] - last.weight[k]
                results[image, k] = program.minimise(row) + float(last.bias[label] - last.bias[k])
    return results


def _prepare(network: nn.Module, images: Tensor, epsilon: float | Tensor, box: Bounds) -> tuple[
    list[Affine], tuple[np.ndarray, np.ndarray], list[tuple[Tensor, Tensor]]
]:  # fmt: skip
    """The affine maps, the inputs' limits ``(N, features)`` each, and Algorithm 1's bounds."""
    found = certificates.bounds(network, images, epsilon, box=box)
    affines = read(network, tuple(images.shape[1:]), images)
    units = sum(int(np.prod(affine.given)) for affine in affines)
    if units > LARGEST:
        raise ValueError(f"the network has {units} units; expected at most {LARGEST}: each is a program to solve")
    exact = images.detach().cpu().double().flatten(1).numpy()
    radius = torch.as_tensor(epsilon, dtype=torch.float64).cpu().reshape(-1, 1).numpy()
    low, high = exact - radius, exact + radius
    return affines, (low, high) if box is None else (np.clip(low, *box), np.clip(high, *box)), found


def _layers(affines: list[Affine], found: list[tuple[Tensor, Tensor]], image: int) -> list[_Layer]:
    layers = []
    for affine, (lower, upper) in zip(affines, found, strict=True):
        size = int(np.prod(affine.taken))
        with torch.no_grad():
            like = lower.new_zeros(1, *affine.taken)
            bias = affine.apply(like).flatten()
            weight = affine.apply(torch.eye(size).to(like).view(size, *affine.taken)).flatten(1) - bias
        values = (weight.T, bias, lower[image].flatten(), upper[image].flatten())
        layers.append(_Layer(*(each.cpu().double().numpy() for each in values)))
    return layers


class _Program:
    """Minimise a linear function of the last ReLUs' outputs, over inputs within limits.

    The variables are the inputs x, then for each layer its outputs z and, if ``exact``, a δ in {0, 1} for each unit.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, layers: list[_Layer], exact: bool):
        widths = [len(low)]
        for layer in layers:
            widths += [len(layer.bias)] * (2 if exact else 1)
        starts = np.cumsum([0, *widths])
        total = int(starts[-1])
        lows, highs, whole = np.empty(total), np.empty(total), np.zeros(total)
        lows[: widths[0]], highs[: widths[0]] = low, high
        rows, least = [], []
        before = 0
        for number, layer in enumerate(layers):
            block = 1 + number * (2 if exact else 1)
            at = slice(starts[block], starts[block + 1])
            size = len(layer.bias)
            lows[at], highs[at] = 0.0, np.maximum(layer.upper, 0.0)  # z ≥ 0
            z = sparse.identity(size)
            come = sparse.csr_matrix(layer.weight)

            def put(**blocks: sparse.spmatrix) -> sparse.csr_matrix:
                places = {"x": before, "z": block, "d": block + 1}  # noqa: B023
                parts = [sparse.csr_matrix((size, width)) for width in widths]  # noqa: B023
                for name, matrix in blocks.items():
                    parts[places[name]] = matrix
                return sparse.hstack(parts, format="csr")

            rows.append(put(z=z, x=-come))  # z ≥ ẑ
            least.append(layer.bias)
            dead, active = layer.upper <= 0, layer.lower >= 0
            span = np.where(dead | active, 1.0, layer.upper - layer.lower)
            slope = np.where(dead, 0.0, np.where(active, 1.0, layer.upper / span))
            offset = np.where(dead | active, 0.0, -slope * layer.lower)
            if exact:
                # where unstable: z ≤ ẑ − l(1 − δ) and z ≤ uδ; elsewhere δ is set, and z = 0 or z = ẑ
                drop = sparse.diags(np.where(dead | active, 0.0, -layer.lower))
                ceiling = np.where(dead | active, 0.0, -layer.lower)
                rows.append(put(z=-z, x=sparse.diags(1.0 * ~dead) @ come, d=-drop))
                least.append(-(layer.bias * ~dead) - ceiling)
                rows.append(put(z=-z, d=sparse.diags(np.maximum(layer.upper, 0.0))))
                least.append(np.zeros(size))
                switch = slice(starts[block + 1], starts[block + 2])
                lows[switch], highs[switch], whole[switch] = 1.0 * active, 1.0 * ~dead, 1.0
            else:
                rows.append(put(z=-z, x=sparse.diags(slope) @ come))  # z ≤ d·(ẑ − l)
                least.append(-slope * layer.bias - offset)
            before = block
        self.limits, self.whole, self.total = Limits(lows, highs), whole, total
        self.output = slice(starts[before], starts[before + 1])
        self.constraints = [LinearConstraint(sparse.vstack(rows, format="csr"), np.concatenate(least))] if rows else []

    def minimise(self, row: np.ndarray) -> float:
        """The least value of ``rowᵀz``."""
        objective = np.zeros(self.total)
        objective[self.output] = row
        found = milp(
            objective,
            constraints=self.constraints,
            bounds=self.limits,
            integrality=self.whole,
            options={"mip_rel_gap": 0.0},
        )
        if found.status != 0:
            raise RuntimeError(
                f"HiGHS found no optimum ({found.message}); is the network small, are its weights finite?"
            )
        return float(found.fun)
