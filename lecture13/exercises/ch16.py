"""Checks of chapter 16: the triangle's upper edge, the first layer's bounds, the questions C, Algorithm 1 by hand."""

import torch
from torch import Tensor, nn

from lecture13.defenses import polytope
from lecture13.exercises import close, exercise, expect


def _layers(seed: int, features: int = 4, hidden: int = 12, classes: int = 3) -> tuple[Tensor, ...]:
    """(W1, b1, W2, b2, x) in float64."""
    chance = torch.Generator().manual_seed(seed)
    shapes = ((hidden, features), (hidden,), (classes, hidden), (classes,), (features,))
    return tuple(torch.randn(shape, generator=chance, dtype=torch.float64) for shape in shapes)


@exercise("16.1", title="The upper edge of the triangle")
def _(upper_edge):
    for lower, upper in ((-1.0, 2.0), (-3.0, 0.5), (-0.1, 0.1)):
        found = upper_edge(lower, upper)
        expect(
            isinstance(found, tuple | list) and len(found) == 2, "Return two numbers: the slope s and the constant t."
        )
        slope, constant = (float(value) for value in found)
        expect(abs(slope - 1) > 1e-9, "Slope 1 is the ReLU's own right part; the edge starts at (ℓ, 0).")
        expect(
            abs(slope - upper / (upper - lower)) > 1e-9 or abs(constant) > 1e-9,
            "That line passes through the origin: it is the dual's lower line. The upper edge is parallel to it.",
        )
        close(slope * lower + constant, 0.0, "At ẑ = ℓ the ReLU is 0, and so is the edge.")
        close(slope * upper + constant, upper, "At ẑ = u the ReLU is u, and so is the edge.")
    return "s = u/(u − ℓ), t = −sℓ. t, at most, is what this unit can be off by, above or below."


@exercise("16.2", title="The first layer's bounds")
def _(first_bounds):
    for seed, epsilon in enumerate((0.1, 1.0)):
        weight, bias, *_, x = _layers(seed)
        found = first_bounds(weight, bias, x, epsilon)
        expect(isinstance(found, tuple | list) and len(found) == 2, "Return (lower, upper).")
        lower, upper = found
        expect(
            lower.shape == upper.shape == bias.shape, f"Each has the shape of b, {tuple(bias.shape)}: one bound a unit."
        )
        corners = torch.cartesian_prod(*[torch.tensor([-epsilon, epsilon], dtype=torch.float64)] * len(x))
        values = (x + corners) @ weight.T + bias
        expect((lower <= values.amin(0) + 1e-9).all(), "Some corner of the cube goes below your lower bound.")
        expect((upper >= values.amax(0) - 1e-9).all(), "Some corner of the cube goes above your upper bound.")
        close(lower, values.amin(0), "True, but not tight: row i moves by ε times the sum of |W_ij|, no more.")
        close(upper, values.amax(0), "True, but not tight: row i moves by ε times the sum of |W_ij|, no more.")
    return "A linear function over a cube is lowest in a corner, whichever the signs of its row say."


@exercise("16.3", title="What has to be asked")
def _(questions):
    for label, classes in ((0, 2), (2, 4), (3, 4)):
        found = questions(label, classes)
        expect(isinstance(found, Tensor), f"Return a matrix, a tensor; this is a {type(found).__name__}.")
        expect(
            found.shape == (classes - 1, classes),
            f"A row for each of the {classes - 1} other classes, a column for each of the {classes} logits.",
        )
        right = (torch.eye(classes)[label] - torch.eye(classes))[[k for k in range(classes) if k != label]]
        sums = 2 * torch.eye(classes)[label] - 1
        expect(
            classes == 2 or not torch.equal(found[0].float(), sums),
            "That is 2e_y − 1, which adds all other logits up. Ask for one other class at a time.",
        )
        expect(not torch.equal(found.float(), -right), "The sign: z_y − z_k has to stay positive.")
        close(found, right, "1 at the label, −1 at the class k, 0 elsewhere; the classes k in their order.")
    return "One backward pass for each row, and they share the bounds of all layers before."


@exercise("16.4", title="Algorithm 1 for one hidden layer")
def _(lower_bound):
    for seed, epsilon in ((1, 0.0), (2, 0.05), (3, 0.5)):
        first, bias, second, constant, x = _layers(seed)
        c = torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64)
        network = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 1)).double()  # cᵀf
        with torch.no_grad():
            for layer, weight, shift in ((network[0], first, bias), (network[2], c @ second, c @ constant)):
                layer.weight.copy_(weight)
                layer.bias.copy_(shift)
            value = float(network(x[None]))
        right = float(polytope.bounds(network, x[None], epsilon, rounded=False)[-1][0])
        found = lower_bound(c, first, bias, second, constant, x, epsilon)
        if epsilon == 0:
            close(found, value, "With ε = 0 the bound is cᵀf(x) itself. Is b₂ in it, are units that are off at 0?")
            continue
        least = float(polytope.milp_bounds(network, x[None], epsilon)[-1][0])
        expect(
            float(found) <= least + 1e-6, "That is above the exact minimum: no bound. Is the price of the triangles in?"
        )
        interval = float(polytope.bounds(network, x[None], epsilon, method="interval", rounded=False)[-1][0])
        expect(
            abs(float(found) - interval) > 1e-9,
            "That is interval arithmetic: true, but the dual carries the row through W₁ first, and then takes |·|.",
        )
        close(found, right, "νᵀ(W₁x + b₁) + cᵀb₂ − ε‖W₁ᵀν‖₁ + Σ ℓ[−ν]₊ over unstable units, ν = d·(W₂ᵀc).")
    return "A net run backwards from c: no program was solved, and the answer is a proof."
