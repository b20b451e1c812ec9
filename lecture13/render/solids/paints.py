"""Paint for parts: colours as functions of a place, and what makes one solid of a class differ from another."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lecture13.render.chance import Chance
from lecture13.render.solids.parts import Paint

Colour = tuple[float, float, float]


class Variation:
    """The choices that make the ``number``-th solid of a class. Number 0 is the plain one: the middle of each range."""

    def __init__(self, number: int) -> None:
        self.plain = number == 0
        self._chance = Chance.of_images(0, number, 1).fork("solid")

    def size(self, name: str, low: float, high: float) -> float:
        """A number from low to high."""
        return (low + high) / 2 if self.plain else float(self._chance.uniform(name, low, high))

    def tone(self, name: str, *colours: Colour, jitter: float = 0.06) -> Colour:
        """One of the colours (the first, for the plain solid), changed a little."""
        if self.plain:
            return colours[0]
        red, green, blue = self._chance.colour(name, torch.tensor(colours), jitter)[:, 0].tolist()
        return red, green, blue


def rgb(colour: Colour | Tensor) -> Tensor:
    """A colour that broadcasts: (3,)."""
    return torch.as_tensor(colour)


def plain(colour: Colour, *, grain: float = 0.05, fineness: float = 9.0) -> Paint:
    """One colour, a little lighter here and darker there."""
    return lambda u, v, p: rgb(colour) * (1 + grain * ripple(p, fineness))[..., None]


def ripple(p: Tensor, fineness: float, seed: int = 0) -> Tensor:
    """A smooth random field at positions (…, 3), in [−1, 1], that changes over a length of about 1 / fineness."""
    generator = torch.Generator().manual_seed(seed)
    waves = torch.randn(8, 3, generator=generator) * fineness
    phases = torch.rand(8, generator=generator) * 2 * math.pi
    return (torch.sin(p @ waves.T + phases).sum(-1) / 4).clamp(-1, 1)


def over(below: Tensor, colour: Colour | Tensor, cover: Tensor) -> Tensor:
    """Paint a colour over what is there (…, 3), where ``cover`` (…) is 1 or True."""
    return torch.lerp(below, rgb(colour).expand_as(below), cover.to(below)[..., None])


def cells(place: Tensor, middles: Tensor) -> tuple[Tensor, Tensor]:
    """Which of the middles (K, d) is nearest to each place (…, d), int64, and how far the cell's border is (…)."""
    near = torch.cdist(place.reshape(-1, place.shape[-1]), middles).topk(2, largest=False)
    gap = (near.values[:, 1] - near.values[:, 0]) / 2
    return near.indices[:, 0].view(place.shape[:-1]), gap.view(place.shape[:-1])


def scatter(count: int, low: Sequence[float], high: Sequence[float], seed: int = 0) -> Tensor:
    """Points (count, d) spread evenly over a box: of many random ones, always the farthest from those before."""
    generator = torch.Generator().manual_seed(seed)
    low, high = torch.tensor([low, high], dtype=torch.float32)
    pool = low + (high - low) * torch.rand(20 * count, len(low), generator=generator)
    chosen = [0]
    away = torch.full((len(pool),), torch.inf)
    for _ in range(count - 1):
        away = torch.minimum(away, (pool - pool[chosen[-1]]).square().sum(1))
        chosen.append(int(away.argmax()))
    return pool[chosen]


def scales(skin: Colour, scale: Colour, size: float, *, border: float = 0.22, seed: int = 0) -> Paint:
    """Scales of about one size, with borders of the skin's colour between them."""
    middles = scatter(int(6 / size**2), (-1.3, -1.3), (1.3, 1.3), seed)

    def paint(u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        which, gap = cells(p[..., [0, 2]], middles)
        shade = 0.85 + 0.3 * torch.frac(which * 0.618)
        return over(rgb(skin).expand_as(p), rgb(scale) * shade[..., None], (gap / (border * size)).clamp(0, 1))

    return paint
