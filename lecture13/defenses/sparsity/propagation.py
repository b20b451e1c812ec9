"""How large a perturbation can become, layer by layer: Theorem 2, and the worst that attacks find.

If ‖e‖∞ ≤ ε at the input, then after layer j ‖e_j‖∞ ≤ ε·Π_{l≤j} γ_l, with γ_l the largest ℓ1 norm of a row of layer l:
a unit is at worst moved by every input against the sign of its weight, and ReLU moves nothing apart
(Gopalakrishnan et al. 2018, Theorem 2).
"""

import torch
from torch import Tensor, nn

from lecture13 import guard
from lecture13.defenses import polytope
from lecture13.guard import Bounds
from lecture13.models.normalize import Normalize

#: functions of one value that bring no two values further apart
_ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid)
#: each output is an input, or a mean of inputs
_TRANSPARENT = (nn.Flatten, nn.Identity, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)


def propagation_bound(network: nn.Module, epsilon: float) -> list[float]:
    """Theorem 2: ``ε·Π γ_l`` after each layer.

    Of all affine layers between two activations together, the product of their γ; so the numbers stand where those of
    :func:`lecture13.defenses.polytope.bounds` do: before each activation, then at the logits. Biases do not matter, nor
    does the image: the bound holds at every one, with a box or without.

    Args:
        network: an ``nn.Sequential`` of ``Linear``, ``Conv2d``, ``Normalize``, ``Flatten``, pooling, ``ReLU``, ``Tanh``
            and ``Sigmoid``, nested at will. A front end that chooses coefficients is none of these: where it chooses
            others, it can magnify a perturbation without limit.
        epsilon: ℓ∞ radius at the input, ≥ 0.

    Returns:
        One number for each activation, and one for the logits, in the units of the values there.

    Raises:
        TypeError: a layer that is not supported; names it.
        ValueError: a negative, NaN or infinite ε.
    """
    size = guard.check_size("epsilon", epsilon, zero=True)
    found = []
    for stage in stages(network):
        for layer in stage:
            size *= _gamma(layer)
        found.append(size)
    return found


def stages(network: nn.Module) -> list[nn.Sequential]:
    """``network`` cut before each activation: the values of Theorem 2 are what each stage gives.

    Raises:
        TypeError: a layer that :func:`propagation_bound` does not support.
    """
    parts: list[list[nn.Module]] = [[]]
    for name, layer in _flat(network, "network"):
        if isinstance(layer, _ACTIVATIONS):
            parts.append([])
        elif not isinstance(layer, (nn.Linear, nn.Conv2d, Normalize, *_TRANSPARENT)):
            raise TypeError(
                f"{name} is a {type(layer).__name__}, of which Theorem 2 says nothing; it knows Linear, Conv2d, "
                "Normalize, Flatten, pooling, ReLU, Tanh and Sigmoid, nested at will in nn.Sequential"
            )
        parts[-1].append(layer)
    return [nn.Sequential(*part) for part in parts]


@torch.inference_mode(False)
def worst_growth(
    network: nn.Module, images: Tensor, epsilon: float, *, steps: int = 20, bounds: Bounds = None
) -> list[float]:
    """The largest change of any unit that an attack on that unit finds: a lower bound of what Theorem 2 bounds.

    Each unit of each layer is attacked upwards and downwards, at every image: one step of ε along the sign of its
    gradient, which for the first layer is the optimum, then smaller ones, projected into the cube.

    Args:
        network, epsilon: as in :func:`propagation_bound`. The time grows with the number of units.
        images: float ``(N, C, H, W)``.
        steps: for each unit and direction, ≥ 1.
        bounds: the box that images stay in; None: no box.

    Returns:
        ``max |z_j(x') − z_j(x)|`` over units, images and attacks, in the places of :func:`propagation_bound`.

    Raises:
        TypeError, ValueError: as :func:`propagation_bound`; images as in :func:`lecture13.attacks.fgsm`.
    """
    bounds = guard.check_bounds(bounds)
    epsilon = guard.check_epsilon(epsilon, bounds)
    images, steps = guard.check_images(images, bounds), guard.check_count("steps", steps)
    parts, found = stages(network), []
    with guard.frozen(network, images.device):
        for depth in range(len(parts)):
            layers = nn.Sequential(*parts[: depth + 1])
            with torch.no_grad():
                before = layers(images).flatten(1)
            largest = [
                _change(layers, images, before[:, unit], unit, sign * epsilon, steps, bounds)
                for unit in range(before.shape[1])
                for sign in (1, -1)
            ]
            found.append(max(largest))
    return found


def polytope_growth(network: nn.Module, images: Tensor, epsilon: float, *, bounds: Bounds = None) -> list[float]:
    """The largest change that Algorithm 1 of Wong & Kolter 2018 leaves possible, in the places of the others.

    Args:
        network: of the layers that :mod:`lecture13.defenses.polytope` knows.
        images, epsilon, bounds: as in :func:`worst_growth`.

    Returns:
        ``max(u − z, z − l)`` over units and images.
    """
    centre = polytope.bounds(network, images, 0.0)  # l = u = z, up to the slack for rounding
    found = polytope.bounds(network, images, epsilon, box=bounds)
    largest = []
    for (lower, upper), (low, high) in zip(found, centre, strict=True):
        z = (low + high) / 2
        largest.append(float(torch.maximum(upper - z, z - lower).max()))
    return largest


def _change(
    layers: nn.Module, images: Tensor, before: Tensor, unit: int, signed: float, steps: int, bounds: Bounds
) -> float:
    """The largest change of one unit in one direction, that of the sign of ``signed`` = ±ε."""
    radius = abs(signed)
    points, largest = images.clone(), 0.0
    low, high = images - radius, images + radius
    if bounds is not None:
        low, high = low.clamp(*bounds), high.clamp(*bounds)
    for step in range(steps):
        points.requires_grad_()
        with torch.enable_grad():
            values = layers(points).flatten(1)[:, unit]
        (gradient,) = torch.autograd.grad(values.sum(), points)
        length = signed * (1 - step / steps)  # the first step reaches the corner
        points = torch.clamp(points.detach() + length * gradient.sign(), low, high)
        with torch.no_grad():
            largest = max(largest, float((layers(points).flatten(1)[:, unit] - before).abs().max()))
    return largest


def _gamma(layer: nn.Module) -> float:
    """The largest factor between ‖·‖∞ of what goes in and of what comes out."""
    if isinstance(layer, nn.Linear | nn.Conv2d):
        return float(layer.weight.detach().double().flatten(1).abs().sum(1).max())
    if isinstance(layer, Normalize):
        return float((1 / layer.std.double()).max())
    if isinstance(layer, nn.AvgPool2d) and layer.divisor_override:
        kernel = layer.kernel_size
        return (kernel**2 if isinstance(kernel, int) else kernel[0] * kernel[1]) / layer.divisor_override
    return 1.0


def _flat(layer: nn.Module, name: str) -> list[tuple[str, nn.Module]]:
    if isinstance(layer, nn.Sequential):
        return [pair for key, inner in layer.named_children() for pair in _flat(inner, f"{name}.{key}")]
    return [(name, layer)]
