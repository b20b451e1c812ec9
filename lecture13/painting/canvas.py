"""What was painted on which scene, and the picture that the generator then draws."""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn

from lecture13.gan.images import to_unit
from lecture13.tracing import batches, trace

#: What a stroke does to a brush's units in a cell: set them to their values, to 0, or (all brushes) leave them alone.
ACTIONS = ("add", "remove", "restore")


@dataclass(frozen=True, eq=False)
class Brush:
    """Units that draw a concept, (U,) int64, and the activation (U,) that each is set to where the concept is added."""

    name: str
    units: Tensor
    value: Tensor

    def __post_init__(self):
        if self.units.ndim != 1 or not len(self.units) or self.value.shape != self.units.shape:
            raise ValueError(
                f"brush {self.name!r}: units {tuple(self.units.shape)}, value {tuple(self.value.shape)}; expected one "
                "unit or more, (U,), and a value for each"
            )


@dataclass(frozen=True)
class Stroke:
    """One brush (its place among the brushes) in one cell."""

    brush: int
    action: str
    cell: tuple[int, int]


class Canvas:
    """Scenes of a generator, and the strokes on each, in the order in which they were made.

    Args:
        generator, layer, z, brushes: as :func:`lecture13.painting.paint`.

    Raises:
        ValueError: as there.
    """

    def __init__(self, generator: nn.Module, layer: str, z: Tensor, brushes: Sequence[Brush]):
        self.generator, self.layer, self.z, self.brushes = generator, layer, z, tuple(brushes)
        names = [brush.name for brush in self.brushes]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"brushes {names}; expected one or more, of different names")
        drawn = list(batches(generator, z, layer, batch_size=1, outputs=True))  # rounded as in picture()
        self.activations = torch.cat([batch.activations[layer].cpu() for batch in drawn])
        if self.activations.ndim != 4:
            raise ValueError(f"layer {layer!r} gives shape {tuple(self.activations.shape)}; expected maps (N, C, h, w)")
        self.pictures = torch.cat([to_unit(batch.output).cpu() for batch in drawn])
        channels, *self.size = self.activations.shape[1:]
        for brush in self.brushes:
            if not 0 <= int(brush.units.min()) <= int(brush.units.max()) < channels:
                raise ValueError(f"brush {brush.name!r} has units {brush.units.tolist()}; expected 0 … {channels - 1}")
        self.strokes: list[list[Stroke]] = [[] for _ in z]

    def __len__(self) -> int:
        return len(self.z)

    def paint(self, scene: int, brush: int, action: str, cells: Iterable[tuple[int, int]]) -> None:
        """Make a stroke in each of the cells (row, column); what the same brush did there before is forgotten."""
        if action not in ACTIONS:
            raise ValueError(f"action {action!r}; known: {', '.join(ACTIONS)}")
        for cell in cells:
            kept = [s for s in self.strokes[scene] if s.cell != cell or (action != "restore" and s.brush != brush)]
            self.strokes[scene] = kept + ([] if action == "restore" else [Stroke(brush, action, cell)])

    def near(self, cell: tuple[int, int], reach: int) -> list[tuple[int, int]]:
        """The cells within ``reach`` rows and columns of one."""
        rows, columns = (range(max(0, c - reach), min(n, c + reach + 1)) for c, n in zip(cell, self.size, strict=True))
        return [(row, column) for row in rows for column in columns]

    def clear(self, scene: int) -> None:
        """Forget what was painted on a scene."""
        self.strokes[scene] = []

    def picture(self, scene: int) -> Tensor:
        """The scene as the generator draws it with the strokes: (3, H, W) in [0, 1]."""
        with trace(self.generator, edit={self.layer: lambda given: self._edited(given, scene)}):
            (drawn,) = batches(self.generator, self.z[scene : scene + 1], self.layer, outputs=True)
        return to_unit(drawn.output)[0].cpu()

    def told(self, scene: int) -> str:
        """What was painted, in words: "tree removed in 3 cells, door added in 1 cell"."""
        done = {"add": "added", "remove": "removed"}
        counted = Counter((stroke.brush, stroke.action) for stroke in self.strokes[scene])
        parts = [
            f"{self.brushes[brush].name} {done[action]} in {count} cell{'s' if count > 1 else ''}"
            for (brush, action), count in counted.items()
        ]
        return ", ".join(parts) or "nothing painted yet"

    def _edited(self, given: Tensor, scene: int) -> Tensor:
        changed = given.clone()
        for stroke in self.strokes[scene]:
            brush = self.brushes[stroke.brush]
            changed[:, brush.units, *stroke.cell] = brush.value.to(given) if stroke.action == "add" else 0.0
        return changed


def encode(picture: Tensor) -> str:
    """A picture (3, H, W) in [0, 1] as a data: address, without loss."""
    pixels = picture.mul(255).round().byte().permute(1, 2, 0).numpy()
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()
