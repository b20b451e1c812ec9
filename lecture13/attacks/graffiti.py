"""RP2: paint on one part of a sign that is read wrongly from wherever it is photographed."""

import math
from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor
from tqdm import tqdm

from lecture13 import guard
from lecture13.attacks.checks import check_choice, check_number, check_target
from lecture13.attacks.printability import check_palette, non_printability
from lecture13.guard import Bounds, Model

#: ``transforms(images, generator) -> images``: each of them in a view of its own, with a gradient.
Transforms = Callable[[Tensor, torch.Generator], Tensor]
WINDOW = 200  # pictures that the stop is judged on


@torch.inference_mode(False)
def graffiti(
    model: Model,
    images: Tensor,
    target: int,
    *,
    mask: Tensor,
    transforms: Transforms | None = None,
    steps: int = 300,
    learning_rate: float = 0.03,
    batch_size: int = 32,
    norm: str = "l1",
    norm_weight: float = 0.0,
    palette: Tensor | None = None,
    printability_weight: float = 1.0,
    smoothness_weight: float = 0.0,
    success_rate: float | None = None,
    bounds: Bounds = (0.0, 1.0),
    generator: torch.Generator | None = None,
) -> Tensor:
    """Paint a mask on a sign so that the model takes photographs of it for ``target`` (Eykholt et al. 2018, eq. 3)::

        argmin_δ  λ ‖M·δ‖_p + NPS + E_{x ~ X^V} J(f(x + T(M·δ)), y*)

    X^V are photographs of one sign and synthetic changes of them: each step draws ``batch_size`` of ``images`` and
    sends them, painted, through ``transforms``, so that the paint is moved, shaded and blurred with the sign that it is
    on (the paper's T). J is the cross-entropy to y*, the step Adam's. The first two terms and the total variation,
    which is ours, are means over the mask's pixels, so that weights mean the same for every mask and size.

    Args:
        model: f, gives logits ``(N, K)``; runs in eval mode.
        images: photographs of one sign, aligned: float ``(N, C, H, W)``, in ``bounds``; one face will do.
        target: y*, the class wanted.
        mask: M, where paint may be, from 0 to 1: ``(H, W)``, ``(1, 1, H, W)`` or ``(1, C, H, W)``.
        transforms: see :data:`Transforms`, such as :class:`lecture13.render.snapshots.Snapshots`. None: none, and every
            step takes all images as they are, a masked attack.
        steps: of Adam at most, ≥ 1.
        learning_rate: of Adam: about what a pixel moves in a step.
        batch_size: pictures a step, ≥ 1.
        norm: p: ``"l1"``, which empties most of the mask, or ``"l2"``.
        norm_weight: λ ≥ 0, in nats. ‖·‖₁ is the mean of |δ| over the mask, ‖·‖₂ its root mean square. 0, the default,
            leaves the term out: a mask that was chosen bounds the paint already.
        palette: colours that can be printed, ``(P, C)``; None: all of them. The score is that of the mean photograph
            with the paint on it.
        printability_weight: of the score's mean over the mask, in nats.
        smoothness_weight: of the mean change between neighbours within the mask, in nats.
        success_rate: stop once this share of the last 200 pictures was read as the target; None: all ``steps``.
        bounds: the box ``(low, high)``: of the mean photograph with the paint on it, and of every photograph. None:
            no box.
        generator: source of the views; None: one seeded as ``torch.manual_seed`` was, the same at every call.

    Returns:
        M·δ, ``(1, C, H, W)``, dtype and device of ``images``, 0 where the mask is 0. Add it to the images and cut to
        the box (:func:`paint`).

    Raises:
        TypeError: images that are not floating, a target that is not an int, a number that is none.
        ValueError: images outside the box; an empty mask, or one of another shape; a target that the model does not
            have, or that it sees in half of the pictures without paint; transforms under which no paint can be seen;
            a palette of another shape or outside the box; weights or counts out of range; NaN gradients.
    """
    check_choice("norm", norm, ("l1", "l2"))
    steps, batch_size = guard.check_count("steps", steps), guard.check_count("batch_size", batch_size)
    learning_rate = guard.check_size("learning_rate", learning_rate)
    weights = {"norm": norm_weight, "printability": printability_weight, "smoothness": smoothness_weight}
    weights = {name: check_number(f"{name}_weight", weight, unit="nats") for name, weight in weights.items()}
    if success_rate is not None:
        success_rate = check_number("success_rate", success_rate, high=1.0, open_low=True)
    bounds = guard.check_bounds(bounds)
    images = guard.check_images(images, bounds)
    if images.ndim != 4 or not len(images):
        raise ValueError(f"images have shape {tuple(images.shape)}; expected (N, C, H, W), one or more")
    exact = torch.promote_types(images.dtype, torch.float32)  # Adam's ε is 0 in half precision
    mask = check_mask(mask, images).to(exact)
    if palette is not None:
        palette = check_palette(palette, images.shape[1], bounds).to(mask, copy=True)
    check_target(target)
    generator = guard.random_source(generator, images.device)

    average = images.to(exact).mean(0, keepdim=True)
    delta = torch.zeros_like(average, requires_grad=True)
    adam = torch.optim.Adam([delta], lr=learning_rate)
    recent: deque[bool] = deque(maxlen=WINDOW)

    def pictures(painted: Tensor) -> Tensor:
        painted = painted.to(images.dtype)
        if transforms is None:
            return paint(images, painted, bounds)
        chosen = torch.randint(len(images), (batch_size,), generator=generator, device=generator.device)
        found = transforms(paint(images[chosen.to(images.device)], painted, bounds), generator)
        if not isinstance(found, Tensor) or found.ndim != 4 or len(found) != batch_size:
            kind = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
            raise ValueError(f"transforms returned {kind} for {batch_size} images; expected (N, C, H, W), as many")
        return found

    with guard.frozen(model, images.device), tqdm(total=steps, desc="graffiti", leave=False, delay=1) as bar:
        _check_start(model, pictures(torch.zeros_like(average)), target)
        for step in range(steps):
            with torch.enable_grad():
                logits = guard.logits(model, pictures(mask * delta))
                if not logits.requires_grad:
                    raise ValueError(
                        "the model's logits do not depend on the paint through a gradient; is it detached?"
                    )
                logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
                loss = -logits.log_softmax(1)[:, target].mean()
                (delta.grad,) = torch.autograd.grad(loss, delta)
                _check_gradient(delta.grad, step)
                painted = mask * delta
                penalty = _penalty(painted, average + painted, mask, norm, palette, weights)
                if penalty.requires_grad:
                    delta.grad += torch.autograd.grad(penalty, delta)[0]
            adam.step()
            if bounds is not None:
                with torch.no_grad():
                    delta.clamp_(bounds[0] - average, bounds[1] - average)
            recent.extend((logits.argmax(1) == target).tolist())
            bar.update()
            bar.set_postfix(target=f"{sum(recent) / len(recent):.0%}", refresh=False)  # a refresh overrules the delay
            if success_rate is not None and len(recent) == WINDOW and sum(recent) >= success_rate * WINDOW:
                break
    return (mask * delta).detach().to(images.dtype)


def paint(images: Tensor, delta: Tensor, bounds: Bounds = (0.0, 1.0)) -> Tensor:
    """Every image ``(N, C, H, W)`` with the paint ``(1, C, H, W)`` on it, cut to the box."""
    painted = images + delta
    return painted if bounds is None else painted.clamp(*bounds)


def check_mask(mask: Tensor, images: Tensor) -> Tensor:
    """``mask`` as floats ``(1, 1 or C, H, W)`` for ``images``.

    Raises:
        ValueError: another shape, values outside [0, 1], or nothing in it.
    """
    wanted = f"expected {tuple(images.shape[2:])}, or (1, 1 or {images.shape[1]}, H, W), for these images"
    if not isinstance(mask, Tensor):
        raise ValueError(f"the mask is a {type(mask).__name__}; {wanted}")
    found = mask[None, None] if mask.ndim == 2 else mask
    if (
        found.ndim != 4
        or len(found) != 1
        or found.shape[1] not in (1, images.shape[1])
        or found.shape[2:] != images.shape[2:]
    ):
        raise ValueError(f"the mask has shape {tuple(mask.shape)}; {wanted}")
    found = found.detach().to(images, copy=True)
    if not bool((found != 0).any()):
        raise ValueError("the mask is empty: nothing may be painted; set it to 1 where paint may be")
    if not bool(((found >= 0) & (found <= 1)).all()):  # NaN too
        raise ValueError(f"the mask lies in [{float(found.min()):g}, {float(found.max()):g}]; expected [0, 1]")
    return found


def _check_start(model: Model, images: Tensor, target: int) -> None:
    """The pictures without paint must not be of the target's class already."""
    with torch.no_grad():
        found = guard.logits(model, images, torch.tensor([target])).argmax(1)
    share = float((found == target).double().mean())
    if share >= 0.5:
        raise ValueError(
            f"target={target} is what the model sees without paint already, in {share:.0%} of {len(found)} pictures; "
            "choose another class than the sign's own"
        )


def _check_gradient(gradient: Tensor, step: int) -> None:
    if not math.isfinite(size := float(gradient.abs().sum())):
        raise ValueError("the gradient of the loss is NaN: the model's logits or weights are not finite")
    if step == 0 and size == 0:
        raise ValueError(
            "no painted pixel changes what the model says: is the mask in view in any picture? Look at one, and at the "
            "ranges of the transforms"
        )


def _penalty(
    painted: Tensor, seen: Tensor, mask: Tensor, norm: str, palette: Tensor | None, weights: dict[str, float]
) -> Tensor:
    """The terms that do not ask the model, in nats."""
    inside = (mask > 0).expand_as(painted)
    loss = painted.new_zeros(())
    if weights["norm"]:
        values = painted[inside]
        # a root has no slope at 0, where the attack starts
        size = values.abs().mean() if norm == "l1" else (values.square().mean() + 1e-12).sqrt()
        loss = loss + weights["norm"] * size
    if palette is not None and weights["printability"]:
        pixels = seen[:, :, inside[0].any(0)]
        loss = loss + weights["printability"] * non_printability(pixels, palette).sum() / pixels.shape[2]
    if weights["smoothness"]:
        loss = loss + weights["smoothness"] * total_variation(seen, inside)
    return loss


def total_variation(images: Tensor, inside: Tensor) -> Tensor:
    """The mean of |change| between neighbours that both lie ``inside`` (bool, the images' shape); 0 for none."""
    total, count = images.new_zeros(()), 0
    for axis in (2, 3):
        length = images.shape[axis]
        first, second = (slice(0, length - 1), slice(1, length))
        cut = [(slice(None),) * axis + (part,) for part in (first, second)]
        both = inside[cut[0]] & inside[cut[1]]
        total = total + (images[cut[1]] - images[cut[0]]).abs()[both].sum()
        count += int(both.sum())
    return total / max(1, count)
