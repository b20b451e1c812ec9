"""The one door to all data: ``load(name, split)``."""

from pathlib import Path

from lecture13.data import embedded
from lecture13.data.dataset import Dataset

#: embedded sets: name → (sizes, or None for any; what it is)
_EMBEDDED = {
    "digits": ((8, 28), "scikit-learn's 1797 handwritten digits (embedded)"),
    "scenes": (None, "outdoor scenes drawn by program, with exact masks (embedded)"),
    "signs": (None, "road signs drawn by program (embedded)"),
}


def names() -> tuple[str, ...]:
    """The names that :func:`load` knows."""
    return tuple(_EMBEDDED)


def describe(name: str) -> str:
    """One line on a data set, without loading it."""
    return f"{name}: {_EMBEDDED[name][1]}"


def available(name: str) -> bool:
    """Whether it can be loaded now, without a download."""
    return name in _EMBEDDED


def load(
    name: str,
    split: str = "train",
    *,
    size: int | None = None,
    count: int | None = None,
    seed: int = 0,
    download: bool = False,
    root: Path | None = None,
) -> Dataset:
    """Load a split of a data set."""
    if name == "digits":
        return embedded.digits(split, size or 8, count)
    return embedded.drawn(name, split, size or 32, count, seed)
