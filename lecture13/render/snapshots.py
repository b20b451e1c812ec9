"""Snapshots of a flat sign: from where, in which light, through which lens; differentiable in the sign.

snapshots = Snapshots(distance=(5, 40), angle=(-30, 30), cover=cover)
images = snapshots(signs, generator)              # each sign (N, C, H, W) once, every one in a view of its own
shots = snapshots.draw(8, generator)              # or in two steps: what is drawn by chance,
images = snapshots.take(signs, shots)             # and the pictures, the same at every call
images = photograph(labels, snapshots, generator) # of the embedded signs, each with its own cover
"""

import math
from dataclasses import dataclass, field, replace
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13.render import scenes
from lecture13.render.camera import Camera, frame
from lecture13.render.drawn import Drawn
from lecture13.render.faces import faces
from lecture13.render.ranges import Range, check_range

SAMPLES = 3  # per pixel and axis: a face of 64 pixels that fills 2/3 of a picture of 32 has as many
FACE = 64  # side of a face that is photographed, in pixels

#: The limits of each range, and its unit.
_LIMITS = {
    "distance": (0.01, 10_000.0, "feet"),
    "angle": (-85.0, 85.0, "degrees: from further aside the face is not seen"),
    "tilt": (-60.0, 60.0, "degrees"),
    "roll": (-180.0, 180.0, "degrees"),
    "margin": (0.5, 5.0, "times the sign's longer side"),
    "shift": (-0.5, 0.5, "sides of the picture"),
    "exposure": (-4.0, 4.0, "stops"),
    "tint": (0.1, 10.0, "times"),
    "blur": (0.0, 5.0, "pixels of the picture"),
    "noise": (0.0, 1.0, "of white"),
}


@dataclass(frozen=True, eq=False)
class Shots(Drawn):
    """N views as they were drawn: float32 (N,) each, in :class:`Snapshots`'s units; ``shift`` (N, 2), ``gain`` (N, 3).

    ``shots.moved(angle=15)`` moves the camera and leaves all else: the light, the background, the noise.
    """

    distance: Tensor
    angle: Tensor
    tilt: Tensor
    roll: Tensor
    margin: Tensor
    shift: Tensor
    gain: Tensor
    blur: Tensor
    noise: Tensor
    #: int64 (N,): of backgrounds and noise.
    keys: Tensor


@dataclass(frozen=True, eq=False)
class Snapshots:
    """The ranges (low, high) that views are drawn from, evenly; (x, x) holds a quantity at x.

    Calling it is one draw of the transformations T of Eykholt et al. 2018, section 3.2: perspective from distance and
    angle, crop, brightness; with blur and noise beside.

    Raises:
        TypeError, ValueError: a range that is none, or out of its limits, such as angles that never show the face.
    """

    #: feet from the camera to the sign; even in its logarithm.
    distance: Range = (5.0, 40.0)
    #: degrees around the vertical, 0 from the front, positive from the sign's right.
    angle: Range = (-60.0, 60.0)
    #: degrees above the sign.
    tilt: Range = (-6.0, 6.0)
    #: degrees, clockwise.
    roll: Range = (-4.0, 4.0)
    #: side of the square that is cut out, over the longer side of the sign's box.
    margin: Range = (1.05, 1.35)
    #: of the square, right and down, in its sides.
    shift: Range = (-0.04, 0.04)
    #: in stops: +1 doubles the light.
    exposure: Range = (-0.6, 0.3)
    #: factor of each colour channel by itself.
    tint: Range = (0.94, 1.06)
    #: the lens's Gaussian blur, standard deviation in pixels of the picture.
    blur: Range = (0.0, 0.5)
    #: Gaussian noise of a sensor's pixel, standard deviation; where several make a pixel of the picture, their mean's.
    noise: Range = (0.0, 0.04)
    #: side of the pictures, in pixels.
    size: int = 32
    #: (H, W) or one for each sign, (N, H, W), in [0, 1]: where the sign is. None: it fills its picture, whose edges
    #: go on beyond it.
    cover: Tensor | None = field(default=None, repr=False)
    camera: Camera = field(default_factory=Camera)

    def __post_init__(self) -> None:
        for name, (least, most, unit) in _LIMITS.items():
            object.__setattr__(self, name, check_range(name, getattr(self, name), least, most, unit))
        angle, tilt = (max(abs(end) for end in each) for each in (self.angle, self.tilt))
        worst = math.degrees(math.atan2(1, math.sin(math.radians(angle))))  # where a corner comes nearest
        self.camera.homography(self.distance[0], angle, tilt=min(tilt, worst))  # refuses what is too near
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 4:
            raise ValueError(f"size={self.size!r}; expected a whole number of pixels, 4 or more")
        if self.cover is not None:
            if not isinstance(self.cover, Tensor) or self.cover.ndim not in (2, 3) or not bool((self.cover > 0).any()):
                kind = tuple(self.cover.shape) if isinstance(self.cover, Tensor) else type(self.cover).__name__
                raise ValueError(f"cover has shape {kind}; expected (H, W) or (N, H, W), above 0 where the sign is")
            if not bool(((self.cover >= 0) & (self.cover <= 1)).all()):
                low, high = (float(value) for value in self.cover.aminmax())
                raise ValueError(f"cover lies in [{low:g}, {high:g}]; expected [0, 1]")

    def __call__(self, signs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Each sign ``(N, C, H, W)`` once, in a view of its own: ``(N, C, size, size)``."""
        return self.take(signs, self.draw(len(signs), generator))

    def draw(self, count: int, generator: torch.Generator | None = None) -> Shots:
        """``count`` views; None: from a generator seeded as ``torch.manual_seed`` was, the same at every call."""
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"count={count!r}; expected a whole number, 0 or more")
        generator = generator or torch.Generator().manual_seed(torch.initial_seed())

        def even(low: float, high: float, *shape: int) -> Tensor:
            drawn = torch.rand(count, *shape, generator=generator, device=generator.device).cpu()
            return low + (high - low) * drawn

        near, far = (math.log(end) for end in self.distance)
        plain = {name: even(*getattr(self, name)) for name in ("angle", "tilt", "roll", "margin", "blur", "noise")}
        gain = torch.exp2(even(*self.exposure))[:, None] * even(*self.tint, 3)
        keys = torch.randint(2**31, (count,), generator=generator, device=generator.device).cpu()
        return Shots(distance=even(near, far).exp(), shift=even(*self.shift, 2), gain=gain, keys=keys, **plain)

    def take(self, signs: Tensor, shots: Shots) -> Tensor:
        """Pictures ``(N, C, size, size)`` in [0, 1] of signs ``(N, C, H, W)`` in [0, 1], with a gradient to them.

        A sensor's pixel that is s pixels of the picture wide averages over s, and enlarging it bilinearly averages
        again: variances s²/12 and s²/6, which join the lens's in one Gaussian.

        Raises:
            ValueError: other numbers of signs and shots, signs of another shape, or outside [0, 1].
        """
        if signs.ndim != 4 or len(signs) != len(shots):
            raise ValueError(
                f"signs have shape {tuple(signs.shape)} for {len(shots)} shots; expected (N, C, H, W) with as many"
            )
        if self.cover is not None and self.cover.shape not in (signs.shape[2:], (len(signs), *signs.shape[2:])):
            raise ValueError(f"signs have shape {tuple(signs.shape)}; the cover has {tuple(self.cover.shape)}")
        if signs.numel() and not bool(((signs >= 0) & (signs <= 1)).all()):
            low, high = (float(value) for value in signs.detach().aminmax())
            raise ValueError(f"signs lie in [{low:g}, {high:g}]; expected [0, 1]")
        homography = self.camera.homography(shots.distance, shots.angle, tilt=shots.tilt, roll=shots.roll)
        cut = frame(homography, shots.margin, shots.shift)
        grid = _grid(torch.linalg.inv(homography) @ cut, self.size * SAMPLES).to(signs)
        # beside its cover a sign's own rim goes on, so that where the edge cuts a sample its colour is the sign's
        images = F.grid_sample(signs, grid, padding_mode="border", align_corners=False)
        if self.cover is not None:
            cover = self.cover.to(signs).expand(len(signs), *signs.shape[2:])[:, None]
            around = self._backgrounds(shots, signs.shape[1]).to(signs)
            around = F.interpolate(around, size=images.shape[2:], mode="bilinear", align_corners=False)
            images = torch.lerp(around, images, F.grid_sample(cover, grid, align_corners=False).expand_as(images))
        images = F.avg_pool2d(images, SAMPLES)
        pixel = self.size / (2 * cut[:, 0, 0])  # a sensor's pixel, in pixels of the picture
        images = _blur(images, (shots.blur.square() + pixel.square() / 4).sqrt())
        gain = shots.gain if signs.shape[1] == 3 else shots.gain.mean(1, keepdim=True)
        noise = _normal(shots.keys, images.shape[1:]) * (shots.noise * pixel.clamp(max=1))[:, None, None, None]
        return (images * gain.to(signs)[:, :, None, None] + noise.to(signs)).clamp(0, 1)

    def _backgrounds(self, shots: Shots, channels: int) -> Tensor:
        pool = _scenes()
        chosen = pool[shots.keys % len(pool)]
        zoom = 0.4 + 0.5 * (shots.keys // len(pool) % 97) / 96
        look = ((shots.keys // 7 % 89) / 44 - 1) * (1 - zoom)
        zero = torch.zeros_like(zoom)
        place = torch.stack([torch.stack([zoom, zero, look], 1), torch.stack([zero, zoom, -look], 1)], 1)
        grid = F.affine_grid(place, [len(shots), 3, self.size, self.size], align_corners=False)
        found = F.grid_sample(chosen, grid, padding_mode="border", align_corners=False)
        return found if channels == 3 else found.mean(1, keepdim=True)


def photograph(labels: Tensor, snapshots: Snapshots, generator: torch.Generator | None = None) -> Tensor:
    """A snapshot of the face of each class ``(N,)`` of the embedded signs, before a scene: ``(N, 3, size, size)``."""
    chosen = faces(FACE)[labels.cpu()]
    return replace(snapshots, cover=chosen[:, 3])(chosen[:, :3], generator)


@cache
def _scenes() -> Tensor:
    """Scenes to stand before, (128, 3, 32, 32); a part of one is enlarged, so it lies out of focus."""
    return scenes.draw(128, size=32, seed=2**32 - 3).images


def _grid(matrix: Tensor, side: int) -> Tensor:
    """Where on the face each sample of the picture lies, (N, side, side, 2); beyond the horizon: far outside."""
    steps = (torch.arange(side) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], -1).reshape(1, -1, 3) @ matrix.mT
    found = places[..., :2] / places[..., 2:].clamp(min=1e-6)
    return found.view(len(matrix), side, side, 2)


def _blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur with a standard deviation (N,) in pixels for each image: a matrix product for each axis."""
    steps = torch.arange(images.shape[-1], dtype=torch.float32)
    weights = torch.exp(-0.5 * ((steps[:, None] - steps) / sigma[:, None, None].clamp(min=0.05)).square())
    lens = (weights / weights.sum(2, keepdim=True)).to(images)[:, None]
    return lens @ images @ lens.mT


def _normal(keys: Tensor, shape: torch.Size) -> Tensor:
    """Standard normal numbers (N, *shape): a function of each key alone."""
    each = [torch.randn(shape, generator=torch.Generator().manual_seed(key)) for key in keys.tolist()]
    return torch.stack(each) if each else torch.empty(0, *shape)
