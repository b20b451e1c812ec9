"""Expectation over transformation: one texture that is taken for another class in every pose, not in one picture."""

import hashlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from lecture13 import checkpoints, guard
from lecture13.attacks.checks import check_choice, check_number, check_target
from lecture13.attacks.lab import lab_distance
from lecture13.attacks.transfer import rmsd
from lecture13.guard import Bounds, Model

SAVE_EVERY = 20  # steps
WINDOW = 100  # new poses over which the success is estimated

#: What ``poses`` gives and ``render`` takes, of n poses: anything. This module only hands it on.
Views = Any
Render = Callable[[Tensor, Views], Tensor]


@torch.inference_mode(False)
def expectation(
    model: Model,
    render: Render,
    texture: Tensor,
    target: int,
    *,
    poses: Callable[[int, torch.Generator], Views] | Views,
    steps: int = 300,
    distance: str = "lab",
    distance_weight: float = 0.05,
    learning_rate: float = 0.02,
    batch_size: int = 40,
    fresh: int = 8,
    epsilon: float | None = None,
    success_rate: float | None = None,
    bounds: Bounds = (0.0, 1.0),
    checkpoint: Path | None = None,
    generator: torch.Generator | None = None,
    chunk_size: int | None = None,
) -> Tensor:
    """Make a texture that the model takes for ``target`` in every pose (Athalye et al. 2018, sections 2.1 and 3)::

        x* = argmax_x'  E_t[ log P(target | t(x')) ] − λ · E_t[ d(t(x'), t(x)) ]

    with t(x) the image of the texture x in the pose t, and d what a viewer sees of the change: the distance of the
    images, not of the textures. Each step estimates both expectations from a batch of poses, moves x' by Adam, and cuts
    it to the box. Since making poses is what costs, most of a batch is kept for the next step, as in the paper: of 40
    poses, 8 are new.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode.
        render: ``(texture, views) -> images (n, 3, H, W)`` in [0, 1], with a gradient to the texture, such as
            :func:`lecture13.render.solids.render`.
        texture: x, float ``(1, C, H, W)``, in ``bounds``.
        target: the class wanted.
        poses: ``(count, generator) -> views`` of so many new random poses, on the texture's device, such as
            :func:`lecture13.render.solids.camera` makes; or views with a length, indexed by a tensor, to draw from. An
            attack on a single view is ``poses=views[:1], batch_size=1, fresh=1``.
        steps: of Adam at most, ≥ 1.
        distance: d: ``"lab"``, the root mean square of ΔE over the pixels (the paper's ‖LAB(t(x')) − LAB(t(x))‖₂, but
            for a factor that depends on the image's size); or ``"rgb"``, :func:`lecture13.attacks.rmsd` in levels of
            0–255.
        distance_weight: λ ≥ 0, in nats per unit of d.
        learning_rate: of Adam: about what a texel moves in a step.
        batch_size: poses a step, ≥ 1.
        fresh: new poses a step; divides ``batch_size``, and equals it where none are to be kept.
        epsilon: largest change of a texel, in the texture's units; None: any within the box.
        success_rate: stop once the target was found in this share of the last 100 poses, each judged when it was new,
            before any step had seen it; None: all ``steps``.
        bounds: the box ``(low, high)`` of the texels; None: no box. (:func:`lecture13.render.solids.render` needs one
            within [0, 1].)
        checkpoint: a file to save to on the way, and to go on from; the result is that of a run in one go.
        generator: source of the poses; None: one seeded as ``torch.manual_seed`` was, the same at every call.
        chunk_size: images in one pass of the model, but ``fresh`` at least; None: as :func:`lecture13.attacks.fgsm`.

    Returns:
        x', ``(1, C, H, W)``, dtype and device of ``texture``.

    Raises:
        TypeError: a texture that is not floating, a target that is not an int, a number that is none.
        ValueError: a texture outside the box; a target that the model does not have, or that it sees in the original
            already in half of the poses; no poses, or such in none of which the texture can be seen; an unknown
            distance; counts or weights out of range; a render that does not give finite images; NaN gradients.
        checkpoints.CheckpointError: a checkpoint that is damaged, of another run, of more steps, or that cannot be
            written.
    """
    check_choice("distance", distance, tuple(_DISTANCES))
    distance_weight = check_number("distance_weight", distance_weight, unit="nats per unit of distance")
    learning_rate = guard.check_size("learning_rate", learning_rate)
    steps, batch_size = guard.check_count("steps", steps), guard.check_count("batch_size", batch_size)
    fresh = guard.check_count("fresh", fresh)
    if batch_size % fresh:
        raise ValueError(f"fresh={fresh} does not divide batch_size={batch_size}: of a batch, whole parts are replaced")
    if success_rate is not None:
        success_rate = check_number("success_rate", success_rate, high=1.0, open_low=True)
    bounds = guard.check_bounds(bounds)
    if epsilon is not None:
        epsilon = guard.check_epsilon(epsilon, bounds)
    if chunk_size is not None:
        chunk_size = guard.check_count("chunk_size", chunk_size)
    original = _check_texture(texture, bounds)
    check_target(target)
    _check_poses(poses)
    settings = {"target": target, "distance": distance, "distance_weight": distance_weight, "epsilon": epsilon}
    settings |= {"learning_rate": learning_rate, "batch_size": batch_size, "fresh": fresh, "bounds": bounds}
    with guard.frozen(model, original.device):
        scene = _Scene(model, render, poses, original, target, distance, fresh)
        run = _Run.start(scene, batch_size // fresh, guard.random_source(generator, original.device), settings)
        run.resume(checkpoint, steps)
        with tqdm(total=steps, initial=run.step, desc="expectation", leave=False, delay=1) as bar:
            while run.step < steps and not run.done(success_rate):
                run.forward(distance_weight, epsilon, bounds, chunk_size)
                bar.update()
                bar.set_postfix(new=f"{run.success:.0%}", refresh=False)  # a refresh overrules the delay
                if run.step % SAVE_EVERY == 0 or run.step == steps:
                    run.save()
            run.save()
    return run.point.detach().to(texture.dtype)


@torch.inference_mode(False)
def predict_poses(
    model: Model,
    render: Render,
    texture: Tensor,
    *,
    poses: Callable[[int, torch.Generator], Views] | Views,
    count: int,
    generator: torch.Generator | None = None,
    chunk_size: int | None = None,
) -> Tensor:
    """The class that the model gives to a texture in each of ``count`` poses, int64 ``(count,)``.

    Args:
        model, render, texture, chunk_size: as in :func:`expectation`; any values that ``render`` takes.
        poses: as in :func:`expectation`; views to draw from are taken in their order, the first ``count``.
        count: how many poses, ≥ 1.
        generator: source of the poses; None: one seeded as ``torch.manual_seed`` was. Another seed than the attack's
            gives poses that the attack has not seen.

    Raises:
        TypeError, ValueError: as :func:`expectation`; more poses than there are views.
    """
    count = guard.check_count("count", count)
    texture = _check_texture(texture, None)
    _check_poses(poses)
    if not callable(poses) and count > len(poses):
        raise ValueError(f"count={count} poses of {len(poses)} views; ask for as many at most")
    generator = guard.random_source(generator, texture.device)
    found = []
    with guard.frozen(model, texture.device), torch.no_grad():
        step = 64 if chunk_size is None else guard.check_count("chunk_size", chunk_size)
        for start in range(0, count, step):
            stop = min(start + step, count)
            views = poses(stop - start, generator) if callable(poses) else poses[torch.arange(start, stop)]
            images = _images(render(texture, views), stop - start)
            for part in guard.chunks(images, chunk_size):
                found.append(guard.logits(model, images[part]).argmax(1))
    return torch.cat(found)


_DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"lab": lab_distance, "rgb": rmsd}


@dataclass
class _Group:
    """Poses that came together, the original's images in them, and whether a step has used them."""

    views: Views
    before: Tensor
    used: bool = False


@dataclass(frozen=True)
class _Scene:
    """What does not change during a run."""

    model: Model
    render: Render
    poses: Any
    original: Tensor
    target: int
    distance: str
    fresh: int

    def group(self, seed: int) -> _Group:
        """New poses, a function of the seed."""
        generator = torch.Generator(self.original.device).manual_seed(seed)
        if callable(self.poses):
            views = self.poses(self.fresh, generator)
        else:
            index = torch.randint(len(self.poses), (self.fresh,), generator=generator, device=generator.device)
            views = self.poses[index.cpu()]  # what a view was drawn from may lie on the CPU
        with torch.no_grad():
            before = _images(self.render(self.original, views), self.fresh)
        if not bool(before.isfinite().all()):
            raise ValueError("render returned images that hold NaN or infinite values")
        return _Group(views, before)

    def bundles(self, groups: deque[_Group], chunk_size: int | None) -> Iterator[list[_Group]]:
        """Groups that go through the model together."""
        if chunk_size is None:
            chunk_size = min(256, 2_000_000 // groups[0].before[:1].numel())
        each = max(1, chunk_size // self.fresh)
        for start in range(0, len(groups), each):
            yield [groups[i] for i in range(start, min(start + each, len(groups)))]


class _Run:
    """Where a run stands. At step t its batch are the groups t … t + G − 1, each a function of its number."""

    def __init__(self, scene: _Scene, groups: int, seed: int, settings: dict):
        self.scene, self.count, self.seed, self.settings = scene, groups, seed, settings
        exact = torch.promote_types(scene.original.dtype, torch.float32)
        self.point = scene.original.to(exact, copy=True).requires_grad_()
        self.adam = torch.optim.Adam([self.point], lr=settings["learning_rate"])
        self.groups: deque[_Group] = deque(maxlen=groups)
        self.recent: deque[bool] = deque(maxlen=WINDOW)
        self.step, self.path, self.began = 0, None, time.monotonic()
        self.first: Tensor  # the model's logits of the original in the first poses

    @classmethod
    def start(cls, scene: _Scene, groups: int, generator: torch.Generator, settings: dict) -> "_Run":
        """At step 0; the original must not be of the target's class already."""
        seed = int(torch.randint(2**31, (1,), generator=generator, device=generator.device))
        run = cls(scene, groups, seed, settings | {"seed": seed})
        run.groups.extend(scene.group(seed + number) for number in range(groups))
        with torch.no_grad():
            target = torch.tensor([scene.target], device=scene.original.device)
            run.first = torch.cat([guard.logits(scene.model, group.before, target) for group in run.groups])
        found = run.first.argmax(1)
        share = float((found == scene.target).double().mean())
        if share >= 0.5:
            raise ValueError(
                f"target={scene.target} is what the model sees in the original texture already, in {share:.0%} of "
                f"{len(found)} poses; choose another class"
            )
        run.settings["data"] = _fingerprint(scene.original)
        return run

    def resume(self, path: Path | None, steps: int) -> None:
        """Go on from the checkpoint, if there is one."""
        if path is None:
            return
        self.path = Path(path)
        checkpoints.writable(self.path.parent)
        saved = checkpoints.load(self.path, self.settings)
        if saved is None:
            return
        state = saved.state["expectation"]
        if saved.step > steps:
            raise checkpoints.CheckpointError(
                f"the checkpoint {path} stands at step {saved.step}, beyond steps={steps}; ask for as many, or give "
                "another checkpoint"
            )
        apart = (state["first"].to(self.first) - self.first).abs().max()
        if not apart <= 0.01 * self.first.abs().max():  # less is another machine's rounding
            raise checkpoints.CheckpointError(
                f"the checkpoint {path} is of a run with another model, render or poses: they gave other logits for "
                "the original. Give another checkpoint, or delete it to start again"
            )
        with torch.no_grad():
            self.point.copy_(state["point"])
        self.adam.load_state_dict(state["adam"])
        self.recent.extend(state["recent"])
        self.step, self.began = saved.step, self.began - saved.seconds
        numbers = range(self.step, self.step + self.count)
        if self.step:
            self.groups = deque((self.scene.group(self.seed + n) for n in numbers), maxlen=self.count)
            for group in list(self.groups)[:-1]:
                group.used = True

    def save(self) -> None:
        if self.path is None:
            return
        state = {"point": self.point.detach(), "adam": self.adam.state_dict(), "recent": list(self.recent)}
        state["first"] = self.first
        seconds = time.monotonic() - self.began
        settings = checkpoints.plain(self.settings)
        checkpoints.save(self.path, checkpoints.Checkpoint(self.step, settings, {"expectation": state}, {}, seconds))

    @property
    def success(self) -> float:
        """The share of the last new poses in which the target was seen."""
        return sum(self.recent) / max(1, len(self.recent))

    def done(self, success_rate: float | None) -> bool:
        return success_rate is not None and len(self.recent) == WINDOW and self.success >= success_rate

    def forward(self, weight: float, epsilon: float | None, bounds: Bounds, chunk_size: int | None) -> None:
        """One step of Adam, and new poses for the oldest."""
        scene, total = self.scene, self.count * self.scene.fresh
        gradient = torch.zeros_like(self.point)
        for bundle in scene.bundles(self.groups, chunk_size):
            with torch.enable_grad():
                texture = self.point.to(scene.original.dtype)
                images = torch.cat([_images(scene.render(texture, group.views), scene.fresh) for group in bundle])
                if not images.requires_grad:
                    raise ValueError("the images do not depend on the texture through a gradient; is it detached?")
                logits = guard.logits(scene.model, images)
                if not logits.requires_grad:
                    raise ValueError("the model's logits do not depend on the images through a gradient")
                logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
                loss = -logits.log_softmax(1)[:, scene.target]
                if weight:
                    before = torch.cat([group.before for group in bundle])
                    loss = loss + weight * _DISTANCES[scene.distance](images, before)
            (part,) = torch.autograd.grad(loss.sum() / total, self.point)
            gradient += part
            for group, hit in zip(bundle, (logits.argmax(1) == scene.target).split(scene.fresh), strict=True):
                if not group.used:
                    self.recent.extend(hit.tolist())
                    group.used = True
        if not math.isfinite(size := float(gradient.abs().sum())):
            raise ValueError("the gradient of the loss is NaN: the model's logits or weights are not finite")
        if self.step == 0 and size == 0:
            raise ValueError(
                f"in none of {total} poses does a texel change what the model says: is the object in view at all? Look "
                "at a render, and at the ranges of the poses"
            )
        self.point.grad = gradient
        self.adam.step()
        with torch.no_grad():
            if epsilon is not None:
                self.point.clamp_(scene.original - epsilon, scene.original + epsilon)
            if bounds is not None:
                self.point.clamp_(*bounds)
        self.step += 1
        self.groups.append(scene.group(self.seed + self.step + self.count - 1))


def _images(images: Tensor, count: int) -> Tensor:
    """What ``render`` gave, if it is ``count`` images."""
    if not isinstance(images, Tensor) or images.ndim != 4 or len(images) != count or not images.is_floating_point():
        kind = f"{images.dtype} {tuple(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(f"render returned {kind} for {count} poses; expected floating images ({count}, C, H, W)")
    return images


def _check_poses(poses: object) -> None:
    if not callable(poses) and not (hasattr(poses, "__len__") and len(poses)):
        kind = "no views" if hasattr(poses, "__len__") else type(poses).__name__
        raise ValueError(f"poses is {kind}; expected (count, generator) -> views, or one view or more to draw from")


def _check_texture(texture: Tensor, bounds: Bounds) -> Tensor:
    texture = guard.check_images(texture, bounds)
    if texture.ndim != 4 or len(texture) != 1:
        raise ValueError(f"the texture has shape {tuple(texture.shape)}; expected (1, C, H, W)")
    return texture


def _fingerprint(texture: Tensor) -> str:
    """Of the texture, so that no checkpoint goes on with another."""
    return hashlib.sha256(texture.cpu().double().contiguous().numpy().tobytes()).hexdigest()[:16]
