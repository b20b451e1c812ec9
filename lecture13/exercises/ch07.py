"""Checks of chapter 07: where a unit draws, its two kinds of mistakes, two judges, what cells can know."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lecture13 import dissection
from lecture13.exercises import close, exercise, expect


@exercise("07.1", title="Where a unit draws")
def _(drawn_by: Callable[[nn.Module, str, int, Tensor], Tensor]):
    chance = torch.Generator().manual_seed(0)
    net = _generator()
    z = torch.randn(3, 5, generator=chance)
    with torch.no_grad():
        before = net(z)
        with dissection.ablate(net, "1", [2]):
            without = net(z)
    found = drawn_by(net, "1", 2, z)
    expect(isinstance(found, Tensor), f"Return a tensor, one map for each scene; this is a {type(found).__name__}.")
    expect(
        found.shape == (3, 8, 8),
        f"One map for each scene, (3, 8, 8) here, got {tuple(found.shape)}: take the mean over the colours.",
    )
    with torch.no_grad():
        expect(
            torch.equal(net(z), before), "The net draws other scenes now than before: let the edit end with its block."
        )
    expect(bool((found.detach() >= 0).all()), "A change darker is a change too: take its absolute value.")
    signed = (before - without).mean(1).abs()
    right = (before - without).abs().mean(1)
    if torch.allclose(found.detach(), signed, atol=1e-6) and not torch.allclose(signed, right, atol=1e-6):
        expect(False, "Take the absolute value of each colour first, then the mean: red may rise where blue falls.")
    close(
        found, right, "The scenes as they are, less the same scenes with the unit at zero; absolute, mean over colours."
    )
    return "The unit's own part of the picture: what is not there without it."


@exercise("07.2", title="Two kinds of mistakes")
def _(mistakes: Callable[[Tensor, Tensor, float], tuple[float, float]]):
    chance = torch.Generator().manual_seed(1)
    peaks, present = torch.rand(200, generator=chance), torch.rand(200, generator=chance) < 0.3
    peaks = torch.where(present, peaks + 0.3, peaks)
    threshold = float(peaks.sort().values[120])  # an image right at the threshold is a "yes"
    found = mistakes(peaks, present, threshold)
    expect(isinstance(found, tuple | list) and len(found) == 2, "Return two shares: false alarms, and misses.")
    yes = peaks >= threshold
    alarms, missed = float((~present[yes]).float().mean()), float((~yes[present]).float().mean())
    rate = float(yes[~present].float().mean())
    expect(
        abs(float(found[0]) - rate) > 1e-6 or abs(rate - alarms) < 1e-6,
        "That is the share of the scenes *without* the concept that get a “yes”. Asked is: of all that get a “yes”, "
        "how many are without it? (It is what you see when you look at a unit's top scenes.)",
    )
    expect(abs(float(found[0]) - (1 - alarms)) > 1e-6, "The first is the share of right ones: take the others.")
    close(found[0], alarms, "False alarms: of the scenes with peak ≥ threshold, the share without the concept.")
    close(found[1], missed, "Misses: of the scenes with the concept, the share with peak < threshold.")
    return "A unit's top scenes can only show the first kind. Who never looks at the others does not know the second."


@exercise("07.3", title="Two judges whose errors are independent")
def _(agree: Callable[[float, float, int], float]):
    one = float(agree(0.9, 0.8, 2))
    expect(
        abs(one - 0.72) > 1e-6,
        "Both right is one way to agree. With two classes, two that are both wrong say the same, too.",
    )
    close(one, 0.74, "With two classes: both right, .9 · .8, or both wrong, .1 · .2.")
    wide = float(agree(0.9, 0.8, 11))
    expect(
        abs(wide - 0.74) > 1e-6,
        "With eleven classes two wrong answers are seldom the same: one time in ten, at random.",
    )
    close(wide, 0.72 + 0.02 / 10, "Both right, or both wrong and by chance at the same one of the K − 1 wrong classes.")
    return (
        "Real judges agree more often than this on the scenes that both find hard: they err at the same pixels. "
        "Agreement alone is no proof of being right."
    )


@exercise("07.4", title="What cells can know")
def _(best_iou: Callable[[Tensor, int], float]):
    area = 16
    close(best_iou(torch.tensor([[0, 0], [4, 0]]), area), 0.25, "Four pixels in one cell of sixteen: 4/16.")
    close(
        best_iou(torch.tensor([16, 16, 0, 0]), area),
        1.0,
        "Two cells full: mark both, and nothing is wrong or left out.",
    )
    chance = torch.Generator().manual_seed(2)
    for _ in range(5):
        pixels = torch.randint(0, area + 1, (2, 4), generator=chance)
        close(
            best_iou(pixels, area),
            _by_trying(pixels.flatten().tolist(), area),
            "Take the fullest cell, then the two fullest, …: of all these IoUs, the largest. What is not marked still "
            "counts in the union.",
        )
    return "Whatever a unit of these cells has learnt, its region cannot fit a small thing better than this."


def _generator() -> nn.Module:
    """Noise of 5 dimensions → 4 units of 4×4 cells → pictures of 8×8 pixels."""
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        return nn.Sequential(
            nn.Sequential(nn.Linear(5, 64), nn.Unflatten(1, (4, 4, 4))),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(4, 3, 3, padding=1),
            nn.Tanh(),
        ).eval()


def _by_trying(pixels: list[int], area: int) -> float:
    """The best of all choices of cells."""
    best = 0.0
    for count in range(1, len(pixels) + 1):
        for chosen in itertools.combinations(pixels, count):
            best = max(best, sum(chosen) / (count * area + sum(pixels) - sum(chosen)))
    return best
