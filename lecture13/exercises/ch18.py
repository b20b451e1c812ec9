"""Checks of chapter 18: the K largest, the ℓ1 ball, Theorem 2, and the gradient that a front end hides."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lecture13.defenses.sparsity import SparseFrontEnd, project_rows_l1_
from lecture13.exercises import close, exercise, expect


def _chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@exercise("18.1", title="Keep the K largest")
def _(keep_largest: Callable[[Tensor, int], Tensor]):
    coefficients = torch.randn(4, 2, 6, 6, generator=_chance(0), dtype=torch.float64)
    kept = coefficients.clone()
    for k in (1, 9, 72):
        found = keep_largest(coefficients, k)
        expect(torch.equal(coefficients, kept), "The coefficients that came in were changed: return a new tensor.")
        expect(
            isinstance(found, Tensor) and found.shape == kept.shape, f"Return a tensor of shape {tuple(kept.shape)}."
        )
        counts = (found != 0).flatten(1).sum(1)
        expect((found == 0).any() or k == 72, "Nothing was set to 0.")
        expect(counts.sum() != k or k * 4 == k, "Those are the K largest of the whole batch: choose K for each image.")
        expect((counts == k).all(), f"With K = {k}, {counts.tolist()} coefficients are left in the four images.")
        flat = coefficients.flatten(1)
        by_value = torch.zeros_like(flat).scatter(1, flat.topk(k).indices, 1.0) * flat
        expect(
            k == 72 or not torch.equal(found.flatten(1), by_value),
            "Large is meant in magnitude: a coefficient of −3 comes before one of 2.",
        )
        indices = flat.abs().topk(k).indices
        right = torch.zeros_like(flat).scatter(1, indices, flat.gather(1, indices)).view_as(kept)
        close(found, right, "The kept coefficients keep their value and sign, the others become 0.")
    return "Of all images with K coefficients this is the nearest, since the basis is orthonormal."


@exercise("18.2", title="Onto the ℓ1 ball")
def _(project: Callable[[Tensor, float], Tensor]):
    for seed, gamma in enumerate((0.5, 2.0, 100.0)):
        row = 2 * torch.randn(12, generator=_chance(seed), dtype=torch.float64)
        kept, right = row.clone(), project_rows_l1_(row.clone()[None], gamma)[0]
        found = project(row, gamma)
        expect(torch.equal(row, kept), "The row that came in was changed: return a new tensor.")
        expect(isinstance(found, Tensor) and found.shape == (12,), "Return a tensor of shape (12,).")
        inside = row.abs().sum() <= gamma
        expect(not inside or torch.allclose(found, row), "This row is inside the ball already: leave it as it is.")
        expect(found.abs().sum() <= gamma + 1e-9, f"‖w‖₁ is {found.abs().sum():.3f}, above γ = {gamma}.")
        scaled = row * min(1.0, gamma / float(row.abs().sum()))
        expect(
            inside or not torch.allclose(found, scaled),
            "Scaling stays in the ball but is not the nearest point: take the same θ away from every magnitude.",
        )
        close(found, right, "sign(w)·max(|w| − θ, 0), with the θ that makes the ℓ1 norm γ.", atol=1e-5)
    return "All magnitudes shrink by the same θ, so the small ones end at exactly 0: that is where sparsity comes from."


@exercise("18.3", title="Theorem 2")
def _(propagation: Callable[[list[Tensor], float], list[float]]):
    weights = [torch.randn(*shape, generator=_chance(5), dtype=torch.float64) for shape in ((5, 8), (4, 5), (2, 4))]
    found = propagation(weights, 0.1)
    expect(len(found) == 3, f"One number after each layer: expected 3, got {len(found)}.")
    right, columns, spectral, size = [], [], [], [0.1, 0.1, 0.1]
    for weight in weights:
        for index, norm in enumerate((torch.inf, 1, 2)):
            size[index] *= float(torch.linalg.matrix_norm(weight, norm))
        right.append(size[0])
        columns.append(size[1])
        spectral.append(size[2])
    numbers = [float(value) for value in found]
    expect(
        max(abs(a - b) for a, b in zip(numbers, columns, strict=True)) > 1e-9,
        "These are sums of columns; a unit is a row.",
    )
    expect(max(abs(a - b) for a, b in zip(numbers, spectral, strict=True)) > 1e-9, "That is for ‖e‖₂; here ‖e‖∞ ≤ ε.")
    expect(abs(numbers[0] - right[0] / 0.1) > 1e-9, "Where is ε? The bound starts with it.")
    close(found, right, "ε times the product of the largest ℓ1 norms of a row, over all layers so far.")
    return "Exact for one layer. For more it adds up worst cases that no one image has: a bound, and a loose one."


@exercise("18.4", title="Around the front end")
def _(gradient: Callable[[nn.Module, nn.Module, Tensor, Tensor], Tensor]):
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    front = SparseFrontEnd(6, wavelet="haar", shape=(1, 8, 8))
    images = torch.rand(5, 1, 8, 8, generator=_chance(6), dtype=torch.float64)
    labels = torch.tensor([0, 1, 1, 0, 1])

    def slope(inputs: Tensor, model: nn.Module) -> Tensor:
        inputs = inputs.clone().requires_grad_()
        z = model(inputs)
        lead = z.gather(1, 1 - labels[:, None]) - z.gather(1, labels[:, None])
        return torch.autograd.grad(lead.sum(), inputs)[0]

    found = gradient(front, net, images, labels)
    expect(
        isinstance(found, Tensor) and found.shape == images.shape, f"Return a tensor of shape {tuple(images.shape)}."
    )
    through, without = slope(images, nn.Sequential(front, net)), slope(images, net)
    expect(
        not torch.allclose(found, through), "That is the exact gradient: it lives on K coefficients and misses others."
    )
    expect(not torch.allclose(found, without), "The net does not see x but x̂ = front(x): take its gradient there.")
    right = slope(front(images), net)
    expect(not torch.allclose(found, -right), "That points back to the label's class: uphill is z_other − z_label.")
    close(found, right, "The gradient of z_other − z_label with respect to what the net sees, at front(images).")
    return "BPDA: forward through the front end, backward as if it were not there. A defence has to be judged with it."
