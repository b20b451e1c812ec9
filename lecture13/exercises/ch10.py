"""Checks of chapter 10: one hyperplane, the nearest face, DeepFool in ℓ∞, clipped steps, the curve of accuracy."""

import torch
from torch import nn

from lecture13 import attacks
from lecture13.exercises import close, exercise, expect


@exercise("10.1", title="One hyperplane")
def _(smallest_change):
    for features in (2, 30):
        for _ in range(2):  # of either class
            weight, image = torch.randn(features, dtype=torch.float64), torch.rand(features, dtype=torch.float64)
            bias = torch.randn((), dtype=torch.float64)
            f = weight @ image + bias
            found = smallest_change(weight, bias, image)
            expect(
                isinstance(found, torch.Tensor) and found.shape == image.shape,
                f"r is a tensor of the image's shape ({features},), one entry for each pixel.",
            )
            moved = weight @ (image + found) + bias
            expect((moved - 2 * f).abs() > 1e-9 * f.abs(), "This moves f away from 0: go against the sign of f(x).")
            expect(
                moved.abs() < 1e-6 * f.abs().clamp(min=1),
                f"The image should lie on the boundary then, but f(x + r) = {float(moved):.3g}. Is it ‖w‖₂² below?",
            )
            close(found, -f / weight.square().sum() * weight, "It is on the boundary, but not at its nearest point.")
    return "The distance |f(x)|/‖w‖₂ is the robustness of an affine classifier: no attack can do better."


@exercise("10.2", title="The nearest face, in any of two norms")
def _(nearest_face):
    # built so that the runner-up is not the nearest, and that the nearest depends on the norm
    weight = torch.tensor([[0.0, 0.0], [1.0, 0.1], [-1.0, 0.9], [0.3, -0.3]], dtype=torch.float64)
    bias = torch.tensor([0.0, -0.62, -1.0, -0.6], dtype=torch.float64)
    problems = [(weight, bias, torch.zeros(2, dtype=torch.float64))]
    problems += [
        (torch.randn(k, n).double(), torch.randn(k).double(), torch.rand(n).double()) for k, n in ((3, 5), (8, 20))
    ]
    for weight, bias, image in problems:
        for norm in ("l2", "linf"):
            found = nearest_face(weight, bias, image, norm)
            expect(isinstance(found, tuple) and len(found) == 2, "Give a pair: (class, distance).")
            scores = weight @ image + bias
            k_hat = int(scores.argmax())
            w, gap = weight - weight[k_hat], scores[k_hat] - scores
            lengths = {"l2": gap / w.norm(dim=1), "linf": gap / w.abs().sum(1)}
            for length in lengths.values():
                length[k_hat] = torch.inf
            nearest, distance = int(lengths[norm].argmin()), float(lengths[norm].min())
            expect(int(found[0]) != k_hat, "That is the predicted class itself: leave k̂ out of the search.")
            other = float(lengths["linf" if norm == "l2" else "l2"].min())
            expect(
                abs(float(found[1]) - other) > 1e-9,
                f"For {norm} this is the distance in the other norm: below stands the dual norm, ℓ₂ for ℓ₂, ℓ₁ for ℓ∞.",
            )
            close(found[1], distance, f"The least |f_k − f_k̂| / ‖w_k − w_k̂‖ over k, for {norm}.")
            expect(int(found[0]) == nearest, f"The distance is right, but its face is that of class {nearest}.")
    return "The runner-up in score need not be the nearest in distance, and the nearest depends on the norm."


@exercise("10.3", title="DeepFool in ℓ∞")
def _(my_deepfool_linf):
    layers = [nn.Flatten(), nn.Linear(27, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 6)]
    model = nn.Sequential(*layers).double().eval()
    with torch.no_grad():
        for layer in layers[1::2]:
            layer.weight.mul_(4)  # strongly curved: several iterations
    for image in 3 * torch.rand(4, 3, 3, 3, dtype=torch.float64):
        for eta in (0.02, 0.2):
            kept = image.clone()
            found = my_deepfool_linf(model, image, eta=eta)
            expect(torch.equal(image, kept), "The image that came in was changed: work on a copy.")
            expect(
                isinstance(found, torch.Tensor) and found.shape == image.shape,
                f"Return the adversarial image, a tensor of shape {tuple(image.shape)}.",
            )
            expect(not found.requires_grad, "The result still carries a graph: detach the scores.")
            with torch.no_grad():
                before, after = model(torch.stack([image, found])).argmax(1)
            expect(before != after, "The class has not changed: go on until it does, and evaluate at x + (1 + η)·Σ rᵢ.")
            right, shorter = (attacks.deepfool(model, image[None], norm=n, overshoot=eta)[0] for n in ("linf", "l2"))
            expect(
                not torch.allclose(found, shorter, atol=1e-6),
                "This is DeepFool for ℓ₂: in ℓ∞ every pixel moves equally far, along sign(w').",
            )
            close(found, right, "Each step is |f'|/‖w'‖₁·sign(w'), taken at x + (1 + η)·Σ rᵢ: η is on the total.")
    return "One norm changes, and with it the direction: the rest of Algorithm 2 does not know which ball it is in."


@exercise("10.4", title="When does clipping never cross?")
def _(gap_left):
    for share, eta in ((0.5, 0.02), (0.1, 0.02), (0.9, 0.3), (0.02, 0.0)):
        for steps in (1, 2, 7):
            found = float(gap_left(share, eta, steps))
            left, model = _simulate(share, eta, steps)
            expect(
                not (steps > 1 and abs(found - steps * model) < 1e-9),
                "The steps do not add up: each starts from what the one before has left.",
            )
            close(found, left, f"With s = {share}, η = {eta} and {steps} step(s), played through in the plane:")
    for share, eta in ((0.01, 0.02), (0.0, 0.02)):
        close(
            gap_left(share, eta, 3), 0.0, f"With s = {share} below η/(1 + η) the boundary is crossed: nothing is left."
        )
    return (
        "A geometric series: as long as s > η/(1 + η), no number of steps is enough, and 50 leave what rounding leaves."
    )


def _simulate(share: float, eta: float, steps: int) -> tuple[float, float]:
    """The gap left in the plane, where the box holds the first coordinate, and after one step; both relative."""
    weight = torch.tensor([share**0.5, (1 - share) ** 0.5], dtype=torch.float64)
    point, goal = torch.zeros(2, dtype=torch.float64), 1.0
    left = [1.0]
    for _ in range(steps):
        step = (1 + eta) * (goal - weight @ point) * weight / weight.square().sum()
        step[0] = 0.0  # held by the box
        point = point + step
        left.append(max(float(goal - weight @ point), 0.0))
    return left[-1], left[1]


@exercise("10.5", title="The robust accuracy, for every ε at once")
def _(robust_accuracy):
    norms, right = torch.rand(40, dtype=torch.float64), torch.rand(40) < 0.8
    epsilons = torch.tensor([0.0, 0.1, 0.5, 1.0], dtype=torch.float64)
    found = robust_accuracy(norms, right, epsilons)
    expected = [
        sum(bool(good) and float(norm) > float(e) for norm, good in zip(norms, right, strict=True)) / 40
        for e in epsilons
    ]
    expect(
        isinstance(found, torch.Tensor) and found.shape == epsilons.shape,
        f"One share for each ε: a tensor of shape ({len(epsilons)},).",
    )
    close(found[0], right.double().mean(), "At ε = 0 nothing is attacked: it is the clean accuracy.")
    expect(bool((found.diff() <= 1e-9).all()), "A larger ε can only take more images: the curve never rises.")
    close(found, expected, "The share of images that are right and whose norm is above ε.")
    return "One run of DeepFool, and the accuracy under attack is known for all ε, as an upper bound of the true one."
