"""Random numbers by counter: what image i draws depends on the seed and on i alone.

A generator that hands out numbers in turn would make image 7 depend on how many images were asked for and in which
chunks they were drawn. Here every number is a hash of (seed, image, name of the quantity, element), the idea of
Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"; the hash is the finaliser of SplitMix64 (Steele,
Lea & Flood 2014).
"""

import math
import zlib

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - 2**64  # 2⁶⁴ over the golden ratio, as a signed 64-bit integer
_FIRST, _SECOND = 0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64


def mix(z: Tensor) -> Tensor:
    """SplitMix64's finaliser: a bijection of the 64-bit integers in which every input bit moves every output bit."""
    z = (z ^ ((z >> 30) & (2**34 - 1))) * _FIRST
    z = (z ^ ((z >> 27) & (2**37 - 1))) * _SECOND
    return z ^ ((z >> 31) & (2**33 - 1))


class Chance:
    """One stream of named random numbers for each of n keys.

    ``axes`` trailing axes of length one are added to everything drawn, so that the numbers broadcast over an image.
    """

    def __init__(self, keys: Tensor, axes: int = 0) -> None:
        self.keys, self.axes = keys, axes

    @classmethod
    def of_images(cls, seed: int, first: int, count: int) -> "Chance":
        """The streams of the images first … first + count − 1 of a seed.

        ``mix`` is a bijection, so two images share a key only if they agree in seed (below 2³²) and in number (below
        2³²).
        """
        numbers = torch.arange(first, first + count)
        high = seed << 32  # as a signed 64-bit integer
        return cls(mix((high if high < 2**63 else high - 2**64) | numbers))

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: Tensor) -> "Chance":
        return Chance(self.keys[index], self.axes)

    def fork(self, name: str, count: int | None = None) -> "Chance":
        """Independent streams under a name: keys (n,), or (n · count,) when each key has ``count`` children."""
        keys = self._hash(name, () if count is None else (count,))
        return Chance(keys.reshape(-1), self.axes)

    def over_pixels(self) -> "Chance":
        """The same streams, drawn as (n, 1, 1)."""
        return Chance(self.keys, axes=2)

    def uniform(self, name: str, low: float | Tensor = 0.0, high: float | Tensor = 1.0, shape: tuple = ()) -> Tensor:
        """Uniform in [low, high): (n, *shape, 1, …), float32."""
        bits = (self._hash(name, shape) >> 40) & (2**24 - 1)
        u = bits.float().mul_(2.0**-24).reshape(len(self), *shape, *(1,) * self.axes)
        return low + (high - low) * u

    def happens(self, name: str, probability: float | Tensor) -> Tensor:
        """True with the given probability."""
        return self.uniform(name) < probability

    def whole(self, name: str, low: Tensor | int, high: Tensor | int) -> Tensor:
        """A whole number from low to high, both included, int64."""
        return (low + (self.uniform(name) * (high - low + 1)).floor()).long()

    def pick(self, name: str, weights: Tensor | list[float]) -> Tensor:
        """An index (n,) drawn by weights (K,), or by each key's own (n, K)."""
        weights = torch.as_tensor(weights, dtype=torch.float32)
        edges = weights.cumsum(-1) / weights.sum(-1, keepdim=True)
        u = self.uniform(name).reshape(-1, 1)
        return (u >= edges).sum(1).clamp(max=weights.shape[-1] - 1)

    def colour(self, name: str, palette: Tensor, jitter: float = 0.04) -> Tensor:
        """A colour near one of the palette's (K, 3): (3, n, 1, …)."""
        u = Chance(self.keys).uniform(name, shape=(5,))
        chosen = palette[(u[:, 0] * len(palette)).long()]
        changed = chosen + jitter * (2 * u[:, 1:2] - 1) + 0.6 * jitter * (2 * u[:, 2:] - 1)
        return changed.clamp_(0, 1).T.reshape(3, len(self), *(1,) * self.axes)

    def _hash(self, name: str, shape: tuple) -> Tensor:
        keys = mix(self.keys + torch.tensor(zlib.crc32(name.encode()) + 1) * _GOLDEN)
        if not shape:
            return keys
        elements = torch.arange(1, 1 + math.prod(shape))
        return mix(keys[:, None] + elements * _GOLDEN).reshape(len(self), *shape)
