"""Checks of chapter 15: the pin-hole camera, the non-printability score, a step of RP2, the place of a sticker."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lecture13.exercises import close, exercise, expect


def _chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@exercise("15.1", title="The pin-hole camera")
def _(project: Callable[[float, float, float, float, float, float], tuple[float, float]]):
    def right(u: float, v: float, distance: float, angle: float, focal: float, half: float) -> tuple[float, float]:
        turn = math.radians(angle)
        depth = distance - half * u * math.sin(turn)
        return focal * half * u * math.cos(turn) / depth, focal * half * v / depth

    close(
        project(0.0, 0.0, 5.0, 30.0, 500.0, 1.25), (0.0, 0.0), "The camera looks at the sign's middle: that is (0, 0)."
    )
    close(
        project(1.0, 0.0, 5.0, 0.0, 500.0, 1.25),
        (125.0, 0.0),
        "From the front, the edge u = 1 lies at focal · half / distance.",
    )
    one = project(1.0, 1.0, 5.0, 40.0, 500.0, 1.25)
    narrow = math.cos(math.radians(40))
    if abs(float(one[0]) - 125 * narrow) < 1e-3:
        expect(
            False,
            "All points have one depth in your camera. From aside, the right edge is nearer: Z = distance − h u sin a.",
        )
    expect(
        abs(float(one[0])) < 125 * 1.3 and float(one[1]) > 125,
        "At an angle of 40° from the right the sign is narrower (cos a), and its right edge is nearer and so taller.",
    )
    for u, v, distance, angle in ((1.0, 1.0, 5.0, 40.0), (-1.0, 0.5, 5.0, 40.0), (0.3, -0.8, 40.0, -60.0)):
        close(
            project(u, v, distance, angle, 500.0, 1.25),
            right(u, v, distance, angle, 500.0, 1.25),
            "X = h u cos a, Y = h v, Z = distance − h u sin a (a in degrees); then focal · X / Z and focal · Y / Z.",
        )
    return (
        "Distance scales everything alike. Only the depth's h u sin a makes the square a trapezium, and it counts for "
        "less the further away the camera is."
    )


@exercise("15.2", title="What can be printed")
def _(score: Callable[[Tensor, Tensor], Tensor]):
    palette = torch.tensor([[0.05, 0.05, 0.05], [0.95, 0.95, 0.95], [0.8, 0.1, 0.1]])
    inked = palette.T.reshape(1, 3, 1, 3)
    close(score(inked, palette), 0.0, "Each of these three pixels has a colour of the palette: the score is 0.")
    colours = torch.rand(1, 3, 4, 5, generator=_chance(1))
    distances = (colours[:, None] - palette[None, :, :, None, None]).square().sum(2).sqrt()
    found = score(colours, palette)
    expect(
        abs(float(found) - float(distances.sum())) > 1e-4,
        "For each pixel take the *product* of its distances to the palette's colours, not their sum.",
    )
    expect(
        abs(float(found) - float(distances.amin(1).sum())) > 1e-4,
        "The distance to the nearest colour is a good score, but the paper's is the product over all of them.",
    )
    expect(
        abs(float(found) - float(distances.prod(1).mean())) > 1e-4, "Sum over the pixels; you have taken their mean."
    )
    close(
        found, distances.prod(1).sum(), "Σ over pixels of Π over the palette of the Euclidean distance of two colours."
    )
    return "The product is smooth and 0 at every printable colour, so a pixel may settle on whichever is nearest."


@exercise("15.3", title="One step for all views")
def _(step: Callable[[Callable, Tensor, Tensor, Tensor, int, list, float], Tensor]):
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(27, 8), nn.Tanh(), nn.Linear(8, 3)).double().eval()
    sign = torch.rand(1, 3, 3, 3, generator=_chance(2), dtype=torch.float64)
    mask = (torch.rand(1, 1, 3, 3, generator=_chance(3)) < 0.6).double()
    delta = 0.05 * torch.randn(1, 3, 3, 3, generator=_chance(4), dtype=torch.float64) * mask
    views = [lambda x: x, lambda x: 0.5 * x, lambda x: x.flip(-1), lambda x: 1.2 * x.roll(1, 2)]

    def gradient(seen: list) -> Tensor:
        with torch.enable_grad():
            point = delta.clone().requires_grad_()
            logits = torch.cat([net(view(sign + mask * point)) for view in seen])
            loss = nn.functional.cross_entropy(logits, torch.full((len(seen),), 2))
            return torch.autograd.grad(loss, point)[0]

    right = delta - 0.1 * gradient(views)
    found = step(net, sign, mask, delta.clone(), 2, views, 0.1)
    expect(
        isinstance(found, Tensor) and found.shape == delta.shape, f"Return the new δ, of shape {tuple(delta.shape)}."
    )
    found = found.detach()
    expect(
        float(((found - delta) * (1 - mask)).abs().max()) < 1e-9,
        "Paint left the mask: multiply δ by M inside the loss, and its gradient is 0 outside.",
    )
    for wrong, words in (
        (delta + 0.1 * gradient(views), "You went up the loss of the target: go down, δ − rate · gradient."),
        (delta - 0.1 * gradient(views[:1]), "Only the first view has a say. Average the loss over all of them."),
        (delta - 0.4 * gradient(views), "You summed the losses of the views; the expectation is their mean."),
    ):
        expect(float((found - wrong).abs().max()) > 1e-9, words)
    close(
        found,
        right,
        "δ − rate · ∇_δ of the mean over the views of the cross-entropy of net(view(sign + M·δ)) to the target.",
    )
    return (
        "What one view wants and another does not cancels in the mean; what all want adds up. That part survives the "
        "camera."
    )


@exercise("15.4", title="Where does the sticker go?")
def _(place: Callable[[Tensor, int, int], tuple[int, int]]):
    for seed, (height, width) in enumerate(((2, 5), (3, 3), (1, 6))):
        heat = torch.rand(12, 14, generator=_chance(seed)) ** 4
        sums = {
            (row, column): float(heat[row : row + height, column : column + width].sum())
            for row in range(12 - height + 1)
            for column in range(14 - width + 1)
        }
        best = max(sums, key=sums.get)
        found = tuple(int(each) for each in place(heat, height, width))
        expect(len(found) == 2 and found in sums, f"Return (row, column) of a corner from which {height}×{width} fits.")
        peak = divmod(int(heat.argmax()), 14)
        expect(
            found != peak or peak == best,
            "That is the hottest pixel. The sticker covers many: take the largest *sum* over its pixels.",
        )
        expect(
            found == best,
            f"The sticker of {height}×{width} at {found} covers {sums[found]:.2f}; {sums[best]:.2f} is possible.",
        )
    return "The ℓ1 pass says where paint pays; the attacker chooses the shape, here one that passes for a sticker."
