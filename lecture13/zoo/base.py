"""What a recipe is, and what a measurement says."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from lecture13.training import History


@dataclass(frozen=True)
class Measurement:
    """A metric of a net: its name, its value, on how many examples ``n`` of which ``data``, and ``also`` others."""

    metric: str
    value: float
    n: int
    data: str
    also: dict[str, float] = field(default_factory=dict)


class Recipe(Protocol):
    """All that decides a net of the zoo: the data, the architecture, the training, the measure."""

    name: str
    about: str
    steps: int

    @property
    def trained_on(self) -> str:
        """The data, in a line."""

    def settings(self) -> dict[str, Any]:
        """Plain values that decide the result, beside the seed; they stand in the card."""

    def build(self) -> nn.Module:
        """The untrained net."""

    def train(
        self, fabric, *, steps: int, seed: int, checkpoint: Path, examples: int | None
    ) -> tuple[nn.Module, History]:
        """The trained net and how it went; resumes from ``checkpoint``. ``examples`` cuts the data for a trial."""

    def measure(self, net: nn.Module) -> Measurement:
        """The card's metric of a net in eval mode, on held-out data."""


def go_on_from(earlier: str | None, checkpoint: Path) -> None:
    """Start ``checkpoint`` as a copy of that of the net ``earlier``, if this lies beside it and nothing was begun."""
    found = checkpoint.with_name(f"{earlier}.ckpt")
    if earlier is not None and found.exists() and not checkpoint.exists():
        shutil.copy(found, checkpoint)
