"""One architecture trained by one method, and what was measured: a cell of Figure 2, a curve of Figure 3."""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lecture13.gan import architectures, nets, samplers, sampling
from lecture13.gan.methods import Method

Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Budget:
    """How large the nets are and how long they train. Every field decides the result.

    Args:
        size, width, depth: of the nets, see :func:`lecture13.gan.architectures.build`.
        batch: samples in a minibatch.
        steps: iterations of the generator under methods with several critic steps.
        single: times as many under methods with one critic step, whose iterations are cheaper.
        speed: factor on every method's learning rate.
        images: training images.
        samples: drawn from the generator at the end.
    """

    size: int
    width: int
    depth: int
    batch: int
    steps: int
    single: int
    speed: float
    images: int
    samples: int

    def iterations(self, method: Method) -> int:
        """Generator iterations of a method."""
        return self.steps * (1 if method.critic_steps > 1 else self.single)


@dataclass(frozen=True)
class Cell:
    """What a training left behind, in plain values.

    Args:
        architecture, method: names.
        iterations: of the generator.
        seconds, cpu_seconds: of training alone, by the clock and of this process.
        images_per_second: real images that the critic saw, by CPU second; by the clock on other devices.
        parameters: of generator and critic.
        critic, generator: (iteration, loss) at about sixty iterations.
        scores: (iteration, seconds of training, CPU seconds, score) along the way and at the end.
        failure: what stopped the training, or "".
    """

    architecture: str
    method: str
    iterations: int
    seconds: float
    cpu_seconds: float
    images_per_second: float
    parameters: tuple[int, int]
    critic: Curve
    generator: Curve
    scores: list[tuple[int, float, float, float]]
    failure: str = ""


def play(
    architecture: str,
    method: Method,
    budget: Budget,
    images: Tensor,
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    score: Callable[[Tensor], float] | None = None,
    scores: int = 6,
    description: str | None = None,
) -> tuple[Cell, Tensor]:
    """Train one cell: what is said of it, and its samples (N, 3, S, S) uint8, of the same z in every cell.

    Losses that are not finite end the training, and the cell says so; its samples are black then.

    Args:
        architecture: one of :func:`lecture13.gan.architectures.names`.
        method: one of :mod:`lecture13.gan.methods`.
        budget: see there.
        images: to learn from, uint8 (n, 3, S, S).
        seed: of the weights, the batches and the noise.
        device: to train on.
        score: samples, uint8 (N, 3, S, S), → number; None scores nothing. Its time does not count.
        scores: how often to score, evenly spread, the end included.
        description: at the progress bar.

    Raises:
        ValueError: an unknown architecture, images of another size, a budget that does not fit.
    """
    if images.shape[1:] != (3, budget.size, budget.size):
        raise ValueError(
            f"images {tuple(images.shape)}; expected (n, 3, {budget.size}, {budget.size}) as the budget says"
        )
    torch.manual_seed(seed)
    G, D = architectures.build(architecture, norm=method.norm, size=budget.size, width=budget.width, depth=budget.depth)
    G, D, steps = G.to(device), D.to(device), budget.iterations(method)
    z = nets.normal(architectures.NOISE)(budget.samples, torch.Generator().manual_seed(1))
    found, watch = [], _Watch()

    def record(done: int) -> None:
        with watch.paused():
            if score and done:
                found.append((done, *(round(time, 2) for time in watch.read()), score(drawn(G, z))))

    failure, critic, generator = "", [], []
    try:
        history = method.train(
            G,
            D,
            samplers.from_bytes(images, seed=seed),
            nets.normal(architectures.NOISE),
            steps=steps,
            batch=budget.batch,
            speed=budget.speed,
            seed=seed,
            record=record,
            every=max(1, steps // scores),
            description=description or f"{architecture}, {method.name}",
        )
        critic, generator = thinned(history.critic_loss), thinned(history.generator_loss)
    except FloatingPointError as error:
        failure = str(error)
    seconds, cpu = watch.read()
    seen = budget.batch * steps * method.critic_steps / (cpu if torch.device(device).type == "cpu" else seconds)
    sizes = tuple(sum(p.numel() for p in net.parameters()) for net in (G, D))
    cell = Cell(
        architecture,
        method.name,
        steps,
        round(seconds, 2),
        round(cpu, 2),
        round(seen, 1),
        sizes,
        critic,
        generator,
        found,
        failure,
    )
    black = torch.zeros(budget.samples, 3, budget.size, budget.size, dtype=torch.uint8)
    return cell, black if failure else drawn(G, z)


def drawn(G: nn.Module, z: Tensor) -> Tensor:
    """What G draws from z, as bytes (N, 3, S, S); G stays as it is.

    The authors' nets use each batch's own statistics in batch norm, in drawing too. Here a copy of G measures them on a
    thousand other z.
    """
    pictures = sampling.sample(sampling.recalibrate(copy.deepcopy(G), batches=10), z)
    return pictures.mul(255).round().byte()


def thinned(values: Tensor, points: int = 60) -> Curve:
    """(iteration from 1, mean since the last point) of (T,) values, at about ``points`` iterations."""
    stride = -(-len(values) // points)
    return [
        (min(at + stride, len(values)), round(float(part.mean()), 5))
        for at, part in zip(range(0, len(values), stride), values.split(stride), strict=True)
    ]


class _Watch:
    """Seconds by the clock and of this process since the start, without the pauses."""

    def __init__(self):
        self._start, self._stopped = self._now(), None

    def read(self) -> tuple[float, float]:
        now = self._stopped or self._now()
        return now[0] - self._start[0], now[1] - self._start[1]

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._stopped = self._now()
        try:
            yield
        finally:
            now = self._now()
            self._start = (
                self._start[0] + now[0] - self._stopped[0],
                self._start[1] + now[1] - self._stopped[1],
            )
            self._stopped = None

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()
