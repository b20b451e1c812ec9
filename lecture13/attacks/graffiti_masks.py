"""Where to paint: an ℓ1 pass over the whole sign, and shapes laid where it left most paint."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13.attacks.checks import check_choice, check_number
from lecture13.attacks.graffiti import Transforms, check_mask, graffiti
from lecture13.guard import Model, check_count

SHAPES = ("rectangles", "camouflage")


def vulnerable(
    model: Model,
    images: Tensor,
    target: int,
    *,
    region: Tensor,
    transforms: Transforms | None = None,
    norm_weight: float = 60.0,
    **settings,
) -> Tensor:
    """Where a sign is vulnerable: the size of the paint that an attack leaves under an ℓ1 penalty, ``(H, W)``.

    Eykholt et al. 2018, section 3.2, "mask": the ℓ1 norm drives most of δ to 0, and what remains lies where it serves.

    Args:
        model, images, target, transforms: as in :func:`lecture13.attacks.graffiti`.
        region: the mask of the sign's whole surface.
        norm_weight: λ of ‖M·δ‖₁, in nats.
        settings: others of :func:`lecture13.attacks.graffiti`, such as ``steps`` and ``generator``.

    Raises:
        TypeError, ValueError: as :func:`lecture13.attacks.graffiti`.
    """
    settings = {"palette": None, "norm": "l1", "norm_weight": norm_weight} | settings
    found = graffiti(model, images, target, mask=region, transforms=transforms, **settings)
    return found[0].abs().sum(0)


def graffiti_mask(
    heat: Tensor,
    region: Tensor,
    *,
    shape: str = "rectangles",
    share: float = 0.2,
    count: int = 2,
    aspect: float = 4.0,
    smooth: float = 2.0,
) -> Tensor:
    """A mask over ``share`` of the region, where the heat is: stickers, or blotches of camouflage.

    Args:
        heat: ``(H, W)``, ≥ 0, such as :func:`vulnerable` gives.
        region: the mask of the sign's whole surface, ``(H, W)``.
        shape: ``"rectangles"``, stickers laid one after the other where most heat is left and wholly in the region, or
            ``"camouflage"``, the pixels of most smoothed heat.
        share: of the region's pixels, in (0, 1].
        count: how many rectangles share them, ≥ 1.
        aspect: a rectangle's width over its height.
        smooth: Gaussian standard deviation of the smoothing, in pixels.

    Returns:
        ``(H, W)`` of 0 and 1, dtype and device of ``heat``. Rectangles are rounded to whole pixels.

    Raises:
        TypeError, ValueError: another shape of heat or region, an empty region, settings out of range, or no place
            left for a rectangle.
    """
    check_choice("shape", shape, SHAPES)
    share = check_number("share", share, high=1.0, open_low=True)
    aspect, smooth = check_number("aspect", aspect, open_low=True), check_number("smooth", smooth, unit="pixels")
    count = check_count("count", count)
    if not isinstance(heat, Tensor) or heat.ndim != 2 or not heat.is_floating_point() or not heat.numel():
        kind = f"{heat.dtype} {tuple(heat.shape)}" if isinstance(heat, Tensor) else f"a {type(heat).__name__}"
        raise ValueError(f"heat is {kind}; expected floating (H, W), ≥ 0")
    if not bool(((heat >= 0) & heat.isfinite()).all()):
        low, high = (float(value) for value in heat.aminmax())
        raise ValueError(f"heat lies in [{low:g}, {high:g}]; expected finite values ≥ 0")
    region = (check_mask(region, heat[None, None])[0, 0] > 0).to(heat)
    area = share * float(region.sum())
    if shape == "camouflage":
        warm = _smooth(heat, smooth) + 1e-9  # also where no heat is, the region comes before the rest
        kept = round(area)
        order = (warm * region).flatten().argsort(descending=True, stable=True)[: max(1, kept)]
        return torch.zeros_like(heat).flatten().index_fill_(0, order, 1.0).view_as(heat)
    height = max(1, round((area / count / aspect) ** 0.5))
    width = max(1, round(area / count / height))
    mask = torch.zeros_like(heat)
    for number in range(count):
        row, column = _warmest(heat * (1 - mask), region * (1 - mask), height, width, number)
        mask[row : row + height, column : column + width] = 1
    return mask


def _warmest(heat: Tensor, free: Tensor, height: int, width: int, number: int) -> tuple[int, int]:
    """The corner of the rectangle of most heat of those that lie on free pixels alone."""
    if height > heat.shape[0] or width > heat.shape[1]:
        raise ValueError(f"a sticker of {height}×{width} pixels is larger than the sign, {tuple(heat.shape)}")
    sums = F.avg_pool2d(torch.stack([heat, free])[:, None].double(), (height, width), stride=1)[:, 0]
    places = torch.where(sums[1] > 1 - 0.5 / (height * width), sums[0], -1.0)
    best = int(places.argmax())
    if float(places.flatten()[best]) < 0:
        raise ValueError(
            f"no place is left for sticker {number + 1} of {height}×{width} pixels; take a smaller share, more "
            "stickers, or another aspect"
        )
    return divmod(best, places.shape[1])


def _smooth(heat: Tensor, sigma: float) -> Tensor:
    """Gaussian blur; nothing lies beyond the edge."""
    if not sigma:
        return heat
    rows, columns = (torch.arange(side, dtype=torch.float32) for side in heat.shape)

    def lens(steps: Tensor) -> Tensor:
        weights = torch.exp(-0.5 * ((steps[:, None] - steps) / sigma).square())
        return (weights / weights.sum(1, keepdim=True)).to(heat)

    return lens(rows) @ heat @ lens(columns).T
