"""Checks of chapter 00: pixel units, norms, and what an error is."""

import numpy as np
import torch

from lecture13.exercises import close, exercise, expect


@exercise("00.1", title="Eight steps of an 8-bit image")
def _(epsilon):
    close(epsilon, 8 / 255, "Pixels lie in [0, 1], and an 8-bit image has 255 steps from black to white.", atol=1e-7)
    return "So ε = .007, the panda's, is 1.8 steps: what a camera's rounding does to a picture."


@exercise("00.2", title="Three norms of a perturbation")
def _(norms):
    perturbation = torch.linspace(-0.3, 0.2, 2 * 3 * 4 * 4, dtype=torch.float64).view(2, 3, 4, 4)
    found = norms(perturbation)
    expect(
        isinstance(found, tuple | list) and len(found) == 3, "Return three tensors: (largest, Euclidean length, sum)."
    )
    rows = perturbation.flatten(1).numpy()
    for answer, order, name in zip(found, (np.inf, 2, 1), ("‖η‖∞", "‖η‖₂", "‖η‖₁"), strict=True):
        wanted = np.linalg.norm(rows, ord=order, axis=1)
        close(answer, wanted, f"{name}: one number for each image, over its channels and pixels together.")
    return "A change of ε at each of n values has ‖η‖₂ = ε√n and ‖η‖₁ = εn: small in one norm, large in another."


@exercise("00.3", title="Error of a classifier")
def _(error):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 5, generator=generator)
    labels = torch.randint(5, (40,), generator=generator)
    images = torch.arange(40.0).view(-1, 1, 1, 1)
    wrong = np.mean(logits.numpy().argmax(1) != labels.numpy())
    close(
        error(lambda batch: logits[batch.flatten().long()], images, labels),
        wrong,
        "The share of images whose largest logit is not at their label, in [0, 1].",
    )
    half = labels.clone()
    half[:20] = logits.argmax(1)[:20]
    half[20:] = (logits.argmax(1)[20:] + 1) % 5
    close(
        error(lambda batch: logits[batch.flatten().long()], images, half),
        0.5,
        "Half of these images are classified right.",
    )
    return "An attack drives this number up; a certificate bounds it from above, whatever the attack."
