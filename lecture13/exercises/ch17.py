"""Checks of chapter 17: the robust loss from margins, the ramp of ε, the two sides of the robust error."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lecture13.defenses import robust_training
from lecture13.exercises import close, exercise, expect


def _margins(count: int = 8, classes: int = 5) -> tuple[Tensor, Tensor]:
    """Margins as ``polytope.margins`` gives them, 0 at the label, and the labels."""
    labels = torch.randint(0, classes, (count,))
    margins = 2 * torch.randn(count, classes, dtype=torch.float64)
    return margins.scatter(1, labels[:, None], 0.0), labels


@exercise("17.1", title="The robust loss")
def _(robust_loss):
    for count in (1, 8):
        margins, labels = _margins(count)
        found = robust_loss(margins, labels)
        expect(isinstance(found, Tensor), f"Return a tensor with one number; this is a {type(found).__name__}.")
        expect(found.ndim == 0, f"Return the mean over the images: one number, not the shape {tuple(found.shape)}.")
        right = cross_entropy(-margins, labels)
        wrong_way = cross_entropy(margins, labels)
        expect(
            abs(float(found) - float(wrong_way)) > 1e-9,
            "The sign: the worst logits are low at the label, so a large margin has to lower the loss.",
        )
        close(found, right, "The worst logit of class k, beside the label's 0, is minus its margin: logits −margins.")
    return "An upper bound of the loss under any attack, and a function that a gradient can go down."


@exercise("17.2", title="The ramp")
def _(ramp):
    for last, steps in ((0.1, 100), (0.3, 7)):
        right = robust_training.ramp(last / 2, last, max(1, steps // 2))
        found = [float(ramp(index, last, steps)) for index in range(steps)]
        close(found[0], last / 2, "It starts at half of the final ε.")
        expect(max(found) <= last + 1e-12, "ε goes beyond its final value: hold it there for the second half.")
        close(found[-1], last, "In the second half ε is at its final value.")
        close(
            torch.tensor(found),
            torch.tensor([right(index) for index in range(steps)]),
            "A straight line over the first steps // 2 steps, then level.",
        )
    return "A net that is asked for everything at once says nothing, at a loss of log K. The ramp leads around that."


@exercise("17.3", title="At least, and at most")
def _(both_sides):
    for _ in range(3):
        margins, labels = _margins(30, 4)
        shift = torch.where(torch.rand(30, 1) < 0.6, 4.0, 0.0).double()
        margins = (margins + shift).scatter(1, labels[:, None], 0.0)
        certified = (margins.scatter(1, labels[:, None], torch.inf) > 0).all(1)
        attacked = torch.where(certified | (torch.rand(30) < 0.5), labels, (labels + 1) % 4)
        found = both_sides(attacked, margins, labels)
        expect(isinstance(found, tuple) and len(found) == 2, "Return two numbers: at least, and at most.")
        least, most = (float(value) for value in found)
        close(least, (attacked != labels).double().mean(), "At least those are wrong whose attacked class is no label.")
        naive = float((margins <= 0).any(1).double().mean())
        expect(
            naive == float((~certified).double().mean()) or abs(most - naive) > 1e-9,
            "The margin at the label itself is 0 by definition: leave it out.",
        )
        expect(
            abs(most - float(certified.double().mean())) > 1e-9 or bool(certified.double().mean() == 0.5),
            "That is the share that is certified; the bound is the share that is not.",
        )
        close(most, (~certified).double().mean(), "An image is certified if all margins of other classes are above 0.")
    return "The truth lies between the two. Where they meet, it is known."


@exercise("17.4", title="A gap between the squares")
def _(epsilon, *, points, labels):
    """``epsilon``: the largest at which no two squares of different classes meet, within 1 %."""
    one = isinstance(epsilon, int | float) or getattr(epsilon, "ndim", None) == 0
    expect(one, f"Give one number; this is a {type(epsilon).__name__}.")
    epsilon = float(epsilon)
    apart = (points[:, None] - points[None]).abs()
    other = labels[:, None] != labels[None]
    right = float(apart.amax(2)[other].min()) / 2
    by_sum = float(apart.sum(2)[other].min()) / 2
    expect(
        abs(epsilon - by_sum) > 1e-6 * by_sum or abs(by_sum - right) < 1e-6,
        "That uses the ℓ1 distance. Two squares meet if the points are near in *both* coordinates: take the larger.",
    )
    expect(abs(epsilon - 2 * right) > 0.01 * right, "Each of the two squares takes half of the distance.")
    expect(epsilon <= 1.01 * right, f"At ε = {epsilon:.4g} two squares of different classes overlap.")
    expect(epsilon >= 0.99 * right, f"At ε = {epsilon:.4g} there is still room between the nearest two.")
    return "Up to here a perfect robust classifier exists. Whether a net finds it, and can prove it, is another matter."
