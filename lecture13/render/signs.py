"""Road signs, drawn by program: faces by class, in any pose and light, before outdoor scenes.

signs = draw(1000, size=32, seed=0)
signs.images   (1000, 3, 32, 32) float32 in [0, 1]
signs.labels   (1000,) int64 into CLASSES

Measured as the scenes are: 1.2 ms a sign at 32×32.
"""

from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13.render import scenes
from lecture13.render.chance import Chance
from lecture13.render.faces import FACES, faces
from lecture13.render.series import check, classes_in_turn, paint_in_chunks

CLASSES = tuple(FACES)
SAMPLES = 2  # per pixel and axis


@dataclass(frozen=True)
class Signs:
    """``images`` (N, 3, S, S) float32 in [0, 1]; ``labels`` (N,) int64 into CLASSES."""

    images: Tensor
    labels: Tensor


def draw(count: int, *, size: int = 32, seed: int = 0, first: int = 0, progress: bool = False) -> Signs:
    """Draw signs; the arguments, and their errors, are those of :func:`lecture13.render.scenes.draw`."""
    check(count, size, seed, first)
    labels = classes_in_turn(seed, first, count, len(CLASSES))
    images = torch.empty(count, 3, size, size)
    pool, every = _backgrounds(), faces(max(96, size))

    def paint_part(part: slice) -> None:
        chance = Chance.of_images(seed, first + part.start, part.stop - part.start).fork("sign")
        images[part] = _paint(chance, labels[part], size, pool, every)

    paint_in_chunks(paint_part, count, size, "sign", progress)
    return Signs(images, labels)


@cache
def _backgrounds() -> Tensor:
    """Scenes to stand before, (128, 3, 32, 32); they are cut and enlarged, so they lie out of focus."""
    return scenes.draw(128, size=32, seed=2**32 - 1).images


def _grid(n: int, side: int) -> Tensor:
    """Sample centres (n, side, side, 3) on [−1, 1]², homogeneous."""
    steps = (torch.arange(side) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)], -1).expand(n, side, side, 3)


def _pose(chance: Chance) -> Tensor:
    """From the picture to the sign's face: homographies (n, 3, 3) of shift, scale, rotation, slant and perspective."""
    n = len(chance)
    angle = chance.uniform("angle", -0.22, 0.22)
    scale = 1 / chance.uniform("scale", 0.58, 0.95)
    squeeze = chance.uniform("squeeze", 1.0, 1.35)  # a sign turned away from us is narrower
    c, s = torch.cos(angle), torch.sin(angle)
    matrix = torch.zeros(n, 3, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = scale * squeeze * c, scale * squeeze * s
    matrix[:, 1, 0], matrix[:, 1, 1] = -scale * s, scale * c
    matrix[:, 0, 1] += chance.uniform("slant", -0.12, 0.12)
    matrix[:, 2, 0], matrix[:, 2, 1] = chance.uniform("far x", -0.16, 0.16), chance.uniform("far y", -0.12, 0.12)
    matrix[:, 2, 2] = 1
    shift = torch.stack([chance.uniform("x", -0.16, 0.16), chance.uniform("y", -0.16, 0.16), torch.zeros(n)], 1)
    matrix[:, :, 2] -= (matrix[:, :, :2] @ shift[:, :2, None])[:, :, 0]
    return matrix


def _paint(chance: Chance, labels: Tensor, size: int, pool: Tensor, every: Tensor) -> Tensor:
    """Signs of the labels (n,), faces from ``every`` (K, 4, R, R), before scenes from ``pool`` (M, 3, H, W)."""
    n, side = len(labels), SAMPLES * size
    pixels = chance.over_pixels()
    grid = _grid(n, side)

    # The background: a part of a scene, perhaps mirrored.
    zoom = pixels.uniform("zoom", 0.35, 0.9)
    mirror = torch.where(pixels.happens("mirror", 0.5), 1.0, -1.0)
    middle_x = (1 - zoom) * pixels.uniform("look x", -1, 1)
    middle_y = (1 - zoom) * pixels.uniform("look y", -1, 1)
    place = torch.stack([grid[..., 0] * zoom * mirror + middle_x, grid[..., 1] * zoom + middle_y], -1)
    chosen = pool[chance.whole("scene", 0, len(pool) - 1)]
    image = F.grid_sample(chosen, place, mode="bilinear", padding_mode="border", align_corners=False)

    # The pole, then the face.
    homography = _pose(chance)
    on_face = (grid.reshape(n, -1, 3) @ homography.transpose(1, 2)).view(n, side, side, 3)
    u, v = (on_face[..., :2] / on_face[..., 2:].clamp(min=0.2)).unbind(-1)
    steel = pixels.uniform("steel", 0.35, 0.65) * (1 - 0.35 * (u / 0.09).clamp(-1, 1))
    pole = ((0.09 - u.abs()) * size / 3).clamp(0, 1) * (v > 0) * pixels.happens("pole", 0.8)
    image = torch.lerp(image, steel[:, None].expand_as(image), pole[:, None].expand_as(image))
    face = F.grid_sample(every[labels], torch.stack([u, v], -1), mode="bilinear", align_corners=False)
    paint, cover = face[:, :3], face[:, 3:]
    grey = paint.mean(1, keepdim=True)
    paint = torch.lerp(grey.expand_as(paint), paint, chance.uniform("faded", 0.65, 1.05)[:, None, None, None])
    shine = 1 + chance.uniform("shine", -0.25, 0.25)[:, None, None] * (u * 0.6 + v)
    image = torch.lerp(image, paint * shine[:, None], cover.expand_as(image))

    # Light: a cast shadow's straight edge over everything, exposure, tint, haze.
    turn = pixels.uniform("edge turn", -3.1416, 3.1416)
    along = grid[..., 0] * torch.cos(turn) + grid[..., 1] * torch.sin(turn) - pixels.uniform("edge", -0.6, 0.6)
    dark = pixels.uniform("cast shadow", -0.5, 0.45).clamp(min=0)
    image = image * (1 - dark * (0.5 + along * 4).clamp(0, 1))[:, None]
    exposure = torch.exp(chance.uniform("exposure", -0.85, 0.30))[:, None, None, None]
    tint = 1 + chance.uniform("tint", -0.08, 0.08, (3,))[:, :, None, None]
    haze = chance.uniform("haze", -0.15, 0.22)[:, None, None, None].clamp(min=0)
    image = torch.lerp(image * exposure * tint, torch.tensor(0.72) * exposure, haze)

    image = F.avg_pool2d(image, SAMPLES)
    image = _blur(image, chance.uniform("blur", 0.0, 0.9) * size / 32, chance.uniform("motion", 0.0, 0.9) * size / 32)
    noise = chance.uniform("noise", -1, 1, (3, size, size)) * chance.uniform("gain", 0.005, 0.05)[:, None, None, None]
    return (image + noise).clamp(0, 1)


def _blur(images: Tensor, vertical: Tensor, horizontal: Tensor) -> Tensor:
    """Gaussian blur with a standard deviation (n,) in pixels for each image and axis."""
    n, channels, size, _ = images.shape
    reach = max(1, min(size - 1, round(3 * 0.9 * size / 32)))
    steps = torch.arange(-reach, reach + 1)

    def kernel(sigma: Tensor) -> Tensor:
        weights = torch.exp(-0.5 * (steps / sigma[:, None].clamp(min=0.05)).square())
        return (weights / weights.sum(1, keepdim=True)).repeat_interleave(channels, 0)

    planes = F.pad(images.reshape(1, n * channels, size, size), (reach,) * 4, mode="replicate")
    planes = F.conv2d(planes, kernel(vertical)[:, None, :, None], groups=n * channels)
    return F.conv2d(planes, kernel(horizontal)[:, None, None, :], groups=n * channels).view_as(images)
