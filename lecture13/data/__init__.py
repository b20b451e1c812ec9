"""Data: ``load(name, split)`` gives the embedded sets and the real ones in one shape."""

from lecture13.data.dataset import Dataset
from lecture13.data.files import CorruptData, MissingData
from lecture13.data.registry import available, describe, load, names

__all__ = ["CorruptData", "Dataset", "MissingData", "available", "describe", "load", "names"]
