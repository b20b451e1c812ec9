"""Checks of chapter 03: transport on a line, the gradient penalty, its slope, a clip that lets signals pass."""

import math
from collections.abc import Callable

import torch
from scipy.optimize import minimize_scalar
from scipy.stats import wasserstein_distance
from torch import Tensor, nn

from lecture13.exercises import close, exercise, expect
from lecture13.gan import nets, toys


@exercise("03.1", title="Transport on a line")
def _(distance: Callable[[Tensor, Tensor], Tensor]):
    zero = torch.zeros(3, dtype=torch.float64)
    close(distance(zero, zero + 2), 2.0, "Three points, each moved by 2, cost 2 on average.")
    chance = torch.Generator().manual_seed(0)
    for count in (2, 7, 50):
        x = torch.randn(count, generator=chance, dtype=torch.float64)
        y = 3 * torch.randn(count, generator=chance, dtype=torch.float64)
        exact = wasserstein_distance(x, y)
        close(distance(x, y), exact, f"For {count} points on either side. Which point should the leftmost one go to?")
    return "Paths that cross can be uncrossed at no more cost: on a line the best map keeps the order."


@exercise("03.2", title="The gradient penalty")
def _(penalty: Callable[[Callable, Tensor, Tensor], Tensor]):
    chance = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 32, 2, 3, 3, generator=chance).unbind()
    slope = torch.randn(2, 3, 3, generator=chance)
    size = slope.norm().item()
    found = penalty(lambda x: (x * slope).sum((1, 2, 3)), real, fake)
    expect(isinstance(found, Tensor) and found.ndim == 0, "Return one number, a tensor without dimensions.")
    message = (
        "For D(x) = a·x the gradient is a at every sample, so the penalty is (‖a‖ − 1)². The norm is over all of "
        "one sample's pixels and channels, and the mean over the samples."
    )
    close(found, (size - 1) ** 2, message, rtol=1e-3)
    seen: list[Tensor] = []

    def bowl(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.square().sum((1, 2, 3)) / 2

    found = penalty(bowl, real, fake)
    expect(seen and seen[-1].shape == real.shape, "Call the critic on one x̂ for each pair, of the samples' shape.")
    at = seen[-1]
    share = ((at - fake) / (real - fake)).flatten(1)
    straight = (share - share[:, :1]).abs().amax() < 1e-2
    expect(straight, "x̂ lies on the straight line from x̃ to x: one ε for all numbers of a sample.")
    ε = share[:, 0]
    expect(ε.min() >= -1e-3 and ε.max() <= 1 + 1e-3, f"ε lies in [0, 1]; yours: {ε.min():.2f} to {ε.max():.2f}.")
    expect(ε.std() > 0.15, "All samples have (nearly) the same ε: draw one from U[0, 1] for each.")
    close(found, (at.flatten(1).norm(dim=1) - 1).square().mean(), "For D(x) = ‖x‖²/2 the gradient is x̂.", rtol=1e-3)
    weight = torch.ones((), requires_grad=True)
    loss = penalty(lambda x: weight * (x * slope).sum((1, 2, 3)), real, fake)
    expect(loss.requires_grad, "The critic must learn from the penalty: ask autograd.grad for create_graph=True.")
    (learnt,) = torch.autograd.grad(loss, weight)
    close(learnt, 2 * (size - 1) * size, "Its gradient by the critic's own parameters, for D(x) = w·a·x.", rtol=1e-3)
    return "One ε, one gradient and one norm for each sample: that is why the critic may not mix its samples."


@exercise("03.3", title="How steep a penalised critic is")
def _(steepness: Callable[[float, float], float]):
    close(steepness(0.0, 10.0), 1.0, "With nothing to gain the critic keeps the slope 1, where the penalty is 0.")
    for distance, penalty in ((0.5, 10.0), (8.0, 1.0), (2.0, 0.1)):
        best = minimize_scalar(lambda s, w=distance, λ=penalty: λ * (s - 1) ** 2 - s * w).x
        close(
            steepness(distance, penalty), best,
            f"For two densities {distance:g} apart and λ = {penalty:g}: which slope s maximises s·W − λ(s − 1)²?",
            rtol=1e-3,
        )  # fmt: skip
    return "The penalty's critic is 1-Lipschitz only near the end, W ≪ 2λ. Before, its estimate is too large by K."


@exercise("03.4", title="A clip that lets signals pass")
def _(clip: Callable[[int], float]):
    for width in (64, 256):
        c = float(clip(width))
        expect(math.isfinite(c) and c > 0, f"Give a positive number; got {c!r} for {width} units.")
        ratio = _first_by_last(c, width)
        growth = ratio ** (1 / 10)
        expect(
            0.85 < growth < 1.15,
            f"With weights ±{c:.3g} and {width} units the gradient is multiplied by {growth:.3g} in each layer; wanted "
            f"is about 1. A unit hears {width} others, of which half pass, with random signs: how does the size of "
            "such a sum grow with their number?",
        )
    return (
        "c = √(2/n), He's initialisation, keeps random weights alive. But training lines their signs up, and then a "
        "layer multiplies by up to c·n = √(2n): no clip is right from the start to the end."
    )


def _first_by_last(c: float, width: int) -> float:
    """How much larger the gradient is at the first of 11 hidden layers than at the last, weights ±c of random sign."""
    chance = torch.Generator().manual_seed(0)
    layers = nets.mlp([2, *[width] * 11, 1], nn.ReLU).double()
    for layer in layers:
        if isinstance(layer, nn.Linear):
            signs = torch.randint(0, 2, layer.weight.shape, generator=chance).double() * 2 - 1
            layer.weight.data.copy_(c * signs)
            layer.bias.data.zero_()
    x, y = torch.randn(2, 256, 2, generator=chance, dtype=torch.float64).unbind()
    norms = toys.gradients_by_layer(layers, x, y)
    return norms[0] / norms[-2]
