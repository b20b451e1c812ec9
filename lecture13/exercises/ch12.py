"""Checks of chapter 12: the projection, the fooling rate, one pass of Algorithm 1, the dominant label."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lecture13.exercises import close, exercise, expect


def _chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _net(seed: int) -> nn.Module:
    """A small net of 3 classes for images of 2×3×3."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Flatten(), nn.Linear(18, 12), nn.Tanh(), nn.Linear(12, 3, bias=False)).double().eval()
    with torch.no_grad():
        net[1].weight *= 5
        net[1].bias.copy_(-0.5 * net[1].weight.sum(1))  # centred on grey, so that images are of all classes
    return net


@exercise("12.1", title="Back into the ball")
def _(project: Callable[[Tensor, float, str], Tensor]):
    for seed, size in enumerate((0.01, 1.0, 20.0, 0.0)):
        v = size * torch.randn(1, 2, 3, 3, generator=_chance(seed), dtype=torch.float64)
        kept = v.clone()
        cube, ball = project(v, 0.5, "linf"), project(v, 0.5, "l2")
        expect(torch.equal(v, kept), "The v that came in was changed: return a new tensor.")
        expect(cube.shape == v.shape == ball.shape, f"Return a tensor of the shape that came in, {tuple(v.shape)}.")
        expect(cube.abs().max() <= 0.5 + 1e-9, "In the ℓ∞ ball no entry is larger than ξ.")
        close(cube, v.clamp(-0.5, 0.5), "Of all points with entries within ±ξ, take the nearest: cut each entry.")
        expect(ball.norm() <= 0.5 + 1e-9, "In the ℓ2 ball the length is at most ξ.")
        close(
            ball, v * (0.5 / max(0.5, float(v.norm()))), "Keep the direction, shorten to ξ; inside the ball stay as is."
        )
    return (
        "A projection never moves what is inside already, so v keeps all that earlier images gave it until ξ is full."
    )


@exercise("12.2", title="The fooling rate")
def _(fooling_rate: Callable[[nn.Module, Tensor, Tensor], float]):
    net, images = _net(1), torch.rand(60, 2, 3, 3, generator=_chance(3), dtype=torch.float64)
    v = 0.6 * torch.randn(1, 2, 3, 3, generator=_chance(4), dtype=torch.float64)
    with torch.no_grad():
        before = net(images).argmax(1)
        uncut, cut = ((net(x).argmax(1) != before).double().mean() for x in (images + v, (images + v).clamp(0, 1)))
    found = fooling_rate(net, images, v)
    close(fooling_rate(net, images, torch.zeros_like(v)), 0.0, "v = 0 changes no class: the rate is 0.")
    expect(
        abs(float(found) - float(uncut)) > 1e-9 or abs(float(uncut) - float(cut)) < 1e-9,
        "Cut x + v to [0, 1] before the net sees it: outside it is no image.",
    )
    close(found, cut, "Compare the class of x + v with the class of x, and take the mean over the images.")
    return "No label was needed: a net that is wrong about x can be fooled too, and so can one that is right."


@exercise("12.3", title="One pass of Algorithm 1")
def _(one_pass: Callable[[nn.Module, Tensor, Tensor, float, Callable], Tensor]):
    net, images = _net(5), torch.rand(40, 2, 3, 3, generator=_chance(6), dtype=torch.float64)
    calls = []

    def attack(model: nn.Module, image: Tensor) -> Tensor:
        """A stand-in for DeepFool: one step against the image's own class."""
        calls.append(image.detach().clone())
        with torch.enable_grad():
            point = image.detach().clone().requires_grad_()
            logits = model(point)
            (slope,) = torch.autograd.grad(logits.max(1).values.sum(), point)
        return image - 0.3 * slope / slope.norm()

    right, expected = torch.zeros(1, 2, 3, 3, dtype=torch.float64), 0
    for image in images.split(1):
        with torch.no_grad():
            fooled = net(image + right).argmax(1) != net(image).argmax(1)
        if not fooled:
            right = (right + attack(net, image + right) - (image + right)).clamp(-0.1, 0.1)
            expected += 1
    calls.clear()
    found = one_pass(net, images, torch.zeros_like(right), 0.1, attack)
    expect(isinstance(found, Tensor) and found.shape == right.shape, f"Return v, of shape {tuple(right.shape)}.")
    expect(found.abs().max() <= 0.1 + 1e-9, "v leaves its ball: project after each image.")
    expect(len(calls) >= expected or not calls, "Some images that v does not fool yet were passed over.")
    expect(len(calls) <= expected, f"The attack ran for {len(calls)} images; only those that v does not fool need it.")
    close(found, right, "For each image in turn that v does not fool yet: add attack(model, x + v) − (x + v), project.")
    return "Each image pushes v over its own nearest boundary. What they have in common adds up; the rest cancels."


@exercise("12.4", title="The dominant label")
def _(dominant: Callable[[Tensor, Tensor], tuple[int, float]]):
    before = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3, 3, 3])
    after = torch.tensor([2, 2, 2, 1, 2, 2, 0, 3, 3, 3])
    label, share = dominant(before, after)
    expect(int(label) != 3, "Class 3 is the most frequent, but its images were 3 before: count those that changed.")
    expect(int(label) == 2, "Count, for each class, the images that became it and were something else.")
    expect(
        abs(float(share) - 0.5) > 1e-9, "The share is of the *fooled* images: leave those out that 2 was the class of."
    )
    close(share, 0.75, "Of the four images that changed class, three became class 2.")
    label, share = dominant(torch.tensor([1, 1, 0, 4, 4]), torch.tensor([0, 4, 0, 0, 3]))
    expect(int(label) == 0, "On other images another class is dominant: count anew.")
    close(share, 0.5, "On other images the share is another: two of four that changed class.")
    return "An untargeted attack, and most of what it fools goes to one class: the boundaries agree on a direction."
