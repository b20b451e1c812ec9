"""Checks of chapter 01: the best critic, a stable loss, a divergence read off the game, saturation, mode collapse."""

import math
from collections.abc import Callable, Sequence

import torch
from scipy.optimize import brentq
from torch import Tensor

from lecture13.exercises import close, exercise, expect
from lecture13.gan import coverage, densities, objectives, shift


@exercise("01.1", title="The best critic")
def _(best_critic: Callable[[Tensor, Tensor], Tensor]):
    p, q = (
        torch.tensor([0.3, 0.1, 0.0, 0.4], dtype=torch.float64),
        torch.tensor([0.3, 0.3, 0.2, 0.0], dtype=torch.float64),
    )
    found = torch.as_tensor(best_critic(p, q))
    close(found[:1], [0.5], "Where both densities are equal, no critic can do better than a coin.")
    expect(
        found.min() >= 0 and found.max() <= 1,
        f"A probability lies in [0, 1]; yours goes from {found.min():.3g} to {found.max():.3g}.",
    )
    message = "At each x on its own, set the derivative of p log D + q log(1 − D) by D to zero, and solve for D."
    close(found, [0.5, 0.25, 0.0, 1.0], message)
    return "The critic that wins the game knows only the ratio p_data : p_g, and that is all a generator learns from."


@exercise("01.2", title="A loss that never overflows")
def _(generator_loss: Callable[[Tensor], Tensor]):
    logits = torch.tensor([-3.0, -0.5, 0.0, 2.0], dtype=torch.float64)
    exact = [-math.log(1 / (1 + math.exp(-a))) for a in logits.tolist()]
    found = generator_loss(logits)
    expect(
        isinstance(found, Tensor) and found.ndim == 0,
        "Return one number, a tensor without dimensions: the mean over the batch.",
    )
    close(found, sum(exact) / 4, "For moderate logits, −mean log σ(a).", rtol=1e-6)
    far = torch.tensor([-200.0, 200.0], requires_grad=True)
    loss = generator_loss(far)
    expect(
        loss.isfinite(),
        f"For the logits −200 and 200 the loss is 100, but yours is {loss.item()}: σ(−200) is 0 in float32. Look "
        "at softplus or logsigmoid in torch.nn.functional.",
    )
    close(loss, 100.0, "For the logits −200 and 200 the loss is (200 + 0)/2.")
    (slope,) = torch.autograd.grad(loss, far)
    close(
        slope, [-0.5, 0.0], "The gradient at a = −200 is −1/2 (of a mean of two): the worst sample is pulled hardest."
    )
    return "Bounded slope where the critic is sure: that is why this loss starts where minimax is stuck."


@exercise("01.3", title="A divergence, read off the game")
def _(divergence: Callable[[float], float]):
    close(divergence(-math.log(4.0)), 0.0, "At V = −log 4 the two densities are equal.", atol=1e-9)
    close(
        divergence(0.0), math.log(2.0), "At V = 0 the critic is never wrong: the densities are disjoint, JSD = log 2."
    )
    for delta in (0.5, 1.5, 3.0):
        x = densities.centres(densities.bins(-12, 12, 2400, reach=13))
        p, q = shift.densities(delta, x)
        logits = densities.optimal_logit(p.log(), q.log()).nan_to_num()
        value = densities.expected_value(logits, p, q, 0.01)
        close(divergence(value), shift.divergence(delta), f"For two normals {delta} apart.", rtol=1e-3)
    return "A trained critic is an estimate of a divergence, from below: it is as good as the critic."


@exercise("01.4", title="Where minimax stops teaching")
def _(delta: float):
    expect(isinstance(delta, float | int) and 0 < delta < 20, f"Give one positive shift Δ, as a number; got {delta!r}.")

    def excess(at: float) -> float:
        return shift.gradient(objectives.minimax, at) / shift.gradient(objectives.non_saturating, at) - 0.01

    exact = brentq(excess, 1.0, 10.0)
    ratio = 100 * (excess(float(delta)) + 0.01)
    expect(
        abs(delta - exact) <= 0.1,
        f"At Δ = {delta:g} the minimax gradient is {ratio:.2g} % of the non-saturating one; wanted is 1 %, to within "
        "0.1 in Δ.",
    )
    return f"Δ = {exact:.2f}. The ratio falls like e^(−Δ²/8): a generator that starts twice as far away gets nothing."


@exercise("01.5", title="Cure the collapse without more critic steps")
def _(rate: float, play: Callable[..., Sequence[tuple[int, Tensor]]], target: densities.Mixture):
    expect(
        isinstance(rate, float | int) and 0 < rate < 1,
        f"Give the critic's learning rate, a number between 0 and 1; got {rate!r}.",
    )
    frames = play(k=1, critic_rate=float(rate), steps=1000)
    modes = [coverage.coverage(samples.cpu(), target).modes for _, samples in frames[-3:]]
    wanted = len(target.means) - 1
    expect(
        min(modes) >= wanted,
        f"With k = 1 and the critic at {rate:g}, the last three frames cover {modes} modes; wanted are at least "
        f"{wanted} in each. The generator's rate is 0.001: which of the two must be able to follow the other?",
    )
    return f"{modes} modes in the last three frames: what counts is that the critic keeps up, by steps or by rate."
