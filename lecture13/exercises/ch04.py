"""Checks of chapter 04: the gate, critics that judge each sample on its own, the inception score, 101 layers."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lecture13.exercises import close, exercise, expect
from lecture13.gan import architectures
from lecture13.gan.scores import inception_score


@exercise("04.1", title="The gate")
def _(gate: Callable[[Tensor], Tensor]):
    x = torch.linspace(-3, 3, 2 * 6 * 2 * 2).view(2, 6, 2, 2)
    found = gate(x)
    expect(isinstance(found, Tensor), f"Return a tensor; got a {type(found).__name__}.")
    expect(
        found.shape == (2, 3, 2, 2),
        f"Two halves of the channels go in, one comes out: (2, 6, 2, 2) → (2, 3, 2, 2); got {tuple(found.shape)}.",
    )
    a, b = x[:, :3], x[:, 3:]
    close(found, torch.tanh(b) / (1 + torch.exp(-a)), "σ of the first half of the channels times tanh of the second.")
    return "Half of the channels decide how much of the other half passes: that is why the layer before has twice them."


@exercise("04.2", title="Does the critic judge each sample on its own?")
def _(alone: Callable[[nn.Module, Tensor], bool]):
    x = torch.randn(8, 3, 16, 16)
    cases = {"layer norm": "layer", "no normalisation": None, "batch norm": "batch"}
    for name, norm in cases.items():
        _, D = architectures.build("dcgan", norm=norm, size=16, width=8)
        found = alone(D, x)
        expect(isinstance(found, bool), f"Return True or False; got {found!r} (a {type(found).__name__}).")
        wanted = norm != "batch"
        expect(
            found == wanted,
            f"For a critic with {name} you say {found}; it is {wanted}. Change all samples but the first, and look at "
            "the first one's logit: with layer norm it stays but for rounding (torch.allclose).",
        )
    return "The penalty is on ∇D(x̂) for each sample on its own; under batch norm there is no such thing."


@exercise("04.3", title="The inception score")
def _(score: Callable[[Tensor], float]):
    same = torch.full((6, 4), 0.25)
    close(score(same), 1.0, "An image that may be of any class, every time: the score is 1, its least value.")
    close(
        score(torch.eye(4).repeat(3, 1)),
        4.0,
        "Each image clearly of one class, and all four classes equally often: the score is K = 4, its largest. (And "
        "0 log 0 is 0: torch.xlogy, or a clamp.)",
    )
    close(score(torch.eye(4)[[0, 0, 0]]), 1.0, "Clear images, all of one class: a collapse. The score is 1 again.")
    logits = torch.randn(40, 5)
    exact = inception_score(logits, _AsLogits(), splits=1).value
    close(score(logits.softmax(1)), exact, "exp of the mean over images of Σ p(y|x) log(p(y|x)/p(y)).", rtol=1e-3)
    return "No real image occurs in it: it cannot know whether a generator draws what it was shown."


@exercise("04.4", title="101 layers")
def _(layers: Callable[[int, int], int]):
    close(layers(64, 6), 101, "At 64×64 with depth 6 the paper counts 101.")
    for size, depth in ((16, 1), (32, 2), (128, 6)):
        with torch.device("meta"):
            G, _ = architectures.build("resnet", norm=None, size=size, width=8, depth=depth)
        kinds = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
        path = [name for name, m in G.named_modules() if isinstance(m, kinds) and ".shortcut" not in name]
        close(layers(size, depth), len(path), f"At {size}×{size} with depth {depth}, on the path through the blocks.")
    return "Three layers a block; the shortcuts, which have a layer of their own where the side changes, do not count."


class _AsLogits(nn.Module):
    name = "what is given"
