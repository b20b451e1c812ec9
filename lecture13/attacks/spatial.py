"""Rotations and translations as an attack: the worst pose of each image, found by trying or by following gradients."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.attacks.axes import centred
from lecture13.attacks.calling import Attack, call
from lecture13.attacks.checks import check_choice, check_number
from lecture13.attacks.gradient import margin_loss
from lecture13.attacks.rigid import check_pictures, rotate_and_translate, set_on_canvas
from lecture13.guard import Model


@dataclass(frozen=True)
class SpatialAttack:
    """The pose found for each image: rotated by ``angle``, then moved by ``shift``."""

    #: ``(N, C, H, W)``, larger than what was given with ``padding="black-canvas"``.
    images: Tensor
    #: degrees, clockwise, ``(N,)``.
    angle: Tensor
    #: pixels to the right and down, ``(N, 2)``.
    shift: Tensor


@torch.inference_mode(False)
def spatial(
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    max_rotation: float = 30.0,
    max_translation: float = 0.1,
    method: str = "grid",
    padding: str = "zeros",
    grid: tuple[int, int, int] = (5, 5, 31),
    tries: int = 10,
    steps: int = 50,
    first_success: bool = False,
    then: Attack | None = None,
    generator: torch.Generator | None = None,
    chunk_size: int | None = None,
) -> SpatialAttack:
    """Rotate and translate each image so that it is misclassified (Engstrom et al. 2018, section 3).

    Every image gets a pose of its own. Of the poses tried it keeps the worst: a misclassified one before any other,
    then the one of highest loss. So a finer grid that holds the coarser one, or more tries from the same generator, is
    never weaker. Images that are misclassified already are treated like all others.

    - ``"grid"``: all combinations of 5 × 5 translations and 31 rotations, 775 poses, ends and middle included.
    - ``"worst-of-k"``: ``tries`` uniformly random poses.
    - ``"first-order"``: from a random pose, ``steps`` signed gradient steps of 2.5/steps of the limits on angle and
      shift, kept within the limits. The landscape is so far from concave that this finds much less than the grid.

    To combine it with an attack on the pixels, ``then=partial(attacks.pgd, epsilon=8 / 255)`` runs that attack in every
    pose tried, before the pose is judged.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode.
        images: float ``(N, C, H, W)`` in which 0 is black.
        labels: int64 ``(N,)``: the true classes.
        max_rotation: degrees either way, in [0, 180].
        max_translation: share of the image's width and height either way, in [0, 1]. Not rounded to whole pixels.
        method: as above.
        padding: ``"zeros"``: what moves out of the frame is lost, what comes in is black. ``"black-canvas"``: the
            images are set on a canvas on which nothing is lost; for this the model must take larger images.
        grid: number of horizontal and vertical translations and of rotations.
        tries: k of ``"worst-of-k"``.
        steps: of ``"first-order"``.
        first_success: stop trying poses for an image once it is misclassified: the first such pose, not the worst. The
            grid then starts with the largest motions, which succeed most often.
        then: an attack ``(model, images, labels) -> images`` on the images in their pose.
        generator: source of random poses; None: one seeded as ``torch.manual_seed`` was, the same at every call.
        chunk_size: images in one pass, poses of one image counted as images; None: as many as hold about 2 million
            values, at most 256.

    Returns:
        A :class:`SpatialAttack`, on the images' device; angle and shift are in float32 at least.

    Raises:
        TypeError: images that are not floating, labels that are not int64, a limit that is not a number.
        ValueError: NaN images, labels or limits out of range, an unknown method or padding, a grid that is not three
            counts, tries or steps below 1, or a model that does not return (N, K), or does not take images of the
            canvas's size.
    """
    check_choice("method", method, ("grid", "worst-of-k", "first-order"))
    check_choice("padding", padding, ("zeros", "black-canvas"))
    max_rotation = check_number("max_rotation", max_rotation, high=180.0, unit="degrees")
    max_translation = check_number("max_translation", max_translation, high=1.0, unit="of the image's sides")
    if not isinstance(grid, tuple | list) or len(grid) != 3:
        raise ValueError(f"grid={grid!r}; expected three counts: horizontal, vertical translations, rotations")
    grid = tuple(guard.check_count(f"grid[{axis}]", count) for axis, count in enumerate(grid))
    tries, steps = guard.check_count("tries", tries), guard.check_count("steps", steps)
    images = check_pictures(images)
    labels = guard.check_labels(labels, images)
    max_shift = (max_translation * images.shape[3], max_translation * images.shape[2])
    if padding == "black-canvas":
        images = set_on_canvas(model, images, max_rotation, max_shift)
    generator = guard.random_source(generator, images.device)

    exact = torch.promote_types(images.dtype, torch.float32)
    limits = torch.tensor([max_rotation, *max_shift], dtype=exact, device=images.device)
    worst = _Worst(images, labels, limits, then)
    # drawn for the whole batch at once, so that the result does not depend on chunk_size
    if method == "grid":
        poses = _grid(grid).to(limits).expand(len(images), -1, -1)
    else:
        count = tries if method == "worst-of-k" else 1
        poses = torch.stack([_draw(len(images), generator) for _ in range(count)], dim=1).to(limits)
    with guard.frozen(model, images.device):
        for part in guard.chunks(images, chunk_size):
            index = torch.arange(len(images), device=images.device)[part]
            if method == "first-order":
                _climb(model, worst, index, poses[part, 0], steps, first_success)
            else:
                for left, offered in _groups(index, poses, part.stop - part.start, worst, first_success):
                    with torch.no_grad():
                        worst.offer(model, left, offered)
    return worst.found()


class _Worst:
    """The worst pose seen for each image: misclassified before not, then by the loss. Poses: shares of the limits."""

    def __init__(self, images: Tensor, labels: Tensor, limits: Tensor, then: Attack | None):
        self.images, self.labels, self.limits, self.then = images, labels, limits, then
        self.moved = images.clone()
        self.poses = torch.zeros(len(images), 3, dtype=limits.dtype, device=images.device)
        self.fooled = torch.zeros_like(labels, dtype=torch.bool)
        self.loss = torch.full(labels.shape, -torch.inf, dtype=limits.dtype, device=images.device)

    def move(self, index: Tensor, poses: Tensor) -> Tensor:
        """The images ``index (B,)`` in ``poses (B, 3)``."""
        angle, right, down = (poses * self.limits).unbind(1)
        return rotate_and_translate(self.images[index], angle, torch.stack([right, down], 1))

    def offer(self, model: Model, index: Tensor, poses: Tensor) -> None:
        """Try ``poses (B, G, 3)`` on the images ``index (B,)``, and keep the worst of these and the one had."""
        group = poses.shape[1]
        each = index.repeat_interleave(group)
        moved = self.move(each, poses.flatten(0, 1))
        if self.then is not None:
            moved = call(self.then, model, moved, self.labels[each])
        self.judge(index, poses, moved, guard.logits(model, moved, self.labels[each]))

    def judge(self, index: Tensor, poses: Tensor, moved: Tensor, logits: Tensor) -> None:
        """As :meth:`offer`, for images ``moved`` that the model has seen already."""
        labels = self.labels[index].repeat_interleave(poses.shape[1])
        loss = margin_loss(logits, labels)[0].to(self.loss).view(len(index), -1)
        fooled = (logits.argmax(1) != labels).view(len(index), -1) & ~loss.isnan()
        loss = loss.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)  # argmax would choose a NaN
        # where any pose fools, only those that do stand for choice
        best = torch.where(fooled == fooled.any(1, keepdim=True), loss, -torch.inf).argmax(1, keepdim=True)
        loss, fooled = loss.gather(1, best)[:, 0], fooled.gather(1, best)[:, 0]
        ahead = torch.where(fooled == self.fooled[index], loss > self.loss[index], fooled)
        place, best = index[ahead], best[ahead, 0]
        self.loss[place], self.fooled[place] = loss[ahead], fooled[ahead]
        self.poses[place] = poses[ahead, best]
        self.moved[place] = moved.view(len(index), -1, *moved.shape[1:])[ahead, best]

    def found(self) -> SpatialAttack:
        """The result. Raises ValueError where no loss was a number."""
        if bool(self.loss.isneginf().any()):
            raise ValueError("the loss is NaN in every pose: the model's logits or weights are not finite")
        poses = self.poses * self.limits
        return SpatialAttack(self.moved, poses[:, 0], poses[:, 1:])


def _grid(counts: tuple[int, int, int]) -> Tensor:
    """All poses ``(T, 3)`` of angle, right and down, as shares of the limits, the largest motions first."""
    right, down, angle = (centred(count, 1.0) for count in counts)
    poses = torch.cartesian_prod(angle, right, down)
    return poses[poses.square().sum(1).argsort(descending=True, stable=True)]


def _draw(count: int, generator: torch.Generator) -> Tensor:
    """One uniform pose for each of ``count`` images, ``(N, 3)`` in [−1, 1]. One draw a try: more tries begin alike."""
    return torch.rand(count, 3, generator=generator, device=generator.device).mul_(2).sub_(1)


def _groups(
    index: Tensor, poses: Tensor, size: int, worst: _Worst, first_success: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """The images still to be attacked, and their next ``poses (N, T, 3)``: as many as make about ``size`` images."""
    start = 0
    while start < poses.shape[1] and len(index):
        stop = start + max(1, size // len(index))
        yield index, poses[index, start:stop]
        start = stop
        if first_success:
            index = index[~worst.fooled[index]]


def _climb(model: Model, worst: _Worst, index: Tensor, poses: Tensor, steps: int, first_success: bool) -> None:
    """Signed gradient ascent on ``poses (B, 3)``: ``p ← clip(p + α·sign(∇_p m))``. Every pose on the way is judged."""
    for step in range(steps + 1):
        poses = poses.detach().requires_grad_()
        with torch.enable_grad():
            moved = worst.move(index, poses)
            logits = guard.logits_with_graph(model, moved, worst.labels[index])
        _, towards = margin_loss(logits.detach(), worst.labels[index])
        if worst.then is None:
            worst.judge(index, poses.detach()[:, None], moved.detach(), logits.detach())
        else:
            with torch.no_grad():
                worst.offer(model, index, poses.detach()[:, None])
        if step == steps:
            return
        (gradient,) = torch.autograd.grad(logits, poses, towards.to(logits))
        poses = (poses.detach() + 2.5 / steps * gradient.sign()).clamp_(-1, 1)
        if first_success:
            left = ~worst.fooled[index]
            index, poses = index[left], poses[left]
            if not len(index):
                return
