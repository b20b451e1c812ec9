"""A pin-hole camera before a road sign: from (distance in feet, angle in degrees) to a homography and a size in pixels.

The sign's face is the square [−1, 1]², x to the right, y down, as in :mod:`lecture13.render.faces`. The camera looks at
its middle; at a positive angle it stands to the sign's right, so that the right edge is nearer.
"""

import math
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor

from lecture13.render.ranges import matrix

Angle = Tensor | float


@dataclass(frozen=True)
class Camera:
    """Args:
        pixels: the sensor's width, ≥ 1.
        field: its horizontal field of view in degrees, in (0, 180).
        sign: the sign's width in feet; a stop sign in the United States has 30 inches.

    The default is a dashboard camera of 640 pixels over 60°, for which a sign 40 feet away is 35 pixels wide.

    Raises:
        TypeError, ValueError: settings out of range.
    """

    pixels: int = 640
    field: float = 60.0
    sign: float = 2.5

    def __post_init__(self) -> None:
        limits = {"pixels": (1, 100_000, "pixels"), "field": (1, 179, "degrees"), "sign": (0.01, 100, "feet")}
        for name, (low, high, unit) in limits.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Real):
                raise TypeError(f"{name}={value!r} is a {type(value).__name__}; expected a number of {unit}")
            if not low <= value <= high:
                raise ValueError(f"{name}={value:g}; expected from {low:g} to {high:g} {unit}")

    @property
    def focal(self) -> float:
        """The focal length in pixels: (pixels / 2) / tan(field / 2)."""
        return self.pixels / 2 / math.tan(math.radians(self.field) / 2)

    def width(self, distance: Angle) -> Angle:
        """How many pixels wide the sign is, seen from the front: focal · sign / distance (feet)."""
        return self.focal * self.sign / distance

    def homography(self, distance: Angle, angle: Angle, *, tilt: Angle = 0.0, roll: Angle = 0.0) -> Tensor:
        """From the face to the sensor, in pixels from its middle: ``(N, 3, 3)``, float32.

        With h half the sign's width and f the focal length, a point (u, v) of the face, seen from the angle a, lies at
        X = h u cos a, Y = h v, Z = distance − h u sin a before the camera, and at (f X / Z, f Y / Z) on the sensor
        (Hartley & Zisserman 2004, eq. 6.1 and 8.1: K [r₁ r₂ t]).

        Args:
            distance: from the camera to the sign's middle, in feet: a number, or ``(N,)``.
            angle: degrees around the vertical, as above.
            tilt: degrees that the camera stands above the sign.
            roll: degrees that the picture is turned clockwise.

        Raises:
            ValueError: a camera that is nearer than half the sign's width, that has a part of the sign behind it, or
                at 90° or more, where it sees no face.
        """
        given = [torch.as_tensor(value, dtype=torch.float32).flatten() for value in (distance, angle, tilt, roll)]
        distance, angle, tilt, roll = torch.broadcast_tensors(*given)
        half = self.sign / 2
        if not bool(torch.stack([distance, angle, tilt, roll]).isfinite().all()):
            raise ValueError("distance, angle, tilt and roll hold NaN or infinite values")
        if not bool((distance > half).all()):
            raise ValueError(
                f"distance={float(distance.min()):g} feet; expected more than {half:g}, half the sign's width"
            )
        for name, value in (("angle", angle), ("tilt", tilt)):
            if not bool((value.abs() < 90).all()):
                worst = float(value[value.abs().argmax()])
                raise ValueError(f"{name}={worst:g} degrees; the face is seen only from between −90 and 90")
        a, e, r = (torch.deg2rad(value) for value in (angle, tilt, roll))
        one, zero = torch.ones_like(a), torch.zeros_like(a)
        turn = matrix([[a.cos(), zero, a.sin()], [zero, one, zero], [-a.sin(), zero, a.cos()]])
        lift = matrix([[one, zero, zero], [zero, e.cos(), -e.sin()], [zero, e.sin(), e.cos()]])
        spin = matrix([[r.cos(), -r.sin(), zero], [r.sin(), r.cos(), zero], [zero, zero, one]])
        found = half * (spin @ lift @ turn)
        found[:, :, 2] = torch.stack([zero, zero, distance], 1)  # a flat face has no third axis: its place is t's
        found[:, :2] *= self.focal
        nearest = distance - found[:, 2, :2].abs().sum(1)  # depth of the sign's nearest corner
        if not bool((nearest > 0).all()):
            worst = int(nearest.argmin())
            raise ValueError(
                f"distance={float(distance[worst]):g} feet at angle={float(angle[worst]):g} and "
                f"tilt={float(tilt[worst]):g} degrees: a corner of the sign lies behind the camera; go farther away"
            )
        return found


def project(homography: Tensor, points: Tensor) -> Tensor:
    """Points ``(P, 2)`` or ``(N, P, 2)`` through homographies ``(N, 3, 3)``: ``(N, P, 2)``.

    Raises:
        ValueError: points of another shape.
    """
    if points.shape[-1] != 2 or points.ndim not in (2, 3):
        raise ValueError(f"points have shape {tuple(points.shape)}; expected (P, 2) or (N, P, 2)")
    moved = points @ homography[:, :, :2].mT + homography[:, None, :, 2]
    return moved[..., :2] / moved[..., 2:]


def frame(homography: Tensor, margin: Tensor | float, shift: Tensor | None = None) -> Tensor:
    """The square around the sign that is cut out: ``(N, 3, 3)``, from the cut's [−1, 1]² to the sensor's pixels.

    Args:
        homography: from the face to the sensor.
        margin: the square's side over the longer side of the sign's bounding box: a number, or ``(N,)``.
        shift: ``(N, 2)``, how far its middle lies off the box's, right and down, in sides; None: not.
    """
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    seen = project(homography, corners)
    low, high = seen.amin(1), seen.amax(1)
    half = (high - low).amax(1) / 2 * margin
    middle = (low + high) / 2
    if shift is not None:
        middle = middle + 2 * half[:, None] * shift
    found = torch.zeros_like(homography)
    found[:, 0, 0] = found[:, 1, 1] = half
    found[:, :2, 2] = middle
    found[:, 2, 2] = 1
    return found
