"""The one resumable loop. Every recipe hands it a step function and whatever that step changes::

    def step(index, generator):                        # index counts from 0
        batch = images[batch_indices(len(images), 64, index, seed)]
        ...                                            # forward, backward, optimizer.step(); chance from generator
        return {"loss": loss}

    history = fit(step, {"model": model, "optimizer": optimizer}, steps=1000, checkpoint=folder / "run.ckpt")

Chance is a pure function of the seed and the step: the batch, the generator and torch's global state (dropout) are
drawn anew from both at every step. So a run that is killed and started again ends bit for bit where it would have
ended, from any of its checkpoints, and no random state needs saving.
"""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from lecture13 import checkpoints, processes
from lecture13.checkpoints import Checkpoint, CheckpointError
from lecture13.processes import OneProcess

if TYPE_CHECKING:
    from lightning_fabric import Fabric

#: One step of training: (index from 0, generator on the CPU) → named scalars, among them the losses.
Step = Callable[[int, torch.Generator], Mapping[str, Tensor | float]]


class Stateful(Protocol):
    """What a checkpoint can hold: a module, an optimiser, a scheduler, an average, ..."""

    def state_dict(self) -> dict[str, Any]: ...  # noqa: D102

    def load_state_dict(self, state: Any) -> Any: ...  # noqa: D102


@dataclass
class History:
    """What a run reported: ``history["loss"][i]`` is the loss of step i, ``seconds`` the time over all its parts."""

    metrics: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.metrics:
            raise KeyError(f"no metric {name!r} in this history; it has {', '.join(self.metrics) or 'none'}")
        return self.metrics[name]

    def __len__(self) -> int:
        return max(map(len, self.metrics.values()), default=0)


def fit(
    step: Step,
    state: Mapping[str, Stateful],
    *,
    steps: int,
    seed: int = 0,
    checkpoint: Path | str | None = None,
    checkpoint_every: int = 500,
    settings: Mapping[str, Any] | None = None,
    report_every: int = 10,
    description: str = "training",
    fabric: "Fabric | OneProcess | None" = None,
) -> History:
    """Call ``step(index, generator)`` for index 0 … steps − 1; go on from ``checkpoint`` where that exists.

    Args:
        step: does one step and returns its named scalars, the same names each time. The generator is on the CPU and,
            like torch's global state, depends on the seed and the index alone.
        state: all that the step changes, by name. What is missing here is lost at a kill.
        steps: in all, those before a kill included; may grow from one call to the next.
        seed: of every step's chance.
        checkpoint: a file, written every ``checkpoint_every`` steps and at the end; None writes nothing.
        settings: plain values that decide the result. A checkpoint of other settings, of another seed or precision, is
            refused.
        report_every: how often the metrics are read from the device, which waits for it, and shown.
        description: stands in the progress bar.
        fabric: from :func:`lecture13.processes.start`, for many processes or mixed precision; one process without it.

    Returns:
        The metrics of every step since step 0, averaged over the processes.

    Raises:
        FloatingPointError: a metric or a weight is NaN or infinite; says at which step, and what is saved.
        CheckpointError: the checkpoint cannot be written, read, or belongs to other settings.
        ValueError, TypeError: counts below 1, a state that cannot be saved, metrics that are no named scalars.
    """
    for name, value in (("steps", steps), ("checkpoint_every", checkpoint_every), ("report_every", report_every)):
        if value < 1:
            raise ValueError(f"{name} is {value}; expected 1 or more")
    for name, part in state.items():
        if not (hasattr(part, "state_dict") and hasattr(part, "load_state_dict")):
            raise TypeError(f"state {name!r} is a {type(part).__name__}; expected something with a state_dict")
    fabric = fabric or OneProcess()
    decisive = {**(settings or {}), "seed": seed, "precision": processes.precision(fabric)}
    run = _Run(dict(state), checkpoints.plain(decisive), checkpoint, fabric)
    done = run.resume(steps)
    quiet = {} if fabric.is_global_zero else {"disable": True}  # and $TQDM_DISABLE silences all
    bar = tqdm(total=steps, initial=done, desc=description, unit="step", **quiet)
    cuda = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with bar, torch.random.fork_rng(cuda):  # the caller's chance stays as it was
        for index in range(done, steps):
            run.pending.append(step(index, _chance(seed, index, fabric)))
            bar.update()
            due = checkpoint is not None and (index + 1) % checkpoint_every == 0
            last = index + 1 == steps
            if due or last or (index + 1) % report_every == 0:
                bar.set_postfix(run.report(), refresh=False)
            if due or (last and checkpoint is not None):
                run.save(index + 1)
    run.tick()
    return run.history


def batch_indices(n: int, batch_size: int, step: int, seed: int = 0) -> Tensor:
    """Which of ``n`` examples make the batch of ``step``: int64 ``(batch_size,)`` on the CPU.

    A pure function. The batches read one endless sequence of permutations of ``range(n)``, one after the other: every
    epoch holds each example once, none is dropped at its end, and all batches have the same size.

    Raises:
        ValueError: no examples, an empty batch, or a step below 0.
    """
    if n < 1 or batch_size < 1 or step < 0:
        raise ValueError(f"n={n}, batch_size={batch_size}, step={step}; expected n and batch_size ≥ 1, step ≥ 0")
    begin, end = step * batch_size, (step + 1) * batch_size
    epochs = range(begin // n, (end - 1) // n + 1)
    order = torch.cat([_permutation(n, epoch, seed) for epoch in epochs])
    return order[begin % n : begin % n + batch_size]


def moving_average(model: nn.Module, decay: float = 0.999) -> AveragedModel:
    """The exponential moving average of a model's weights: after step t, w̄ ← decay·w̄ + (1 − decay)·w.

    Call ``average.update_parameters(model)`` at the end of each step, put it into the state, and use
    ``average.module``. Buffers (batch norm's statistics) are averaged in the same way. Where the average is of a
    generator, whose statistics belong to no one set of weights, measure them anew instead:
    ``torch.optim.swa_utils.update_bn(batches, average)``, with batches of what the model takes.

    Args:
        model: on its device already.
        decay: in [0, 1]; the average looks back over about 1 / (1 − decay) steps.
    """
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


class _Run:
    """The part of a run that outlives a kill: state, settings, metrics, seconds."""

    def __init__(self, state: dict[str, Stateful], settings: dict, checkpoint: Path | str | None, fabric):
        precision = getattr(fabric.strategy, "precision", None)
        # Half precision scales its losses, and the scale is part of where a run stands.
        self.state = {**state, "precision": precision} if precision and precision.state_dict() else state
        self.settings, self.fabric = settings, fabric
        self.path = None if checkpoint is None else Path(checkpoint)
        self.history = History()
        self.pending: list[Mapping[str, Tensor | float]] = []
        self.clock = time.perf_counter()

    def resume(self, steps: int) -> int:
        """Load the checkpoint if there is one; the number of steps that are done."""
        if self.path is None:
            return 0
        if self.fabric.is_global_zero:
            checkpoints.writable(self.path.parent)
        found = checkpoints.load(self.path, self.settings)
        if found is None:
            return 0
        if found.step > steps:
            raise CheckpointError(
                f"the checkpoint {self.path} is at step {found.step}, beyond steps={steps}. Ask for {found.step} steps "
                f"or more, give this run another checkpoint, or delete the file to start again"
            )
        if found.state.keys() != self.state.keys():
            raise CheckpointError(
                f"the checkpoint {self.path} holds {sorted(found.state)}, this run {sorted(self.state)}. Give this run "
                f"another checkpoint, or delete the file to start again"
            )
        for name, part in self.state.items():
            try:
                part.load_state_dict(found.state[name])
            except (RuntimeError, ValueError, KeyError) as error:
                raise CheckpointError(
                    f"{name!r} in the checkpoint {self.path} does not fit this run's: {error}. Give this run another "
                    f"checkpoint, or delete the file to start again"
                ) from error
        self.history = History({name: values.tolist() for name, values in found.metrics.items()}, found.seconds)
        return found.step

    def report(self) -> dict[str, str]:
        """Read the metrics of the steps since the last report into the history; the newest, to be shown."""
        names = list(self.history.metrics)
        for row in self.pending:
            if not (isinstance(row, Mapping) and row):
                raise TypeError(f'a step returned {row!r}; expected named scalars, {{"loss": loss}} say')
            names = names or list(row)
            if list(row) != names:
                raise ValueError(f"a step reported {list(row)}, another {names}; expected the same names at every step")
        table = torch.stack([torch.stack([_scalar(name, row[name]) for name in names]) for row in self.pending])
        table = self.fabric.all_reduce(table.to(self.fabric.device), reduce_op="mean").cpu()  # one wait for the device
        finite = table.isfinite()
        if not finite.all():
            row, column = (~finite).nonzero()[0].tolist()
            self._diverged(f"{names[column]} is {table[row, column]:g} at step {len(self.history) + row}")
        for name, values in zip(names, table.T.tolist(), strict=True):
            self.history.metrics.setdefault(name, []).extend(values)
        self.pending.clear()
        return {name: f"{value:.4g}" for name, value in zip(names, table[-1].tolist(), strict=True)}

    def save(self, step: int) -> None:
        """Write the checkpoint, by one process for all."""
        for name, part in self.state.items():
            for weight, values in part.named_parameters() if isinstance(part, nn.Module) else ():
                if not values.isfinite().all():
                    self._diverged(f"the weights {name}.{weight} are not finite after step {step - 1}")
        self.tick()
        if self.fabric.is_global_zero:
            metrics = {name: torch.tensor(values) for name, values in self.history.metrics.items()}
            state = {name: part.state_dict() for name, part in self.state.items()}
            checkpoints.save(self.path, Checkpoint(step, self.settings, state, metrics, self.history.seconds))
        self.fabric.barrier()

    def tick(self) -> None:
        """Add the time since the last tick."""
        now = time.perf_counter()
        self.history.seconds += now - self.clock
        self.clock = now

    def _diverged(self, what: str) -> None:
        kept = self.path is not None and self.path.exists()
        saved = f"The last good checkpoint is {self.path}." if kept else "No checkpoint was written."
        raise FloatingPointError(f"{what}. {saved} A smaller learning rate, or full precision, may help")


def _scalar(name: str, value: Tensor | float) -> Tensor:
    value = torch.as_tensor(value, dtype=torch.float32).detach()
    if value.numel() != 1:
        raise ValueError(f"metric {name!r} has the shape {tuple(value.shape)}; expected one number")
    return value.reshape(())


@functools.lru_cache(maxsize=4)
def _permutation(n: int, epoch: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(_mix(seed, epoch, 0)))


def _mix(*numbers: int) -> int:
    """One 64-bit seed from several numbers, unrelated to its neighbours'."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def _chance(seed: int, index: int, fabric) -> torch.Generator:
    """Seed torch's global generators for this step and process; the generator that all processes share."""
    own = _mix(seed, index, 1, fabric.global_rank)
    torch.default_generator.manual_seed(own)  # torch.manual_seed takes a third of a millisecond
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(own)
    elif torch.backends.mps.is_available():
        torch.mps.manual_seed(own)
    return torch.Generator().manual_seed(_mix(seed, index, 2))
