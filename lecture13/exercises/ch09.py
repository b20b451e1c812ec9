"""Checks of chapter 09: FGSM by hand, its targeted version, the smallest ε of a linear classifier, and of a set."""

from functools import partial

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lecture13 import attacks, evaluation
from lecture13.exercises import close, exercise, expect


def _problem(count: int = 6) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A small smooth net in eval mode, images well inside [0, 1], and labels."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 16), nn.Tanh(), nn.Linear(16, 4)).eval()
    return model, 0.2 + 0.6 * torch.rand(count, 3, 4, 4), torch.randint(4, (count,))


def _steps(found: torch.Tensor, images: torch.Tensor) -> None:
    """What every answer of the right kind is: a tensor like the images."""
    expect(
        isinstance(found, torch.Tensor), f"Return the adversarial images, a tensor; this is a {type(found).__name__}."
    )
    expect(
        found.shape == images.shape,
        f"One adversarial image for each image: expected the shape {tuple(images.shape)}, got {tuple(found.shape)}.",
    )
    expect(not found.requires_grad, "The result still carries a graph: end with `.detach()`, or step outside of it.")


@exercise("09.1", title="FGSM from its formula")
def _(my_fgsm):
    model, images, labels = _problem()
    kept, epsilon = images.clone(), 0.05
    found = my_fgsm(model, images, labels, epsilon)
    _steps(found, images)
    expect(torch.equal(images, kept), "The images that came in were changed: work on a copy, `images.clone()`.")
    expect(
        all(parameter.grad is None for parameter in model.parameters()),
        "The parameters were given gradients too: `torch.autograd.grad(loss, inputs)` computes the one you need.",
    )
    right = attacks.fgsm(model, images, labels, epsilon)
    wrong_way = attacks.fgsm(model, images, labels, epsilon, targeted=True)
    expect(not torch.allclose(found, wrong_way, atol=1e-6), "This goes down the loss; an untargeted attack goes up.")
    expect((found - images).abs().max() <= epsilon + 1e-6, "Some pixels move by more than ε: take the gradient's sign.")
    close(found, right, "Every pixel moves by ε in the direction of the sign of ∂J/∂x.")
    light = my_fgsm(model, images.clamp(0.78, 1), labels, 0.3)
    expect(light.max() <= 1 and light.min() >= 0, "With ε = 0.3 some pixels leave [0, 1]: clip the result to the box.")
    return "One gradient and one sign: that is the whole attack."


@exercise("09.2", title="The smallest ε of a linear classifier")
def _(smallest_epsilon):
    for features in (3, 40):
        weight, image = torch.randn(features, dtype=torch.float64), torch.rand(features, dtype=torch.float64)
        bias = torch.randn((), dtype=torch.float64)
        margin = weight @ image + bias
        found = smallest_epsilon(weight, bias, image)
        length = abs(float(margin)) / float(weight.norm())
        if features > 3 and abs(float(found) - length) < 1e-9:
            expect(
                False, "That is the distance in ‖·‖₂. FGSM may move every pixel by ε: which norm of w does that meet?"
            )
        expect(float(found) >= 0, "ε is a size: use |wᵀx + b|, the classifier may say either class.")
        close(found, margin.abs() / weight.abs().sum(), "The score moves by ε‖w‖₁ at most, and has to reach 0.")
        move = -float(found) * margin.sign() * weight.sign()
        flipped = (weight @ (image + 1.001 * move) + bias) * margin < 0
        kept = (weight @ (image + 0.999 * move) + bias) * margin > 0
        expect(flipped and kept, "A little more than your ε has to flip the class, a little less must not.")
    return (
        "‖w‖₁ grows like n, so the smallest ε shrinks with the number of pixels: that is why photographs are so easy."
    )


@exercise("09.3", title="A chosen class")
def _(my_targeted_fgsm):
    model, images, _ = _problem(12)
    targets = torch.arange(12) % 4
    found = my_targeted_fgsm(model, images, targets, 0.05)
    _steps(found, images)
    away = attacks.fgsm(model, images, targets, 0.05)
    expect(
        not torch.allclose(found, away, atol=1e-6),
        "This goes up the loss of the target, away from it. To be taken for the target, go down.",
    )
    close(
        found, attacks.fgsm(model, images, targets, 0.05, targeted=True), "x − ε·sign(∇ₓJ(x, target)), within [0, 1]."
    )
    with torch.no_grad():
        closer = cross_entropy(model(found), targets) < cross_entropy(model(images), targets)
    expect(closer, "The loss of the target should fall.")
    return "The same gradient of another label, with the other sign."


@exercise("09.4", title="The ε that fools half")
def _(epsilon, *, model, data):
    """``epsilon`` for the notebook's classifier and images; right within a factor of 1.25 of where half are fooled."""
    expect(isinstance(epsilon, int | float), f"Give one number, in pixel units; this is a {type(epsilon).__name__}.")
    expect(0 < epsilon <= 1, f"Pixel units lie in [0, 1], and ε = {epsilon:g} does not. Is it on the 0–255 scale?")

    def fooled(size: float) -> float:
        return evaluation.robustness(model, partial(attacks.fgsm, epsilon=size), data).success.value

    share = fooled(epsilon)
    message = f"Your ε fools {share:.0%} of the correctly classified images."
    expect(fooled(min(1.0, 1.25 * epsilon)) >= 0.5, f"{message} A larger one is needed.")
    expect(fooled(epsilon / 1.25) <= 0.5, f"{message} A smaller one is enough.")
    return f"{message} In steps of an 8-bit image, that is {255 * epsilon:.1f}."
