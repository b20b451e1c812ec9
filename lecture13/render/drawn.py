"""What was drawn by chance for N views: one row of every quantity for each."""

from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Rows:
    """The base of a dataclass of N rows of every quantity: ``len``, and a part by index or slice."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def __getitem__(self, index: Tensor | slice) -> Self:
        return replace(self, **{each.name: getattr(self, each.name)[index] for each in fields(self)})


@dataclass(frozen=True, eq=False)
class Drawn(Rows):
    """The base of what was drawn for N views: tensors (N,) or (N, …), of which one may be changed."""

    def moved(self, **values: Tensor | float) -> Self:
        """The same views with other values of any (N,) quantity, a number or one for each; all else is left."""
        given = {name: torch.as_tensor(value, dtype=torch.float32).expand(len(self)) for name, value in values.items()}
        return replace(self, **given)
