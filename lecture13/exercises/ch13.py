"""Checks of chapter 13: RMSD, the ensemble's loss, the transfer rate, an orthogonal direction."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softmax

from lecture13 import attacks
from lecture13.exercises import close, exercise, expect


def _chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@exercise("13.1", title="RMSD")
def _(my_rmsd: Callable[[Tensor, Tensor], Tensor]):
    images = torch.rand(4, 3, 5, 5, generator=_chance(0), dtype=torch.float64)
    others = images + torch.tensor([0.0, 0.01, 0.1, 0.5]).view(4, 1, 1, 1) * torch.randn(
        images.shape, generator=_chance(1), dtype=torch.float64
    )
    found = my_rmsd(images, others)
    expect(
        isinstance(found, Tensor) and found.shape == (4,),
        f"One number for each image, shape (4,); got {tuple(getattr(found, 'shape', ()))}.",
    )
    right = attacks.rmsd(images, others)
    expect(not torch.allclose(255 * found, right), "This is in units of [0, 1]; Liu et al. count levels of 0–255.")
    expect(
        not torch.allclose(found / 75**0.5, right), "That is the length ‖d‖₂: divide the sum by the number of values."
    )
    close(found, right, "The root of the mean over channels and pixels of the squared difference, times 255.")
    return (
        "An RMSD of 17.5 is a change of 7 % of the range in every value: it can be seen, and we still read the image."
    )


@exercise("13.2", title="The ensemble's loss")
def _(ensemble_loss: Callable[[list[Tensor], list[float], Tensor], Tensor]):
    logits = [4 * torch.randn(5, 3, generator=_chance(seed), dtype=torch.float64) for seed in (2, 3)]
    alphas, labels = [0.3, 0.7], torch.tensor([0, 1, 2, 1, 0])
    each = [softmax(part, 1).gather(1, labels[:, None])[:, 0] for part in logits]
    found = ensemble_loss(logits, alphas, labels)
    expect(isinstance(found, Tensor) and found.shape == (5,), "One loss for each image: a tensor of shape (5,).")
    outside = -sum(alpha * (1 - p).log() for alpha, p in zip(alphas, each, strict=True))
    expect(
        not torch.allclose(found, outside), "The sum over models is *inside* the logarithm: mix probabilities first."
    )
    mixed = sum(alpha * p for alpha, p in zip(alphas, each, strict=True))
    expect(not torch.allclose(found, -mixed.log()), "That pulls *towards* the labels: it is the targeted loss.")
    close(found, -(1 - mixed).log(), "−log(1 − Σᵢ αᵢ Jᵢ(x*)·1_y), with Jᵢ the softmax probabilities of model i.")
    return "The mixture is attacked as one net: one sure net of four costs no more than −log(3/4) = 0.29."


@exercise("13.3", title="The transfer rate")
def _(transfer_rate: Callable[[Tensor, Tensor, Tensor], float]):
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 0, 1])
    before = torch.tensor([0, 0, 1, 1, 2, 0, 1, 1])  # two of eight are wrong already
    after = torch.tensor([0, 1, 0, 1, 2, 0, 1, 2])
    found = float(transfer_rate(before, after, labels))
    expect(
        abs(found - 5 / 8) > 1e-9,
        "That is the error on x*: images that the net misread before count too, and they owe the attack nothing.",
    )
    expect(abs(found - 3 / 8) > 1e-9, "Divide by the number of images that were read right before, not by all.")
    close(found, 0.5, "Of the images that the target net reads right, the share that it misreads after the attack.")
    return "Without this care a bad net looks easy to attack."


@exercise("13.4", title="An orthogonal direction")
def _(second_axis: Callable[[Tensor, Tensor], Tensor]):
    gradient = torch.randn(3, 6, 6, generator=_chance(4), dtype=torch.float64) * 0.01
    noise = torch.randn(3, 6, 6, generator=_chance(5), dtype=torch.float64)
    found = second_axis(gradient, noise)
    expect(isinstance(found, Tensor) and found.shape == gradient.shape, "A tensor of the gradient's shape.")
    expect(
        abs(float((found * gradient).sum())) < 1e-9,
        "It is not orthogonal to the gradient: take away noise's part along g, (noise·g / g·g) g.",
    )
    close(found.square().mean().sqrt(), 1 / 255, "Scale it to an RMSD of one level: root mean square 1/255.")
    part = noise - (noise * gradient).sum() / gradient.square().sum() * gradient
    expect((found * part).sum() > 0, "It should point the way that the noise does.")
    close(found / found.norm(), part / part.norm(), "Only the part of the noise orthogonal to g is wanted.")
    return "In 108 dimensions noise is nearly orthogonal to anything: the correction was small."
