"""What a classifier reads on a sign from the roadside: from every distance and angle, in many lights."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.estimates import Estimate, share
from lecture13.guard import Model
from lecture13.render.snapshots import Snapshots

Place = tuple[float, float]  # feet, degrees


@dataclass(frozen=True)
class Reading:
    """What was read from one place, in n pictures that differ in all but the place.

    Args:
        place: distance in feet, angle in degrees.
        classes: int64 (n,), the class of each picture.
        confidence: (K,), the mean softmax probability of each class over the pictures.
    """

    place: Place
    classes: Tensor
    confidence: Tensor

    @property
    def ranking(self) -> list[int]:
        """The classes by their mean confidence, the likeliest first."""
        return self.confidence.argsort(descending=True).tolist()

    def success(self, target: int) -> Estimate:
        """The share of the pictures that are read as ``target``."""
        return share(int((self.classes == target).sum()), len(self.classes))


def read_from(
    model: Model,
    sign: Tensor,
    places: Iterable[Place],
    *,
    snapshots: Snapshots,
    count: int,
    generator: torch.Generator | None = None,
) -> list[Reading]:
    """Photograph a sign from each place, ``count`` times, and read every picture.

    Lights, crops, backgrounds and noise are drawn once: from every place the same, so that places can be compared.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode.
        sign: ``(1, C, H, W)`` in [0, 1].
        places: (distance in feet, angle in degrees) of each.
        snapshots: the ranges of all else.
        count: pictures from each place, ≥ 1.
        generator: source of what is drawn; None: one seeded as ``torch.manual_seed`` was, the same at every call.

    Raises:
        ValueError: no pictures; a place from which the face is not seen.
    """
    shots = snapshots.draw(guard.check_count("count", count), generator)
    signs, found = sign.expand(count, -1, -1, -1), []
    with guard.frozen(model, sign.device), torch.no_grad():
        for distance, angle in places:
            images = snapshots.take(signs, shots.moved(distance=distance, angle=angle))
            logits = guard.logits(model, images).float().cpu()
            found.append(Reading((distance, angle), logits.argmax(1), logits.softmax(1).mean(0)))
    return found


def overall(readings: Sequence[Reading], target: int) -> Estimate:
    """The share of all pictures that are read as ``target``; the interval counts them as independent."""
    classes = torch.cat([reading.classes for reading in readings])
    return share(int((classes == target).sum()), len(classes))


def place_of(row: str) -> Place:
    """``"5′ 15°"`` → (5.0, 15.0): a row of the paper's Table 5.

    Raises:
        ValueError: text of another form.
    """
    found = re.fullmatch(r"(\d+)′ (-?\d+)°", row)
    if not found:
        raise ValueError(f"row {row!r}; expected feet and degrees, such as '5′ 15°'")
    return float(found[1]), float(found[2])
