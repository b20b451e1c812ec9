"""Poses: the ranges that a camera, a lamp and a lens are drawn from, and what was drawn."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lecture13.render.chance import Chance
from lecture13.render.drawn import Drawn
from lecture13.render.ranges import Range, check_range, matrix

BACKGROUNDS = ("scenes", "noise", "colours")

#: The limits of each range, and its unit.
_LIMITS = {
    "azimuth": (-360.0, 360.0, "degrees"),
    "elevation": (-90.0, 90.0, "degrees"),
    "roll": (-360.0, 360.0, "degrees"),
    "distance": (1.2, 100.0, "radii of the solid"),
    "shift": (-10.0, 10.0, "of the frame's side"),
    "ambient": (0.0, 1.0, "of the light"),
    "lamp": (0.0, 180.0, "degrees from the camera"),
    "shine": (0.0, 1.0, "of white"),
    "blur": (0.0, 5.0, "pixels of a 64-pixel image"),
    "noise": (0.0, 1.0, "of white"),
    "exposure": (-4.0, 4.0, "stops"),
    "tint": (0.1, 10.0, "times"),
}


@dataclass(frozen=True, eq=False)
class Shots(Drawn):
    """N poses as they were drawn, float32 (N,) each, with :class:`Poses`'s units; ``keys`` drive backgrounds and noise.

    ``shots.moved(azimuth=90)`` walks the camera around the solid and leaves all else.
    """

    azimuth: Tensor
    elevation: Tensor
    roll: Tensor
    distance: Tensor
    #: (N, 2): to the right and down.
    shift: Tensor
    ambient: Tensor
    #: (N, 3): the unit direction towards the lamp, in the camera's frame (x right, y up, z towards the camera).
    lamp: Tensor
    shine: Tensor
    blur: Tensor
    noise: Tensor
    #: (N, 3): what each colour channel is multiplied by.
    gain: Tensor
    #: int64 (N,), indices into :data:`BACKGROUNDS`.
    background: Tensor
    #: int64 (N,).
    keys: Tensor

    @property
    def rotation(self) -> Tensor:
        """(N, 3, 3): from the solid's coordinates to the camera's: x right, y up, z towards the camera."""
        a, e, r = (torch.deg2rad(angle) for angle in (self.azimuth, self.elevation, self.roll))
        one, zero = torch.ones_like(a), torch.zeros_like(a)
        turn = matrix([[a.cos(), zero, -a.sin()], [zero, one, zero], [a.sin(), zero, a.cos()]])
        tilt = matrix([[one, zero, zero], [zero, e.cos(), -e.sin()], [zero, e.sin(), e.cos()]])
        roll = matrix([[r.cos(), -r.sin(), zero], [r.sin(), r.cos(), zero], [zero, zero, one]])
        return roll @ tilt @ turn


@dataclass(frozen=True)
class Poses:
    """The ranges (low, high) that poses are drawn from, evenly; (x, x) holds a quantity at x.

    The camera's range of directions, distance and shift are those of the paper's 3-D case (Athalye et al. 2018, section
    3.2): every rotation, a distance of 2.5 to 3 and a shift of ±.05.

    Raises:
        TypeError, ValueError: a range that is none, or out of its limits; an unknown background.
    """

    #: degrees around the vertical: at 0 the camera sees its right side, at 90 its front.
    azimuth: Range = (-180.0, 180.0)
    #: degrees above the horizon; even over the sphere, so that no direction is preferred.
    elevation: Range = (-90.0, 90.0)
    #: degrees about the line of sight, anticlockwise. All three at their full range: even over all rotations.
    roll: Range = (-180.0, 180.0)
    #: from the solid's middle, in its radii; 1.2 or more. The frame spans 45°.
    distance: Range = (2.5, 3.0)
    #: of the picture, right and down, as a share of its side.
    shift: Range = (-0.05, 0.05)
    #: how bright a surface is that the lamp does not reach, where a surface that faces it has 1.
    ambient: Range = (0.35, 0.65)
    #: degrees between the lamp and the camera, as seen from the solid, in any direction.
    lamp: Range = (0.0, 70.0)
    #: brightness of the highlights.
    shine: Range = (0.0, 0.25)
    #: what stands behind: some of :data:`BACKGROUNDS`, each as often.
    background: tuple[str, ...] = BACKGROUNDS
    #: the lens's Gaussian blur, standard deviation in 1/64 of the image's side.
    blur: Range = (0.2, 0.8)
    #: the sensor's Gaussian noise, standard deviation.
    noise: Range = (0.0, 0.04)
    #: in stops: +1 doubles the light.
    exposure: Range = (-0.5, 0.3)
    #: factor of each colour channel by itself.
    tint: Range = (0.9, 1.1)

    def __post_init__(self) -> None:
        for name, (least, most, unit) in _LIMITS.items():
            object.__setattr__(self, name, check_range(name, getattr(self, name), least, most, unit))
        if isinstance(self.background, str) or not self.background or set(self.background) - set(BACKGROUNDS):
            raise ValueError(f"background={self.background!r}; expected one or more of {', '.join(BACKGROUNDS)}")

    def draw(self, count: int, generator: torch.Generator | None = None) -> Shots:
        """``count`` poses; None: from a generator seeded as ``torch.manual_seed`` was, the same at every call."""
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"count={count!r}; expected a whole number, 0 or more")
        generator = generator or torch.Generator().manual_seed(torch.initial_seed())
        seed = int(torch.randint(2**32, (1,), generator=generator, device=generator.device))
        return self.of(Chance.of_images(seed, 0, count).fork("shot"))

    def of(self, chance: Chance) -> Shots:
        """One pose for each key of ``chance``: a function of the key alone."""

        def draw(name: str, shape: tuple = ()) -> Tensor:
            low, high = getattr(self, name)
            return chance.uniform(name, low, high, shape) if high > low else torch.full((len(chance), *shape), low)

        low, high = (math.sin(math.radians(angle)) for angle in self.elevation)
        height = chance.uniform("elevation", low, high)  # Archimedes: even in height is even on the sphere
        angle, around = torch.deg2rad(draw("lamp")), chance.uniform("lamp turn", -math.pi, math.pi)
        lamp = torch.stack([angle.sin() * around.cos(), angle.sin() * around.sin(), angle.cos()], 1)
        listed = torch.tensor([BACKGROUNDS.index(name) for name in self.background])
        return Shots(
            azimuth=draw("azimuth"),
            elevation=torch.rad2deg(torch.asin(height.clamp(-1, 1))),
            roll=draw("roll"),
            distance=draw("distance"),
            shift=draw("shift", (2,)),
            ambient=draw("ambient"),
            lamp=lamp,
            shine=draw("shine"),
            blur=draw("blur"),
            noise=draw("noise"),
            gain=torch.exp2(draw("exposure"))[:, None] * draw("tint", (3,)),
            background=listed[chance.whole("background", 0, len(listed) - 1)],
            keys=chance.keys,
        )
