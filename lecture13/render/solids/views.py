"""What a camera sees of a solid: UV map, mask and shading, once for each pose; then any texture in that pose, at once.

For a fixed pose, all but the clipping is affine in the texels (Athalye et al. 2018, section 3.2)::

    radiance = lens(mask · shading · grid_sample(texture, uv) + base)            affine in the texels
    image    = clip(gain · radiance + noise)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13.render.chance import Chance
from lecture13.render.drawn import Rows
from lecture13.render.solids.backgrounds import backgrounds
from lecture13.render.solids.mesh import Mesh, check_texture
from lecture13.render.solids.poses import Poses, Shots
from lecture13.render.solids.raster import rasterise

FOCUS = 1 / math.tan(math.radians(45 / 2))  # the frame spans 45°
CHUNK = 16  # images rasterised at once: what they need stays in the cache


@dataclass(frozen=True)
class Views(Rows):
    """N poses, ready to be rendered with any texture. S pixels a side, s = samples · S samples a side.

    Memory: about 340 kB a pose at 64 × 64 with 4 samples a pixel.
    """

    #: (N, s, s, 2): where on the texture each sample lies, in ``grid_sample``'s coordinates; 0 where nothing is.
    uv: Tensor
    #: bool (N, s, s): where the solid is.
    mask: Tensor
    #: (N, 1, s, s): what the texture's colour is multiplied by; 0 where nothing is.
    shading: Tensor
    #: (N, 3, S, S): what is seen of a black texture: background and highlights.
    base: Tensor
    #: (N, S, s): along each axis, a pixel is this mean of samples: area and blur.
    lens: Tensor
    #: (N, 3, 1, 1): exposure and tint.
    gain: Tensor
    #: (N, 3, S, S): the sensor's noise, already drawn.
    noise: Tensor
    shots: Shots

    @property
    def coverage(self) -> Tensor:
        """(N,): the share of the picture that the solid covers."""
        return self.mask.float().mean((1, 2))

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "Views":
        """The same views on a device, and in a precision; the shots stay as they are."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, values in moved.items():
            if name != "shots":
                moved[name] = values.to(device, dtype if values.is_floating_point() else None)
        return Views(**moved)


def look(mesh: Mesh | Sequence[Mesh], shots: Shots, *, size: int = 64, samples: int = 2) -> Views:
    """Rasterise a solid in each of the poses.

    Args:
        mesh: the solid; or one for each pose.
        shots: N poses, from :meth:`Poses.draw`.
        size: S, side of the images in pixels.
        samples: per pixel and axis. 2 gives smooth edges; 1 is four times as fast, with steps.

    Raises:
        ValueError: no poses, another number of meshes than of poses, a camera inside the solid, sizes out of range.
    """
    _check_sizes(size, samples)
    meshes = [mesh] * len(shots) if isinstance(mesh, Mesh) else list(mesh)
    if len(meshes) != len(shots) or not meshes:
        raise ValueError(f"{len(meshes)} solids for {len(shots)} poses; expected one for each pose, and a pose or more")
    parts = [slice(low, low + CHUNK) for low in range(0, len(shots), CHUNK)]
    drawn = [_surfaces(meshes[part], shots[part], size * samples) for part in parts]
    uv, mask, shading, highlight = (torch.cat(each) for each in zip(*drawn, strict=True))
    lens = _lens(shots.blur * (size / 64), size, samples)
    behind = F.avg_pool2d((~mask)[:, None].float(), samples) * backgrounds(shots, size)
    shine = _average(lens, highlight)
    blurred = _lens(shots.blur * (size / 64), size, 1)
    noise = _normal(Chance(shots.keys).fork("sensor"), size) * shots.noise[:, None, None, None]
    gain = shots.gain[:, :, None, None]
    return Views(uv, mask, shading, _average(blurred, behind) + shine, lens, gain, noise, shots)


def radiance(texture: Tensor, views: Views) -> Tensor:
    """The light that falls on the sensor, (N, 3, S, S), not clipped: affine in the texels.

    Args:
        texture: floating (1, 3, H, W), or (N, 3, H, W) with one for each view; values are not looked at.
        views: on the texture's device and in its precision (:meth:`Views.to`).

    Raises:
        ValueError: a texture of another shape, or on another device or in another precision than the views.
    """
    n, s = len(views), views.uv.shape[1]
    if texture.ndim != 4 or texture.shape[1] != 3 or len(texture) not in (1, n):
        raise ValueError(f"the texture has shape {tuple(texture.shape)}; expected (1, 3, H, W), or one for each view")
    if texture.dtype != views.uv.dtype or texture.device != views.uv.device:
        raise ValueError(
            f"the texture is {texture.dtype} on {texture.device}, the views are {views.uv.dtype} on {views.uv.device}; "
            "move them: views.to(texture.device, texture.dtype), or camera(…, device=, dtype=)"
        )
    if len(texture) == 1:
        # as few and as long grids as there are threads: a copy of the texture's gradient for each pose would cost more
        # than all else
        threads = math.gcd(n, torch.get_num_threads()) if texture.device.type == "cpu" else 1
        grid = views.uv.reshape(threads, -1, s, 2)
        colour = F.grid_sample(texture.expand(threads, -1, -1, -1), grid, padding_mode="border", align_corners=False)
        colour = colour.view(threads, 3, n // threads, s, s).transpose(1, 2).reshape(n, 3, s, s)
    else:
        colour = F.grid_sample(texture, views.uv, padding_mode="border", align_corners=False)
    return _average(views.lens, colour * views.shading) + views.base


def expose(light: Tensor, views: Views) -> Tensor:
    """What the sensor makes of it: exposure and tint, noise, clipping to [0, 1]."""
    return (light * views.gain + views.noise).clamp(0, 1)


def render(texture: Tensor, views: Views) -> Tensor:
    """Images (N, 3, S, S) in [0, 1] of a solid with this texture, in each of the views; differentiable in the texels.

    Args, Raises: as :func:`radiance`; a texture outside [0, 1] is an error.
    """
    return expose(radiance(check_texture(texture), views), views)


def camera(
    mesh: Mesh,
    poses: Poses | None = None,
    *,
    size: int = 64,
    samples: int = 2,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
) -> Callable[[int, torch.Generator | None], Views]:
    """A function (count, generator) → that many new :class:`Views`, as :func:`lecture13.attacks.expectation` takes.

    Args:
        mesh, size, samples: as in :func:`look`.
        poses: the ranges; None: :class:`Poses` as they are.
        device, dtype: where the views go, and in which precision; None: float32.

    Raises:
        ValueError: sizes out of range; from the function, when the solid is in none of the views.
    """
    _check_sizes(size, samples)
    ranges = poses or Poses()

    def shoot(count: int, generator: torch.Generator | None = None) -> Views:
        views = look(mesh, ranges.draw(count, generator), size=size, samples=samples)
        if not bool(views.mask.any()):
            raise ValueError(
                f"{mesh.name!r} is in none of {count} views: shift={ranges.shift} moves it out of the frame, or at "
                f"distance={ranges.distance} it is smaller than a pixel, or it lies far from the origin (mesh.fitted() "
                "moves it there)"
            )
        return views.to(device, dtype)

    return shoot


def _check_sizes(size: int, samples: int) -> None:
    for name, value, most in (("size", size, 2048), ("samples", samples, 8)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name}={value!r}; expected a whole number from 1 to {most}")


def _surfaces(meshes: Sequence[Mesh], shots: Shots, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """UV map, mask, shading and highlights of ``size`` × ``size`` samples."""
    n = len(shots)
    # Eye and lamp come to the solid: its normals stay where they are, and faces seen from behind are left out at once.
    rotation = shots.rotation
    lamp = _turned_back(rotation, shots.lamp)
    half = F.normalize(shots.lamp + torch.tensor([0.0, 0.0, 1.0]), dim=1)  # the eye, far away
    half = _turned_back(rotation, half)
    screen, surface, counts = [], [], []
    for mesh, turn, distance, shift in zip(meshes, rotation, shots.distance, shots.shift, strict=True):
        eye = distance * mesh.radius
        corners, carried = mesh.faces_towards(eye * turn[2])
        x, y, z = (corners @ turn.T).unbind(2)
        depth = eye - z
        move = 2 * shift * depth[..., None]
        screen.append(torch.stack([FOCUS * x + move[..., 0], move[..., 1] - FOCUS * y, depth], 2))
        surface.append(carried)
        counts.append(len(corners))
    image = torch.arange(n).repeat_interleave(torch.tensor(counts))
    hits = rasterise(torch.cat(screen), image, n, size)

    # (P, 5): of the three corners' texture coordinates and normals, what lies in between
    between = torch.bmm(hits.weights[:, None], torch.cat(surface)[hits.triangle])[:, 0]
    who = hits.pixel // size**2
    normal = F.normalize(between[:, 2:], dim=1)
    facing = (normal * lamp[who]).sum(1)
    ambient = shots.ambient[who]
    diffuse = ambient + (1 - ambient) * (0.35 + 0.65 * facing).clamp(min=0)  # wrapped: there is light all around
    gloss = shots.shine[who] * (normal * half[who]).sum(1).clamp(min=0) ** 24  # Blinn 1977

    mask = torch.zeros(n * size * size, dtype=torch.bool)
    mask[hits.pixel] = True
    uv = torch.zeros(n * size * size, 2)
    uv[hits.pixel] = between[:, :2]
    shading, shine = (torch.zeros(n * size * size).index_copy_(0, hits.pixel, values) for values in (diffuse, gloss))
    shape = (n, 1, size, size)
    return uv.view(n, size, size, 2), mask.view(n, size, size), shading.view(shape), shine.view(shape)


def _turned_back(rotation: Tensor, directions: Tensor) -> Tensor:
    """Directions (N, 3) of the camera's frame, in the solid's."""
    return (directions[:, None] @ rotation)[:, 0]


def _lens(sigma: Tensor, size: int, samples: int) -> Tensor:
    """(N, S, s): rows of sum 1 that average each pixel's samples, and blur by ``sigma`` (N,) pixels."""
    steps = torch.arange(size, dtype=torch.float32)
    blur = torch.exp(-0.5 * ((steps[:, None] - steps) / sigma[:, None, None].clamp(min=0.05)).square())
    blur = blur / blur.sum(2, keepdim=True)
    return blur.repeat_interleave(samples, 2) / samples


def _average(lens: Tensor, values: Tensor) -> Tensor:
    """(N, C, S, S) of samples (N, C, s, s), along the rows and down the columns."""
    n, channels, samples, _ = values.shape
    rows = torch.bmm(values.reshape(n, channels * samples, samples), lens.transpose(1, 2))
    return lens[:, None] @ rows.view(n, channels, samples, -1)


def _normal(chance: Chance, size: int) -> Tensor:
    """Standard normal numbers (N, 3, size, size): of each pair of even ones, two (Box & Muller 1958)."""
    pairs = -(-3 * size * size // 2)
    length = (-2 * (1 - chance.uniform("length", shape=(pairs,))).log()).sqrt()
    angle = 2 * math.pi * chance.uniform("angle", shape=(pairs,))
    both = torch.cat([length * angle.cos(), length * angle.sin()], 1)
    return both[:, : 3 * size * size].reshape(-1, 3, size, size)
