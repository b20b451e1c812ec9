"""What can be seen at every pixel of N images, as maps of numbers, and how well a unit's regions agree with it.

A kind ("object", "part", "material", "colour", …) has one map an image, whose values are indices into the kind's names,
or, where its concepts overlap, one mask a concept. The intersections of all units with all concepts over some pixels
are one matrix product, (K, pixels) @ (pixels, C), of zeros and ones; in float32 it is exact below 2²⁴ pixels, and
faster than integers, for which there is no product in torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

#: A name that stands for no concept.
NONE = "none"

#: Images (N, C, H, W) → what stands at every pixel: numbers (N, H, W), logits (N, K, H, W), or {kind: either}.
Segment = Callable[[Tensor], Tensor | Mapping[str, Tensor]]


@dataclass(frozen=True)
class Concept:
    """Something that a person can name, of a kind."""

    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class Masks:
    """The maps of N images, and the K concepts in them.

    Args:
        maps: {kind: integer (N, H, W)}, values indices into the kind's names; or {kind: bool (N, names, H, W)}.
        names: {kind: names}; "none" is no concept. Kinds that it leaves out are not looked at.

    Raises:
        ValueError: no concept; kinds without a map; maps of different images or sizes; a number without a name.
        TypeError: maps that are neither integers nor booleans.
    """

    def __init__(self, maps: Mapping[str, Tensor], names: Mapping[str, Sequence[str]]):
        self.concepts = vocabulary(names)
        if missing := [kind for kind in names if kind not in maps]:
            raise ValueError(f"no maps of {missing[0]!r}; there are maps of {', '.join(map(repr, maps)) or 'nothing'}")
        self.maps, self.names = {kind: maps[kind] for kind in names}, dict(names)
        for kind, values in self.maps.items():
            _check_maps(kind, values, names[kind])
        sizes = {kind: (len(values), *values.shape[-2:]) for kind, values in self.maps.items()}
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"{kind} {size}" for kind, size in sizes.items())
            raise ValueError(f"maps of different (N, H, W): {told}; expected one size for all kinds")
        self.count, *size = next(iter(sizes.values()))
        self.size: tuple[int, int] = tuple(size)

    def __len__(self) -> int:
        return self.count

    def planes(self, index: slice | Tensor, device: torch.device | str = "cpu") -> Tensor:
        """The masks of some images, side by side: float32 (K, n·H·W) of zeros and ones."""
        planes = []
        for kind, values in self.maps.items():
            here = values[index].to(device)
            numbers = [number for number, name in enumerate(self.names[kind]) if name != NONE]
            if here.dtype == torch.bool:
                planes.append(here[:, numbers].transpose(0, 1).flatten(1))
            else:
                wanted = torch.tensor(numbers, dtype=here.dtype, device=device)
                planes.append(here.flatten() == wanted[:, None])
        return torch.cat(planes).float()

    def areas(self, *, batch_size: int = 64) -> Tensor:
        """Pixels of every concept in every image: int64 (N, K). An image shows a concept where this is above 0."""
        parts = []
        for start in range(0, self.count, batch_size):
            planes = self.planes(slice(start, min(self.count, start + batch_size)))
            parts.append(planes.unflatten(1, (-1, self.size[0] * self.size[1])).sum(2).T.long())
        return torch.cat(parts)


def vocabulary(names: Mapping[str, Sequence[str]]) -> tuple[Concept, ...]:
    """The concepts of {kind: names}, in order, without "none". Raises ValueError if there is none, or one twice."""
    found = tuple(Concept(name, kind) for kind, several in names.items() for name in several if name != NONE)
    if not found:
        raise ValueError(f"no concepts in names={dict(names)!r}; expected {{kind: names}}, such as scenes.CONCEPTS")
    if len(set(found)) < len(found):
        twice = next(concept for concept in found if found.count(concept) > 1)
        raise ValueError(f"{twice} is there twice; expected different names in a kind")
    return found


def index_of(concepts: Sequence[Concept], wanted: str | Concept, kind: str | None = None) -> int:
    """Where a concept stands among others, by its name; of several of that name the first, or that of the kind.

    Raises:
        ValueError: an unknown one, with those that are known.
    """
    for index, concept in enumerate(concepts):
        if wanted == concept or (wanted == concept.name and kind in (None, concept.kind)):
            return index
    asked = wanted if kind is None else f"{wanted} ({kind})"
    raise ValueError(f"no concept {str(asked)!r}; known: {', '.join(map(str, concepts))}")


def iou(intersections: Tensor, units: Tensor, concepts: Tensor) -> Tensor:
    """|U ∩ C| / |U ∪ C| (Bau et al. 2017, eq. 2): counts (C, K), (C, 1) and (K,) → float32 (C, K).

    0 where the union is empty: a unit that is never above its level, and a concept that never appears.
    """
    unions = units + concepts - intersections
    return (intersections.double() / unions.clamp(min=1)).float()


def label_maps(found: Tensor | Mapping[str, Tensor], names: Mapping[str, Sequence[str]], count: int) -> dict:
    """What a segmenter gave for ``count`` images, as maps: {kind: uint8 (N, H, W)}, or int64 beyond 256 names.

    Raises:
        TypeError: neither a tensor nor {kind: tensor}.
        ValueError: another shape, or one tensor for several kinds.
    """
    if isinstance(found, Tensor):
        if len(names) != 1:
            raise ValueError(
                f"the segmenter gave one map for the kinds {', '.join(names)}; expected {{kind: map}}, or one kind"
            )
        found = {next(iter(names)): found}
    if not isinstance(found, Mapping):
        raise TypeError(f"the segmenter gave a {type(found).__name__}; expected a tensor, or {{kind: tensor}}")
    maps = {}
    for kind, values in found.items():
        if values.is_floating_point() and values.ndim == 4:
            values = values.argmax(1)
        if values.ndim != 3 or len(values) != count or values.is_floating_point():
            raise ValueError(
                f"the segmenter gave {values.dtype} of shape {tuple(values.shape)} for {count} images; expected "
                "numbers (N, H, W) or logits (N, K, H, W)"
            )
        small = len(names.get(kind, ())) <= 256
        if small and values.numel() and not 0 <= int(values.min()) <= int(values.max()) < 256:
            raise ValueError(f"the segmenter gave numbers up to {int(values.max())}; expected those of the names")
        maps[kind] = values.to(torch.uint8 if small else torch.int64)
    return maps


def _check_maps(kind: str, values: Tensor, names: Sequence[str]) -> None:
    if values.dtype == torch.bool:
        if values.ndim != 4 or values.shape[1] != len(names):
            raise ValueError(
                f"masks of {kind!r} have shape {tuple(values.shape)}; expected (N, {len(names)}, H, W), one a name"
            )
        return
    if values.is_floating_point() or values.is_complex():
        raise TypeError(f"maps of {kind!r} are {values.dtype}; expected integers (N, H, W), or bool (N, names, H, W)")
    if values.ndim != 3 or not values.numel():
        raise ValueError(f"maps of {kind!r} have shape {tuple(values.shape)}; expected (N, H, W) with N ≥ 1")
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= len(names):
        wrong = low if low < 0 else high
        raise ValueError(f"maps of {kind!r} hold {wrong}; expected indices into its {len(names)} names")
