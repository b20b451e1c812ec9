"""What a dissection found: of every unit its level, its agreement with every concept, and the images that excite it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from lecture13.checkpoints import write_whole
from lecture13.dissection.concepts import Concept, index_of

#: A unit whose best IoU is above this is called a detector (Bau et al. 2020).
DETECTOR = 0.04
FORMAT = "lecture13 dissection 1"

#: "level": all concepts at the unit's top quantile level. "best": each concept at the level that suits it best.
Rule = Literal["level", "best"]


@dataclass(frozen=True)
class Labelling:
    """The C units of a layer against K concepts by one rule.

    Args:
        concepts: the K concepts.
        iou: (C, K) float32 in [0, 1]; 0 for a concept that never appears and a unit that is never above its level.
        thresholds: the activation above which a unit's region lies, (C, 1) for all concepts alike, or (C, K).
        shares: the share of the pixels that the region covers, as counted, of the same shape.
        shuffled: (C, K), the same IoU with the masks of other images: what a unit gets that only knows where in an
            image things usually are. None where it was not measured.
    """

    concepts: tuple[Concept, ...]
    iou: Tensor
    thresholds: Tensor
    shares: Tensor
    shuffled: Tensor | None = None

    @property
    def scores(self) -> Tensor:
        """(C,): the best IoU of each unit."""
        return self.iou.amax(1)

    @property
    def labels(self) -> Tensor:
        """(C,) int64: the index of each unit's best concept; −1 where no concept meets its region."""
        return torch.where(self.scores > 0, self.iou.argmax(1), -1)

    def label(self, unit: int) -> Concept | None:
        """The best concept of a unit."""
        index = int(self.labels[unit])
        return None if index < 0 else self.concepts[index]

    def detectors(self, concept: str | Concept | None = None, *, kind: str | None = None) -> Tensor:
        """(D,) int64: the units above :data:`DETECTOR`, best first; only those of a concept, or of a kind.

        Raises:
            ValueError: an unknown concept or kind, with the known ones.
        """
        wanted = torch.ones(len(self.concepts), dtype=torch.bool)
        if kind is not None:
            wanted = torch.tensor([other.kind == kind for other in self.concepts])
            if not wanted.any():
                raise ValueError(f"no kind {kind!r}; known: {', '.join(dict.fromkeys(c.kind for c in self.concepts))}")
        if concept is not None:
            wanted = torch.arange(len(self.concepts)) == index_of(self.concepts, concept, kind)
        chosen = (self.scores > DETECTOR) & wanted[self.labels]
        order = self.scores.argsort(descending=True, stable=True)
        return order[chosen[order]]

    def beyond_chance(self) -> "Labelling":
        """The same with IoU − shuffled IoU (or 0) in place of the IoU.

        A large concept meets any large region: by the best level, nearly every unit is above :data:`DETECTOR` for sky
        or grass, whichever image the mask is from. What is left is what the unit has seen in this very image.

        Raises:
            ValueError: the baseline was not measured.
        """
        if self.shuffled is None:
            raise ValueError("no shuffled baseline; dissect with shuffle=True")
        return replace(self, iou=(self.iou - self.shuffled).clamp(min=0), shuffled=None)

    def ranked(self, concept: str | Concept, *, kind: str | None = None) -> Tensor:
        """(C,) int64: all units by their IoU with one concept, best first. Raises ValueError for an unknown one."""
        return self.iou[:, index_of(self.concepts, concept, kind)].argsort(descending=True, stable=True)


@dataclass(frozen=True)
class Units:
    """The C units of one layer.

    Args:
        level: by the paper's rule, one level for all concepts.
        best: by the best of several levels for each concept; None where it was not asked for.
        top: (C, T) int64, the images in which a unit peaks highest, best first.
        peaks: (C, T) float32, the highest activation in each of them.
    """

    level: Labelling
    best: Labelling | None
    top: Tensor
    peaks: Tensor

    def __len__(self) -> int:
        return len(self.top)

    def by(self, rule: Rule) -> Labelling:
        """The labelling by a rule. Raises ValueError for an unknown one, or "best" where it was not measured."""
        if rule not in ("level", "best"):
            raise ValueError(f"rule={rule!r}; known: 'level', 'best'")
        found = self.level if rule == "level" else self.best
        if found is None:
            raise ValueError("the best levels were not measured; dissect with grid=dissection.GRID")
        return found


@dataclass(frozen=True)
class Count:
    """Detectors of one kind in one layer: how many units, for how many distinct concepts; and with shuffled masks."""

    layer: str
    kind: str
    units: int
    concepts: int
    shuffled_units: int | None


@dataclass(frozen=True)
class Dissection:
    """Layers, their units, and what they agree with.

    Args:
        concepts: the K concepts, in the order of every table.
        layers: layer → its units.
        settings: quantile, the resolution on which levels were taken, images, and size of the masks.
    """

    concepts: tuple[Concept, ...]
    layers: Mapping[str, Units]
    settings: Mapping[str, Any]

    def __getitem__(self, layer: str) -> Units:
        if layer not in self.layers:
            raise KeyError(f"layer {layer!r} was not dissected; there are {', '.join(map(repr, self.layers))}")
        return self.layers[layer]

    def counts(self, rule: Rule = "level", *, beyond_chance: bool = False) -> list[Count]:
        """Detectors by layer and kind (Bau et al. 2020, Figures 1 and 3), all kinds in every layer.

        ``beyond_chance`` counts those of :meth:`Labelling.beyond_chance`.
        """
        return [
            _count(layer, kind, units.by(rule).beyond_chance() if beyond_chance else units.by(rule))
            for layer, units in self.layers.items()
            for kind in dict.fromkeys(concept.kind for concept in self.concepts)
        ]

    def save(self, path: Path | str) -> Path:
        """Write all of it to one safetensors file, whole or not at all. Raises OSError as the system says."""
        tensors = {}
        for number, units in enumerate(self.layers.values()):
            tensors |= {f"{number}.top": units.top, f"{number}.peaks": units.peaks}
            for rule, labelling in {"level": units.level, "best": units.best}.items():
                for name, values in vars(labelling).items() if labelling else ():
                    if isinstance(values, Tensor):
                        tensors[f"{number}.{rule}.{name}"] = values
        told = {
            "concepts": [[concept.name, concept.kind] for concept in self.concepts],
            "layers": list(self.layers),
            "settings": dict(self.settings),
        }
        content = safetensors.torch.save(
            {name: values.cpu().clone(memory_format=torch.contiguous_format) for name, values in tensors.items()},
            {"format": FORMAT, "dissection": json.dumps(told, ensure_ascii=False)},
        )
        write_whole(Path(path), content)
        return Path(path)

    @classmethod
    def load(cls, path: Path | str) -> "Dissection":
        """What :meth:`save` wrote.

        Raises:
            FileNotFoundError: no such file.
            ValueError: it is damaged, or no dissection.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"no dissection {path}; dissect a net and save it there")
        try:
            with safetensors.safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (safetensors.SafetensorError, OSError) as error:
            raise ValueError(f"{path} is damaged ({error}): dissect again, or restore a copy") from error
        if metadata.get("format") != FORMAT:
            raise ValueError(f"{path} is no dissection of this version: its format is {metadata.get('format')!r}")
        told = json.loads(metadata["dissection"])
        concepts = tuple(Concept(*pair) for pair in told["concepts"])
        layers = {layer: _units(tensors, str(number), concepts) for number, layer in enumerate(told["layers"])}
        return cls(concepts, layers, told["settings"])


def _count(layer: str, kind: str, labelling: Labelling) -> Count:
    units = labelling.detectors(kind=kind)
    shuffled = None
    if labelling.shuffled is not None:
        shuffled = len(replace(labelling, iou=labelling.shuffled).detectors(kind=kind))
    return Count(layer, kind, len(units), len(labelling.labels[units].unique()), shuffled)


def _units(tensors: Mapping[str, Tensor], number: str, concepts: Sequence[Concept]) -> Units:
    rules = {}
    for rule in ("level", "best"):
        start = f"{number}.{rule}."
        found = {name.removeprefix(start): values for name, values in tensors.items() if name.startswith(start)}
        rules[rule] = Labelling(tuple(concepts), **found) if found else None
    return Units(rules["level"], rules["best"], tensors[f"{number}.top"], tensors[f"{number}.peaks"])
