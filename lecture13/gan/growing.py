"""Progressive growing: which resolution, α and batch belong to an iteration, and the training that follows them.

Karras et al. 2018, Appendix A: 4×4 first; then at each doubling the new layers are faded in while some images are
shown, and the nets settle while some more are. All layers learn throughout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

import torch
from torch import Tensor

from lecture13.gan import nets
from lecture13.gan.engine import History, Options, adam
from lecture13.gan.progressive import Critic, Generator, downsample, resolutions, upsample
from lecture13.gan.samplers import from_bytes
from lecture13.gan.training import wgan_gp

#: Adam as in Appendix A.1: step size α, β₁ and β₂, ε.
RATE, BETAS, EPSILON = 1e-3, (0.0, 0.99), 1e-8
#: Minibatches of the paper: 16, and less where the memory of its GPUs was full.
PAPER_BATCH: Mapping[int, int] = {256: 14, 512: 6, 1024: 3}


@dataclass(frozen=True)
class Level:
    """A resolution: shown ``fade`` images while it is faded in, then ``settle`` more, ``batch`` an iteration.

    ``rate`` is Adam's step size there. With an equalised rate a weight moves by about that much of its initial spread
    in a step: a level of few steps needs a larger one than the paper's.
    """

    size: int
    fade: int
    settle: int
    batch: int = 16
    rate: float = RATE

    @property
    def steps(self) -> int:
        """Iterations, each phase rounded up to whole minibatches."""
        return -(-self.fade // self.batch) - (-self.settle // self.batch)


@dataclass(frozen=True)
class Stage:
    """Where a training stands before an iteration.

    Args:
        size: the resolution.
        alpha: how far it is faded in, in [0, 1].
        batch: images in the minibatch.
        rate: Adam's step size.
        images: real images that were shown before.
        first: whether this is the first iteration of its level.
    """

    size: int
    alpha: float
    batch: int
    rate: float
    images: int
    first: bool


@dataclass(frozen=True)
class Schedule:
    """Levels in turn, each of twice the resolution of the one before: ``schedule.at(index)``, a pure function.

    The first level is not faded in; if it is the only one, nothing grows.

    Raises:
        ValueError: no level, a resolution that is no power of two or not twice the one before, counts out of range.
    """

    levels: tuple[Level, ...]

    def __post_init__(self):
        if not self.levels:
            raise ValueError("a schedule without levels; expected at least one")
        for here, level in enumerate(self.levels):
            resolutions(level.size)
            if here and level.size != 2 * self.levels[here - 1].size:
                raise ValueError(f"{level.size} after {self.levels[here - 1].size}; expected twice the resolution")
            if level.batch < 1 or level.fade < 0 or level.settle < 0 or level.steps < 1 or not level.rate > 0:
                raise ValueError(f"{level}; expected a batch of 1 or more, a positive rate, and images to show")
        if self.levels[0].fade:
            raise ValueError(f"{self.levels[0]} is the first: there is nothing to fade from; expected fade=0")

    @property
    def steps(self) -> int:
        """Iterations of all levels."""
        return sum(level.steps for level in self.levels)

    def end(self, size: int) -> int:
        """The number of iterations after which the level of ``size`` is over."""
        sizes = [level.size for level in self.levels]
        if size not in sizes:
            raise ValueError(f"no level of {size!r}; this schedule has {', '.join(map(str, sizes))}")
        return sum(level.steps for level in self.levels[: sizes.index(size) + 1])

    def at(self, index: int) -> Stage:
        """The stage of the iteration ``index``, counted from 0; beyond the end the last level goes on."""
        if index < 0:
            raise ValueError(f"iteration {index}; expected 0 or more")
        images = 0
        for level in self.levels:
            if index < level.steps or level is self.levels[-1]:
                break
            index, images = index - level.steps, images + level.steps * level.batch
        alpha = min(1.0, index * level.batch / level.fade) if level.fade else 1.0
        return Stage(level.size, alpha, level.batch, level.rate, images + index * level.batch, index == 0)


def paper_schedule(size: int, images: int = 800_000) -> Schedule:
    """The paper's: ``images`` to fade each level in and as many to settle, in its minibatches (Appendix A)."""
    return Schedule(
        tuple(Level(here, images * (here > 4), images, PAPER_BATCH.get(here, 16)) for here in resolutions(size))
    )


def at_stage(images: Tensor, size: int, alpha: float = 1.0) -> Tensor:
    """Real images (N, C, S, S) as a net at ``size``, faded in by ``alpha``, would draw them: (N, C, size, size).

    Shrunk by the box filter; at α < 1 mixed with what is left at half the resolution.
    """
    whole = images.shape[-1]
    if size > whole or images.shape[-2] != whole or whole % size:
        raise ValueError(
            f"images of {images.shape[-2]}×{whole} for a net at {size}; expected squares, a multiple of it"
        )
    x = torch.nn.functional.avg_pool2d(images, whole // size) if whole > size else images
    return x if alpha == 1.0 else torch.lerp(upsample(downsample(x)), x, alpha)


def grow(
    G: Generator,
    D: Critic,
    images: Tensor,
    schedule: Schedule,
    *,
    steps: int | None = None,
    penalty: float = 10.0,
    drift_weight: float = 0.001,
    mirror: bool = True,
    settings: Mapping[str, Any] | None = None,
    **engine: Unpack[Options],
) -> History:
    """Train by WGAN-GP with drift, one critic step an iteration, growing by ``schedule`` (Karras et al. 2018).

    Before each iteration both nets are set to its stage, and the real images are shrunk and faded to it. Where a level
    begins, Adam forgets its moments. All of it follows from the iteration's index, so a run that was killed inside a
    fade ends as if it had not been.

    Args:
        G, D: nets that have the schedule's resolutions; they end at its last stage, and so does the average.
        images: (N, C, S, S) bytes, S at least the schedule's largest resolution.
        schedule: what is shown when.
        steps: iterations; None takes the schedule's.
        penalty, drift_weight: λ of the gradient penalty and the weight of mean D(x)².
        mirror: turn half of the images left to right.
        settings, engine: see :class:`~lecture13.gan.engine.Options`; ``average`` is .999 unless given, ``before`` and
            the learning rule are taken.

    Returns:
        As :func:`~lecture13.gan.training.wgan_gp`.

    Raises:
        ValueError: nets or images without the schedule's resolutions; and as ``wgan_gp``.
    """
    for level in schedule.levels:
        G.set_stage(level.size), D.set_stage(level.size)
    at_stage(images[:1].float(), schedule.levels[-1].size)
    seed, optimizers = engine.get("seed", 0), []
    shown = from_bytes(images, mirror=mirror, seed=seed)

    def rule(parameters) -> torch.optim.Optimizer:
        optimizers.append(adam(parameters, lr=RATE, betas=BETAS, eps=EPSILON))
        return optimizers[-1]

    def before(index: int) -> None:
        stage = schedule.at(index)
        for net in (G, D):
            net.set_stage(stage.size, stage.alpha)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = stage.rate
            if stage.first:
                optimizer.state.clear()

    def examples(number: int, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        return (at_stage(*shown(number, count, generator), D.size, D.alpha),)

    before(0)  # what is recorded before the first iteration is of its stage
    history = wgan_gp(
        G,
        D,
        examples,
        nets.normal(G.noise),
        steps=steps or schedule.steps,
        n_critic=1,
        penalty=penalty,
        drift_weight=drift_weight,
        batch=lambda index: schedule.at(index).batch,
        rule=rule,
        before=before,
        settings={
            **(settings or {}),
            "levels": [list(vars(level).values()) for level in schedule.levels],
            "penalty": penalty,
            "drift": drift_weight,
            "mirror": mirror,
        },
        **{"average": 0.999, "description": "growing", **engine},
    )
    last = schedule.at((steps or schedule.steps) - 1)
    for net in (G, D, history.average):
        if net is not None:
            net.set_stage(last.size, last.alpha)
    return history
