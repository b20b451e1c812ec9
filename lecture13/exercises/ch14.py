"""Checks of chapter 14: a texture looked up, the expected log-probability, three shares, a camera's turn."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

from lecture13.exercises import close, exercise, expect
from lecture13.outcomes import outcomes


def _chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _bilinear(texture: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(3, …): texels weighted by hand; ``u`` to the right, ``v`` up, both in [0, 1]."""
    high, wide = texture.shape[1:]
    x, y = np.clip(u * wide - 0.5, 0, wide - 1), np.clip((1 - v) * high - 0.5, 0, high - 1)
    left, top = np.minimum(x.astype(int), wide - 2), np.minimum(y.astype(int), high - 2)
    a, b = x - left, y - top
    upper = (1 - a) * texture[:, top, left] + a * texture[:, top, left + 1]
    lower = (1 - a) * texture[:, top + 1, left] + a * texture[:, top + 1, left + 1]
    return (1 - b) * upper + b * lower


@exercise("14.1", title="A texture, looked up")
def _(look_up: Callable[[Tensor, Tensor], Tensor]):
    texture = torch.rand(1, 3, 6, 9, generator=_chance(0), dtype=torch.float64)
    uv = torch.rand(2, 4, 5, 2, generator=_chance(1), dtype=torch.float64)
    right = torch.stack([torch.tensor(_bilinear(texture[0].numpy(), *one.numpy().transpose(2, 0, 1))) for one in uv])
    found = look_up(texture, uv)
    expect(isinstance(found, Tensor) and found.shape == right.shape, "Return colours of shape (N, 3, s, s).")
    upside_down = torch.stack(
        [torch.tensor(_bilinear(texture[0].numpy(), one[..., 0].numpy(), 1 - one[..., 1].numpy())) for one in uv]
    )
    expect(not torch.allclose(found, upside_down), "Your texture hangs upside down: v runs up, grid_sample's y down.")
    close(found, right, "At (u, v) in [0, 1]² stands grid_sample's (2u − 1, 1 − 2v), with align_corners=False.")
    return "Each pixel is a weighted mean of four texels, whatever they hold: that is why a render is linear in them."


@exercise("14.2", title="The expected log-probability")
def _(expected: Callable[[nn.Module, Callable, Tensor, int, Tensor], Tensor]):
    with torch.random.fork_rng([]):
        torch.manual_seed(2)
        model = nn.Sequential(nn.Flatten(), nn.Linear(12, 4)).double().eval()
    views = torch.rand(7, 3, 2, 2, generator=_chance(3), dtype=torch.float64) * 8
    texture = torch.rand(1, 3, 2, 2, generator=_chance(4), dtype=torch.float64).requires_grad_()

    def render(texels: Tensor, views: Tensor) -> Tensor:
        return texels * views

    logits = model(render(texture, views))
    right = logits.log_softmax(1)[:, 2].mean()
    values = logits.detach()
    found = expected(model, render, texture, 2, views)
    expect(isinstance(found, Tensor) and found.ndim == 0, "Return one number, a tensor of no dimension.")
    value = float(found.detach())
    probability = values.softmax(1)[:, 2].mean()
    expect(abs(value - float(probability)) > 1e-9, "That is a probability: take its logarithm in each pose.")
    expect(abs(value + float(right.detach())) > 1e-9, "A log-probability is never above 0: the sign is turned.")
    expect(abs(value - float(probability.log())) > 1e-9, "Take the log first, then the mean.")
    expect(abs(value - float(right.detach()) * len(views)) > 1e-9, "An expectation is a mean over poses, not a sum.")
    expect(abs(value - float(values[:, 2].mean())) > 1e-9, "A logit is no log-probability yet: log_softmax.")
    close(found, right, "Render, classify, take log P of the target in each pose, and average over the poses.")
    expect(found.requires_grad, "The result has no gradient: leave out no_grad, detach and item.")
    slope, wanted = (torch.autograd.grad(each, texture)[0] for each in (found, right))
    close(slope, wanted, "The value is right, its gradient with respect to the texture is not.")
    return "One texture, many images: the gradient is the mean of what the poses ask for, and what they share survives."


@exercise("14.3", title="Three shares")
def _(shares: Callable[[Tensor, int, int], tuple[float, float, float]]):
    found = torch.tensor([1, 1, 0, 4, 1, 3, 5, 1, 1, 1])
    answer = shares(found, 0, 1)
    expect(isinstance(answer, tuple | list) and len(answer) == 3, "Return three numbers: adversarial, correct, other.")
    answer = [round(float(each), 6) for each in answer]
    expect(max(answer) <= 1, "These are counts: divide by the number of poses.")
    expect(abs(sum(answer) - 1) < 1e-6, f"The three add up to {sum(answer):g}: every pose belongs to one of them.")
    counted = outcomes(found, 0, 1)
    right = [counted.adversarial.value, counted.correct.value, counted.other.value]
    expect(answer != [right[1], right[0], right[2]], "Adversarial is the target's share, correct the label's.")
    close(answer, right, "Adversarial: the target. Correct: the true label. Other: all the rest.")
    return "An attack that only confuses fills the third column; a targeted one is measured by the first."


@exercise("14.4", title="How far the camera turned")
def _(angle: Callable[[Tensor, Tensor], Tensor]):
    first, second = (torch.tensor(Rotation.random(6, random_state=seed).as_matrix()) for seed in (0, 1))
    second[0] = first[0]  # not turned at all
    right = torch.tensor((Rotation.from_matrix(first).inv() * Rotation.from_matrix(second)).magnitude() * 180 / np.pi)
    found = angle(first, second)
    expect(isinstance(found, Tensor) and found.shape == (6,), "Return one angle for each pair, of shape (N,).")
    expect(not found.isnan().any(), "An angle is NaN: rounding takes the cosine a little beyond 1, so clamp it.")
    close(found[0], 0.0, "The first two are equal: their angle is 0. The turn is RᵀR', not RR'.", atol=1e-3)
    expect(not torch.allclose(found, right.deg2rad(), atol=1e-3), "These are radians; give degrees.")
    close(found, right, "cos θ = (trace(RᵀR') − 1)/2.", atol=1e-3)
    return "One number for a turn about any axis: against it, success in a single view can be drawn as a curve."
