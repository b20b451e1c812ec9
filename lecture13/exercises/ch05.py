"""Checks of chapter 05: pixel norm, fade-in, the equalised rate, a collapsed batch, the paper's schedule."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from lecture13.exercises import close, exercise, expect
from lecture13.gan.growing import paper_schedule
from lecture13.gan.layers import MinibatchStd
from lecture13.gan.progressive import Conv, PixelNorm


@exercise("05.1", title="Pixel norm")
def _(pixel_norm: Callable[[Tensor], Tensor]):
    maps = torch.randn(2, 5, 3, 4, generator=_chance(0), dtype=torch.float64) * 7
    found = pixel_norm(maps)
    expect(
        isinstance(found, Tensor) and found.shape == maps.shape,
        f"Return maps of the shape that came in, {tuple(maps.shape)}.",
    )
    close(
        found.square().mean(1),
        torch.ones(2, 3, 4),
        "At every pixel of every image, the mean square over the feature maps (dimension 1) is 1 afterwards.",
        rtol=1e-5,
    )
    close(found, PixelNorm()(maps), "Divide by the root of that mean square, and keep the signs.", rtol=1e-5)
    expect(
        pixel_norm(torch.zeros(1, 2, 1, 1)).isfinite().all(), "Where all maps are 0, add ε = 1e-8 below the root first."
    )
    return "No parameters and no batch: each pixel's features keep their direction, and their length stays the same."


@exercise("05.2", title="Fading a level in")
def _(fade_in: Callable[[Tensor, Tensor, float], Tensor]):
    lower, grown = torch.randn(2, 3, 4, 4, generator=_chance(1)), torch.randn(2, 3, 8, 8, generator=_chance(2))
    up = interpolate(lower, scale_factor=2, mode="nearest")
    found = fade_in(lower, grown, 0.25)
    expect(
        isinstance(found, Tensor) and found.shape == grown.shape,
        "Return images of the new resolution, (2, 3, 8, 8) here: the old ones are doubled first.",
    )
    close(fade_in(lower, grown, 0.0), up, "At α = 0 the new layers add nothing: the old image, each pixel doubled.")
    close(fade_in(lower, grown, 1.0), grown, "At α = 1 the new layers stand alone.")
    close(found, 0.75 * up + 0.25 * grown, "In between, (1 − α) of the old and α of the new.", rtol=1e-4)
    return "At α = 0 nothing changes for either net: the well-trained lower layers get no shock from the new ones."


@exercise("05.3", title="The factor of an equalised layer")
def _(factor: Callable[[int, int], float]):
    for inputs, kernel in ((64, 3), (512, 3), (16, 1)):
        layer = Conv(inputs, 2, kernel)
        close(
            factor(inputs, kernel),
            layer.factor,
            f"For {inputs} maps and a {kernel}×{kernel} kernel each output sums inputs · kernel² products; He's "
            "variance for a rectifier is 2 over that number, and c its root.",
            rtol=1e-4,
        )
    return "Same variance as He's initialiser, but applied in every step: the stored weights all stay of size 1."


@exercise("05.4", title="A number that sees a collapsed batch")
def _(spread: Callable[[Tensor], Tensor]):
    maps = torch.randn(6, 4, 3, 3, generator=_chance(3), dtype=torch.float64)
    found = torch.as_tensor(spread(maps))
    expect(found.numel() == 1, "Return one number for the whole batch.")
    collapsed = maps[:1].expand_as(maps)
    expect(
        abs(float(spread(collapsed))) < 1e-3,
        "For six copies of one image it should be 0: take the deviation over the batch, dimension 0.",
    )
    plane = MinibatchStd()(maps)[0, -1, 0, 0]
    close(
        found,
        plane,
        "The standard deviation over the batch of every feature at every place (the plain one, divided by N), then "
        "its mean over features and places.",
        rtol=1e-4,
    )
    return "A critic that gets this number as one more map can reject a batch of look-alikes, each of which looks real."


@exercise("05.5", title="Where the paper's training stands")
def _(images: float):
    expect(isinstance(images, float | int) and images > 0, f"Give one number of images; got {images!r}.")
    plan = paper_schedule(64)
    step = next(index for index in range(plan.end(32), plan.steps) if plan.at(index).alpha >= 0.5)
    exact = plan.at(step).images
    expect(
        images <= 1.01 * exact,
        f"{images:g} is too late. 4×4 needs no fading: 800 000 images; each of 8×8, 16×16 and 32×32 twice as many.",
    )
    expect(
        images >= 0.99 * exact,
        f"{images:g} is too early. After 4×4 each level takes 800 000 images to fade in and 800 000 to settle.",
    )
    return "Six million images, of which only the last 400 000 have seen 64×64 at all: most iterations are cheap ones."


def _chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
