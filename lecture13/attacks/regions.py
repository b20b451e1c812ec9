"""What several models say to the same plane of images: their decision regions side by side."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.attacks.axes import centred
from lecture13.attacks.checks import check_number
from lecture13.attacks.transfer import all_frozen, check_models
from lecture13.guard import Bounds, Model


def plane(gradient: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """The two axes of Liu et al. 2017, Figure 3: a gradient's direction, and a random one orthogonal to it.

    Args:
        gradient: ``(C, H, W)`` or ``(1, C, H, W)``, such as ``loss_gradient(model, image, label)``.
        generator: source of the random direction; None: one seeded as ``torch.manual_seed`` was.

    Returns:
        ``(2, C, H, W)``, each of RMSD 1: one step along an axis changes pixels by one level of 0–255 (in the mean
        square), for images in [0, 1].

    Raises:
        ValueError: a gradient of another shape, or one that is 0 or not finite.
    """
    first = (gradient[0] if gradient.ndim == 4 and len(gradient) == 1 else gradient).detach()
    if first.ndim != 3 or not bool(first.isfinite().all()) or not bool(first.any()):
        raise ValueError(
            f"the gradient has shape {tuple(gradient.shape)} and largest entry {float(gradient.abs().max()):g}; "
            "expected (C, H, W), finite and not 0"
        )
    first = first.to(torch.promote_types(first.dtype, torch.float32))
    generator = guard.random_source(generator, first.device)
    second = torch.randn(first.shape, generator=generator, device=generator.device).to(first)
    length = first.numel() ** 0.5 / 255
    first = first / first.norm()
    second = second - (second * first).sum() * first
    second = second - (second * first).sum() * first  # once more, for what rounding left
    return torch.stack([first, second / second.norm()]) * length


@torch.inference_mode(False)
def decision_regions(
    models: Sequence[Model],
    image: Tensor,
    directions: Tensor,
    extent: float,
    resolution: int,
    *,
    bounds: Bounds = None,
    chunk_size: int | None = None,
) -> Tensor:
    """The class that each model gives every point of a plane through ``image`` (Liu et al. 2017, Figure 3).

    Entry ``[m, i, j]`` is model m's class of ``image + v_i·directions[1] + u_j·directions[0]``, u and v from −extent
    to extent: columns go along the first axis, rows along the second. The middle is the image itself, exactly.

    Args:
        models: each gives logits ``(N, K)``; all run in eval mode.
        image: float ``(C, H, W)`` or ``(1, C, H, W)``.
        directions: float ``(2, C, H, W)``, such as :func:`plane`'s, whose unit is one level of 0–255.
        extent: largest multiple of a direction, > 0.
        resolution: R, points along each axis, odd, so that there is a middle.
        bounds: the box ``(low, high)`` that points are cut to; None, as in the paper: they are not cut.
        chunk_size: points in one pass; None: as many as hold about 2 million values, at most 256.

    Returns:
        int64 ``(M, R, R)``, on the image's device.

    Raises:
        TypeError: an image that is not floating, an extent that is no number.
        ValueError: no models, an image or directions of other shapes or not finite, an extent of 0 or less, an even
            resolution, or a model that does not return (N, K).
    """
    models = check_models(models)
    extent = check_number("extent", extent, open_low=True, unit="times a direction")
    if guard.check_count("resolution", resolution) % 2 == 0:
        raise ValueError(f"resolution={resolution} has no middle; expected an odd number, such as {resolution + 1}")
    bounds = guard.check_bounds(bounds)
    image = guard.check_images(image[None] if isinstance(image, Tensor) and image.ndim == 3 else image, bounds)
    if image.ndim != 4 or len(image) != 1:
        raise ValueError(f"image has shape {tuple(image.shape)}; expected one image, (C, H, W)")
    directions = guard.check_images(directions, None)
    if directions.shape != (2, *image.shape[1:]):
        raise ValueError(f"directions have shape {tuple(directions.shape)}; expected {(2, *image.shape[1:])}")
    exact = torch.promote_types(image.dtype, torch.float32)
    axis = centred(resolution, extent).to(image.device, exact)
    v, u = (part.reshape(-1, 1, 1, 1) for part in torch.meshgrid(axis, axis, indexing="ij"))
    along, across = directions.to(exact)
    regions = torch.empty(len(models), resolution**2, dtype=torch.int64, device=image.device)
    with all_frozen(models, image.device), torch.no_grad():
        for part in guard.chunks(image.expand(resolution**2, *image.shape[1:]), chunk_size):
            points = image.to(exact) + u[part] * along + v[part] * across
            points = (points if bounds is None else points.clamp(*bounds)).to(image.dtype)
            for row, model in zip(regions, models, strict=True):
                row[part] = guard.logits(model, points).argmax(1)
    return regions.view(-1, resolution, resolution)
