"""The engine under every box of :mod:`lecture13.gan.training`: what an iteration asks for, as fast as it gets.

A box says what to compute. The engine draws the noise and the minibatches, steps the optimisers, keeps the generator's
moving average, records samples along the way, and hands the iterations to :func:`lecture13.training.fit`, which shows
progress, saves, resumes and stops at a NaN. All chance of an iteration is a function of the seed and its index.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import torch
from torch import Tensor, nn

from lecture13.gan.samplers import Sampler
from lecture13.processes import OneProcess, share
from lecture13.training import fit, moving_average

if TYPE_CHECKING:
    from lightning_fabric import Fabric

#: parameters → the optimiser that updates them.
Rule = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
#: A number, or a function of the iteration's index.
Count = int | Callable[[int], int]

#: "The gradient-based updates can use any standard gradient-based learning rule. We used momentum." (Goodfellow et al.)
momentum: Rule = partial(torch.optim.SGD, lr=0.1, momentum=0.5, fused=True)
#: Arjovsky et al. 2017, Algorithm 1.
rmsprop: Rule = partial(torch.optim.RMSprop, lr=5e-5, foreach=True)
#: Gulrajani et al. 2017, Algorithm 1. Radford et al.: ``partial(adam, lr=2e-4, betas=(0.5, 0.999))``.
adam: Rule = partial(torch.optim.Adam, lr=1e-4, betas=(0.0, 0.9), fused=True)


class Options(TypedDict, total=False):
    """What every box takes besides its own arguments.

    Args:
        seed: of all chance in the run, of batches and noise (0). The nets' weights are drawn before, by their caller.
        average: decay of an exponential moving average of the generator's weights, per iteration; None keeps none.
        checkpoint: file that the run saves itself to and resumes from; see :func:`lecture13.training.fit`.
        checkpoint_every: iterations between two savings (500).
        settings: plain values that decide the result; a checkpoint of others is refused.
        record: called with the number of iterations done: 0, every ``every`` of them, and at the end. What it gives is
            kept; with a checkpoint, it must be tensors, plain values, and lists and dicts of them.
        every: iterations between two records (100).
        before: called with the index of each iteration before it: a net that grows is set to its stage here.
        channels_last: memory format of images and convolutions (True): a fifth faster at 64×64 on CPUs.
        compile: compile both nets, on CUDA (False). A gradient penalty, which compiled nets cannot give, is not.
        fabric: from :func:`lecture13.processes.start`: device, bf16, several processes. None: where G is, in its type.
        description: stands at the progress bar.
    """

    seed: int
    average: float | None
    checkpoint: Path | str | None
    checkpoint_every: int
    settings: Mapping[str, Any] | None
    record: Callable[[int], Any] | None
    every: int
    before: Callable[[int], None] | None
    channels_last: bool
    compile: bool
    fabric: "Fabric | OneProcess | None"
    description: str


@dataclass
class History:
    """What a training leaves behind.

    Args:
        metrics: name → (steps,), one value an iteration: "critic", at the last of its critic's steps, and "generator"
            are the losses; some boxes report more.
        records: (iterations done, what ``record`` gave), from before any update to the last.
        average: the moving average of the generator, if one was asked for.
        seconds: over all parts of a run that was resumed.
    """

    metrics: dict[str, Tensor]
    records: list[tuple[int, Any]] = field(default_factory=list)
    average: nn.Module | None = None
    seconds: float = 0.0

    @property
    def critic_loss(self) -> Tensor:
        """(steps,), as the objective defines it."""
        return self.metrics["critic"]

    @property
    def generator_loss(self) -> Tensor:
        """(steps,), as the objective defines it."""
        return self.metrics["generator"]


class Engine:
    """One game between ``G`` and ``D``; the boxes use its public methods.

    Args:
        G, D: generator and critic; put into train mode, and moved to the Fabric's device if there is one.
        data, prior: real samples and noise, see :mod:`lecture13.gan.samplers` and :mod:`lecture13.gan.nets`.
        batch: m, samples in a minibatch, over all processes together.
        critic_steps: minibatches of data that an iteration takes.
        critic_rule, generator_rule: make the optimisers.
        options: see :class:`Options`.

    Raises:
        ValueError: a count below 1, compilation off CUDA, float16 (whose small gradients vanish: take bf16).
    """

    def __init__(
        self,
        G: nn.Module,
        D: nn.Module,
        data: Sampler,
        prior: Callable[[int, torch.Generator | None], Tensor],
        *,
        batch: Count,
        critic_steps: Count,
        critic_rule: Rule,
        generator_rule: Rule,
        seed: int = 0,
        average: float | None = None,
        checkpoint: Path | str | None = None,
        checkpoint_every: int = 500,
        settings: Mapping[str, Any] | None = None,
        record: Callable[[int], Any] | None = None,
        every: int = 100,
        before: Callable[[int], None] | None = None,
        channels_last: bool = True,
        compile: bool = False,
        fabric: "Fabric | OneProcess | None" = None,
        description: str = "training",
    ):
        for name, number in {"every": every, "batch": batch, "k, the critic's steps": critic_steps}.items():
            if not callable(number) and number < 1:
                raise ValueError(f"{name}={number}; expected at least 1")
        if getattr(getattr(getattr(fabric, "strategy", None), "precision", None), "scaler", None):
            raise ValueError("precision 16-mixed needs scaled losses, which these boxes have not; take bf16-mixed")
        self.device = next(G.parameters()).device if fabric is None else fabric.device
        self.fabric = fabric or OneProcess()
        if compile and self.device.type != "cuda":
            raise ValueError(f"compile=True on {self.device}; expected CUDA, where it pays")
        self._channels_last = channels_last
        for net in (G, D):
            net.train()
            net.to(self.device, memory_format=torch.channels_last if channels_last else torch.preserve_format)
            if self.fabric.world_size > 1:
                net.load_state_dict(self.fabric.broadcast(net.state_dict()))  # all start where the first does
        self.nets, self.data, self.prior = {"G": G, "D": D}, data, prior
        self._call = {name: torch.compile(net) if compile else net for name, net in self.nets.items()}
        self._rules = {"G": generator_rule(list(G.parameters())), "D": critic_rule(list(D.parameters()))}
        self._batch, self.critic_steps = _counts(batch), _counts(critic_steps)
        self._average = None if average is None else moving_average(G, average)
        self._record, self._every, self._before = record, every, before
        self._records = _Records()
        self._starts = [0]  # the first minibatch of each iteration
        self._fit = {
            "seed": seed,
            "checkpoint": checkpoint,
            "checkpoint_every": checkpoint_every,
            "settings": settings,
            "description": description,
            "fabric": self.fabric,
            "report_every": 50 if self.device.type == "cuda" else 10,  # reading a loss waits for the device
        }

    def play(self, iteration: Callable[[int, torch.Generator], Mapping[str, Tensor]], steps: int) -> History:
        """Call ``iteration(index, chance)`` for every index below ``steps``, with chance on the device."""
        if steps < 1:
            raise ValueError(f"steps={steps}; expected at least 1")

        def step(index: int, chance: torch.Generator) -> Mapping[str, Tensor]:
            if index == 0:
                self._keep(0)
            if self._before:
                self._before(index)
            self._begin(index)
            metrics = iteration(index, self._on_device(chance))
            if self._average is not None:
                self._average.update_parameters(self.nets["G"])
            if (index + 1) % self._every == 0 or index + 1 == steps:
                self._keep(index + 1)
            return metrics

        state = {**self.nets, "G rule": self._rules["G"], "D rule": self._rules["D"], "records": self._records}
        if self._average is not None:
            state["average"] = self._average
        history = fit(step, state, steps=steps, **self._fit)
        metrics = {name: torch.tensor(values) for name, values in history.metrics.items()}
        average = None if self._average is None else self._average.module
        return History(metrics, self._records.rows, average, history.seconds)

    def noise(self, chance: torch.Generator) -> Tensor:
        """This process's share of a minibatch {z⁽¹⁾, …, z⁽ᵐ⁾} from the noise prior."""
        return share(self.fabric, self.prior(self._size, chance).to(self.device))

    def uniform(self, chance: torch.Generator) -> Tensor:
        """This process's share of ε⁽¹⁾, …, ε⁽ᵐ⁾ ~ U[0, 1], one for each sample of a minibatch."""
        return share(self.fabric, torch.rand(self._size, generator=chance, device=chance.device))

    def examples(self, chance: torch.Generator) -> list[Tensor]:
        """This process's share of the next minibatch of real samples: [x], or [x, y]."""
        parts = self.data(self._number, self._size, chance)
        self._number, self._labelled = self._number + 1, len(parts) > 1
        return [self._placed(share(self.fabric, part)) for part in parts]

    def labels(self, chance: torch.Generator) -> list[Tensor]:
        """This process's share of fresh labels for generated samples, [y]; [] where the last examples had none."""
        if not self._labelled:
            return []
        _, *labels = self.data(self._number, self._size, chance)
        return [self._placed(share(self.fabric, part)) for part in labels]

    def G(self, z: Tensor, *y: Tensor) -> Tensor:
        """What the generator draws, in the Fabric's precision."""
        with self.fabric.autocast():
            return self._formatted(self._call["G"](z, *y))

    def D(self, x: Tensor, *y: Tensor) -> Tensor:
        """The critic's logits (N,)."""
        return self._logits(self._call["D"], x, *y)

    def D_twice(self, x: Tensor, *y: Tensor) -> Tensor:
        """The critic's logits (N,), to be differentiated twice: never compiled."""
        return self._logits(self.nets["D"], x, *y)

    def update(self, name: str, loss: Tensor) -> None:
        """One step of the optimiser of net ``name`` down ``loss``, whose gradients no other net gathers."""
        rule, parameters = self._rules[name], [p for p in self.nets[name].parameters() if p.requires_grad]
        rule.zero_grad(set_to_none=True)
        loss.backward(inputs=parameters)
        if self.fabric.world_size > 1:
            gradients = [p.grad for p in parameters if p.grad is not None]
            joined = torch.cat([gradient.reshape(-1) for gradient in gradients])  # one message, not one for each
            parts = self.fabric.all_reduce(joined, reduce_op="mean").split([g.numel() for g in gradients])
            for gradient, mean in zip(gradients, parts, strict=True):
                gradient.copy_(mean.view(gradient.shape))
        rule.step()

    def _begin(self, index: int) -> None:
        while len(self._starts) <= index:
            self._starts.append(self._starts[-1] + self.critic_steps(len(self._starts) - 1))
        self._number, self._size = self._starts[index], self._batch(index)
        if self._size < 1 or self.critic_steps(index) < 1:
            raise ValueError(
                f"iteration {index}: a batch of {self._size}, {self.critic_steps(index)} critic steps; expected at "
                f"least 1 of each"
            )

    def _logits(self, net: nn.Module, x: Tensor, *y: Tensor) -> Tensor:
        with self.fabric.autocast():
            logits = net(x, *y)
        if logits.shape != (len(x),):
            raise ValueError(
                f"the critic gave logits of shape {tuple(logits.shape)} for {len(x)} samples; expected (N,)"
            )
        return logits.float() if logits.dtype == torch.bfloat16 else logits

    def _placed(self, part: Tensor) -> Tensor:
        return self._formatted(part.to(self.device, non_blocking=True))

    def _formatted(self, part: Tensor) -> Tensor:
        images = self._channels_last and part.ndim == 4
        return part.contiguous(memory_format=torch.channels_last) if images else part

    def _on_device(self, chance: torch.Generator) -> torch.Generator:
        """The iteration's generator; on CUDA one of the device, so that noise need not be copied there."""
        if self.device.type != "cuda":
            return chance
        seed = int(torch.randint(2**62, (), generator=chance))
        return torch.Generator(self.device).manual_seed(seed)

    def _keep(self, done: int) -> None:
        if self._record:
            self._records.rows.append((done, self._record(done)))


class _Records:
    """The records of a run, as a part of its checkpoint."""

    def __init__(self):
        self.rows: list[tuple[int, Any]] = []

    def state_dict(self) -> dict[str, Any]:
        for done, row in self.rows:
            _check_plain(row, done)
        return {"rows": self.rows}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows[:] = [tuple(row) for row in state["rows"]]


def _check_plain(value: Any, done: int) -> None:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            _check_plain(part, done)
    elif not isinstance(value, Tensor | int | float | str | None):
        raise TypeError(
            f"the record of iteration {done} holds a {type(value).__name__}, which a checkpoint cannot keep; expected "
            f"tensors, numbers, strings, and lists and dicts of them"
        )


def _counts(count: Count) -> Callable[[int], int]:
    return count if callable(count) else lambda index: count
