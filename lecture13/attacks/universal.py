"""One perturbation for all images: the sum of what an inner attack adds image after image, kept within a ball."""

import hashlib
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from lecture13 import checkpoints, guard
from lecture13.attacks import descent
from lecture13.attacks.balls import BALLS
from lecture13.attacks.calling import Attack, call
from lecture13.attacks.checks import check_choice, check_number
from lecture13.attacks.deepfool import deepfool
from lecture13.guard import Bounds, Model

SAVE_EVERY = 50  # batches


@torch.inference_mode(False)
def universal(
    model: Model,
    images: Tensor,
    *,
    epsilon: float,
    norm: str = "linf",
    fooling_rate: float = 0.8,
    max_passes: int = 10,
    method: str = "algorithm-1",
    attack: Attack | None = None,
    batch_size: int = 32,
    bounds: Bounds = (0.0, 1.0),
    checkpoint: Path | None = None,
    generator: torch.Generator | None = None,
    chunk_size: int | None = None,
) -> Tensor:
    """One perturbation v that changes the class of most images (Moosavi-Dezfooli et al. 2017, Algorithm 1).

    Pass after pass through the shuffled images, for those that v does not fool yet::

        Δv_i = the inner attack's change of x_i + v        v ← P_{p,ξ}(v + Σ_i Δv_i)

    with P the projection onto ``‖v‖_p ≤ ξ`` and the sum over a batch, all attacked at the same v: with
    ``batch_size=1`` this is Algorithm 1; larger batches make one pass of the model for many images, and on small nets
    fool more of them in a pass too. After each pass the fooling rate on ``images`` is measured; the first v that
    reaches ``fooling_rate`` is the result, else the best one of all passes, so more passes are never worse. How well it
    does on other images says :func:`measure_fooling`.

    With ``method="descent"`` a batch moves v by one step of stochastic gradient descent instead, with momentum, down
    the mean margin of its images (after Shafahi et al. 2020, *Universal adversarial training*;
    :mod:`lecture13.attacks.descent`)::

        m ← .9·m + ∇_v mean_i max(margin(x_i + v), −3)        v ← P_{p,ξ}(v − α_t·direction(m))

    with the sign or the unit vector as direction and α_t falling from ξ/10 to 0. It costs one forward and one backward
    pass a batch, and fools more images that it has not seen.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode.
        images: float ``(N, C, H, W)``, in ``bounds``, N ≥ 1. No labels: an image is fooled where its class differs from
            the one predicted for it unperturbed, right or wrong.
        epsilon: ξ > 0, the radius, in the images' units. (The paper's ξ = 10 on the 0–255 scale is ``10 / 255``.)
        norm: p: ``"linf"`` or ``"l2"``.
        fooling_rate: 1 − δ, in (0, 1], at which to stop.
        max_passes: passes through the images at most, ≥ 1.
        method: ``"algorithm-1"``, the paper's, or ``"descent"``.
        attack: the inner attack ``(model, images, labels) -> images``, or without labels; None, as in the paper:
            DeepFool (ℓ2) of 10 iterations. Small FGSM steps, ``partial(attacks.fgsm, epsilon=epsilon / 20,
            bounds=None)``, cost a tenth of it. Not for ``"descent"``, which has none.
        batch_size: images attacked at the same v, ≥ 1.
        bounds: the box that perturbed images are cut to before the model sees them; None: they are not cut.
        checkpoint: a file to save to on the way, and to go on from; the result is that of a run in one go.
        generator: source of the shuffling; None: one seeded as ``torch.manual_seed`` was, the same at every call.
        chunk_size: images in one pass where only predictions are made; None: as :func:`lecture13.attacks.fgsm`.

    Returns:
        v, ``(1, C, H, W)``, dtype and device of ``images``; to be added and cut to the box.

    Raises:
        TypeError: images that are not floating, an epsilon or a rate that is no number.
        ValueError: no images, NaN images, images outside the box, an unknown norm, epsilon, rate or counts out of
            range, an attack that returns something else than images, or a model that does not return (N, K).
        checkpoints.CheckpointError: a checkpoint that is damaged, or of another run, or that cannot be written.
    """
    check_choice("norm", norm, tuple(BALLS))
    check_choice("method", method, ("algorithm-1", "descent"))
    if method == "descent" and attack is not None:
        raise ValueError(f"attack={attack!r} with method='descent', which has no inner attack; leave it out")
    bounds = guard.check_bounds(bounds)
    epsilon = guard.check_size("epsilon", guard.check_epsilon(epsilon, bounds if norm == "linf" else None))
    fooling_rate = check_number("fooling_rate", fooling_rate, high=1.0, open_low=True)
    max_passes = guard.check_count("max_passes", max_passes)
    batch_size = guard.check_count("batch_size", batch_size)
    images = guard.check_images(images, bounds)
    if not len(images):
        raise ValueError("there are no images; expected one or more, from which the perturbation is made")
    attack = partial(deepfool, max_iterations=10) if attack is None else attack
    with guard.frozen(model, images.device):
        predicted = _predict(model, images, None, bounds, chunk_size)
        settings = {"epsilon": epsilon, "norm": norm, "batch_size": batch_size, "bounds": bounds}
        settings |= {"method": method, "data": _fingerprint(images, predicted)}
        if method == "descent":
            settings["max_passes"] = max_passes  # the length of a step depends on it
        run = _Run.start(images, guard.random_source(generator, images.device), settings, checkpoint)
        batches = -(-len(images) // batch_size)
        zero = torch.zeros_like(run.v)
        with tqdm(
            total=max_passes * batches, initial=run.step, desc="universal", unit="batch", leave=False, delay=1
        ) as bar:
            while run.best_rate < fooling_rate and run.step < max_passes * batches:
                index = run.order(len(images), batches).split(batch_size)[run.step % batches].to(images.device)
                here, classes = images[index], predicted[index]
                if method == "descent":
                    length = epsilon * descent.FIRST * (1 - run.step / (max_passes * batches))
                    change, run.momentum = descent.descend(
                        model, here, classes, run.v, run.momentum, length, norm, bounds
                    )
                else:
                    change = _change(model, attack, here, classes, run.v, bounds)
                run.v = BALLS[norm](zero, epsilon, None).project(run.v + change)
                run.step += 1
                bar.update()
                if run.step % batches == 0:
                    run.keep(_fooled(model, images, predicted, run.v, bounds, chunk_size))
                    bar.set_postfix(fooled=f"{run.best_rate:.1%}", refresh=False)  # a refresh overrules the delay
                if run.step % batches == 0 or run.step % SAVE_EVERY == 0:
                    run.save()
    return run.best.to(images.dtype)


@torch.inference_mode(False)
def measure_fooling(
    model: Model,
    images: Tensor,
    perturbation: Tensor,
    *,
    bounds: Bounds = (0.0, 1.0),
    chunk_size: int | None = None,
) -> float:
    """The fooling rate of a perturbation: the share of ``images`` whose predicted class it changes, in [0, 1].

    Args:
        model, images, bounds, chunk_size: as in :func:`universal`.
        perturbation: ``(1, C, H, W)``, or one for each image.

    Raises:
        TypeError, ValueError: as :func:`universal`; a perturbation of another shape.
    """
    bounds = guard.check_bounds(bounds)
    images = guard.check_images(images, bounds)
    if not len(images):
        raise ValueError("there are no images; expected one or more, on which to measure")
    if perturbation.shape[1:] != images.shape[1:] or len(perturbation) not in (1, len(images)):
        raise ValueError(
            f"the perturbation has shape {tuple(perturbation.shape)} and images {tuple(images.shape)}; expected "
            f"{(1, *images.shape[1:])}, or one for each image"
        )
    with guard.frozen(model, images.device):
        predicted = _predict(model, images, None, bounds, chunk_size)
        return _fooled(model, images, predicted, perturbation.detach().to(images.device), bounds, chunk_size)


@dataclass
class _Run:
    """Where a run stands: all that a checkpoint holds."""

    v: Tensor
    best: Tensor
    momentum: Tensor
    best_rate: float
    step: int
    seed: int
    settings: dict
    path: Path | None
    began: float

    @classmethod
    def start(cls, images: Tensor, generator: torch.Generator, settings: dict, path: Path | None) -> "_Run":
        """From the checkpoint, if there is one, else from v = 0."""
        v = torch.zeros_like(images[:1], dtype=torch.promote_types(images.dtype, torch.float32))
        seed = int(torch.randint(2**31, (1,), generator=generator, device=generator.device))
        run = cls(
            v, v.clone(), v.clone(), 0.0, 0, seed, settings | {"seed": seed}, path and Path(path), time.monotonic()
        )
        if run.path is not None:
            checkpoints.writable(run.path.parent)
            if (saved := checkpoints.load(run.path, run.settings, images.device)) is not None:
                state = saved.state["universal"]
                run.v, run.best, run.momentum = state["v"], state["best"], state["momentum"]
                run.best_rate, run.step = state["best_rate"], saved.step
                run.began -= saved.seconds
        return run

    def order(self, count: int, batches: int) -> Tensor:
        """This pass's shuffling, from a seed of its own, so that a run can go on in the midst of a pass."""
        return torch.randperm(count, generator=torch.Generator().manual_seed(self.seed + self.step // batches))

    def keep(self, rate: float) -> None:
        if rate > self.best_rate:
            self.best, self.best_rate = self.v.clone(), rate

    def save(self) -> None:
        if self.path is not None:
            state = {"v": self.v, "best": self.best, "momentum": self.momentum, "best_rate": self.best_rate}
            checkpoint = checkpoints.Checkpoint(
                self.step, checkpoints.plain(self.settings), {"universal": state}, {}, time.monotonic() - self.began
            )
            checkpoints.save(self.path, checkpoint)


def _change(model: Model, attack: Attack, images: Tensor, predicted: Tensor, v: Tensor, bounds: Bounds) -> Tensor:
    """``Σ Δv_i`` over the images that ``v`` does not fool yet, ``(1, C, H, W)``; 0 if it fools all."""
    points = _perturb(images, v, bounds)
    with torch.no_grad():
        left = guard.logits(model, points).argmax(1) == predicted
    if not bool(left.any()):
        return torch.zeros_like(v)
    points = points[left]
    moved = call(attack, model, points, predicted[left])
    return (moved.to(v) - points.to(v)).sum(0, keepdim=True)


def _perturb(images: Tensor, v: Tensor, bounds: Bounds) -> Tensor:
    points = images + v.to(images.dtype)
    return points if bounds is None else points.clamp_(*bounds)


def _predict(model: Model, images: Tensor, v: Tensor | None, bounds: Bounds, chunk_size: int | None) -> Tensor:
    """The classes ``(N,)`` of the images, perturbed by ``v`` if there is one."""
    found = []
    with torch.no_grad():
        for part in guard.chunks(images, chunk_size):
            here = v if v is None or len(v) == 1 else v[part]
            points = images[part] if here is None else _perturb(images[part], here, bounds)
            logits = guard.logits(model, points)
            if bool(logits.isnan().any()):
                raise ValueError("the model's logits hold NaN: are its weights finite?")
            found.append(logits.argmax(1))
    return torch.cat(found)


def _fooled(
    model: Model, images: Tensor, predicted: Tensor, v: Tensor, bounds: Bounds, chunk_size: int | None
) -> float:
    """The share of images whose class is not the one predicted."""
    return float((_predict(model, images, v, bounds, chunk_size) != predicted).double().mean())


def _fingerprint(images: Tensor, predicted: Tensor) -> str:
    """Of the images and of what the model says to them, so that no checkpoint goes on with others."""
    content = images.cpu().double().contiguous().numpy().tobytes() + predicted.cpu().numpy().tobytes()
    return hashlib.sha256(content).hexdigest()[:16]
