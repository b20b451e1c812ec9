"""Chapter 11's figures: images before and after a motion, the loss over rotation and translation, ascents on it."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib import patheffects
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from lecture13 import evaluation
from lecture13.attacks import SpatialAttack, rotate_and_translate
from lecture13.attacks.ascent import summits
from lecture13.figures.base import images, styled
from lecture13.guard import Model

__all__ = ["ascents", "in_pose", "pairs", "surface"]

EVEN = math.log(2)  # nats: the loss at which the true class has probability 1/2
SHIFT, ANGLE = "shift to the right (pixels)", "rotation (degrees, clockwise)"


def pairs(
    model: Model,
    before: Tensor,
    found: SpatialAttack,
    which: Tensor,
    classes: Sequence[str],
    *,
    title: str | None = None,
) -> Figure:
    """Some images above, the same in the pose found for it below, with class and confidence, angle and shift.

    Angles are clockwise, shifts to the right and down.

    Args:
        model: gives logits ``(N, K)``.
        before: ``(N, C, H, W)`` in [0, 1], of the size of ``found.images``.
        found: what :func:`lecture13.attacks.spatial` gave.
        which: int64 ``(M,)``: the images shown.
        classes: K names.
        title: of the figure.
    """
    before, after, angles, shifts = (part[which] for part in (before, found.images, found.angle, found.shift))
    above, below = (_captions(model, batch, classes) for batch in (before, after))
    shifts = shifts.mul(10).round().div(10) + 0.0  # no −0.0
    motion = [f"{a:+.0f}°\n({r:+.1f}, {d:+.1f}) px" for a, (r, d) in zip(angles, shifts, strict=True)]
    return images(
        torch.cat([before, after]).cpu(),
        titles=above + [f"{text}\n{moved}".replace("-", "−") for text, moved in zip(below, motion, strict=True)],
        columns=len(before),
        rows=["as it is", "moved"],
        size=1.35,
        title=title,
    )


@styled
def surface(
    angles: Tensor,
    shifts: Tensor,
    loss: Tensor,
    *,
    margin: bool = False,
    title: str | None = None,
) -> Figure:
    """The loss of one image over rotation and translation, as a surface and as a map, its local maxima as dots.

    On the map, the white line is where the true class has probability 1/2: every misclassified pose lies beyond it, on
    the bright side. The star is the highest point.

    Args:
        angles: ``(A,)`` in degrees.
        shifts: ``(S,)`` in pixels to the right.
        loss: ``(A, S)``: the cross-entropy J in nats.
        margin: draw m = log(eᴶ − 1) instead, which shows the hills where J is all but 0.
        title: of the figure.
    """
    label, level = ("loss J (nats)", EVEN) if not margin else ("m = log(eᴶ − 1)", 0.0)
    if margin:
        loss = loss + torch.log(-torch.expm1(-loss))
    figure = plt.figure(figsize=(7.0, 3.4))
    x, y, z = _axes(angles, shifts, loss)
    relief = figure.add_subplot(1, 2, 1, projection="3d")
    relief.plot_surface(*np.meshgrid(x, y), z, cmap="cividis", rcount=len(y), ccount=len(x), linewidth=0)
    relief.set(xlabel="shift (pixels)", ylabel="rotation (°)", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    relief.set_title(label, y=0.95)
    relief.view_init(elev=38, azim=-60)
    relief.tick_params(labelsize=8.5, pad=0)
    relief.set_box_aspect(None, zoom=0.9)
    _map(figure.add_subplot(1, 2, 2), angles, shifts, loss, level=level, label=label)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def ascents(
    angles: Tensor, shifts: Tensor, loss: Tensor, poses: Tensor, heights: Tensor, *, title: str | None = None
) -> Figure:
    """The map of :func:`surface` with the ways of gradient ascent on it: from the ring to the disc or the cross.

    A disc is an end at which the true class has lost its majority, a cross any other.

    Args:
        angles, shifts, loss: as :func:`surface`.
        poses: ``(T, P, 2)``, degrees and pixels: P ways of T points, from :func:`lecture13.attacks.ascent.paths`.
        heights: ``(T, P)``: the loss on the way.
        title: of the figure.
    """
    figure, axis = plt.subplots(figsize=(5.4, 4.2))
    _map(axis, angles, shifts, loss)
    rim = [patheffects.withStroke(linewidth=3, foreground="black")]
    for way, end in zip(poses.cpu().unbind(1), heights[-1].tolist(), strict=True):
        axis.plot(way[:, 1], way[:, 0], "-", color="white", linewidth=1.3, path_effects=rim)
        axis.plot(*way[0].flip(0), "o", color="none", markeredgecolor="white", markeredgewidth=1.6, path_effects=rim)
        mark = {"marker": "o", "color": "white"} if end > EVEN else {"marker": "X", "color": "#ff9a3c"}
        axis.plot(*way[-1].flip(0), **mark, markeredgecolor="black", markersize=8, linestyle="none", zorder=5)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def in_pose(
    model: Model,
    image: Tensor,
    classes: Sequence[str],
    pose: tuple[float, float],
    angles: Tensor,
    shifts: Tensor,
    loss: Tensor,
) -> Figure:
    """One image in one pose, read by the model, beside its place on the map of the loss.

    Args:
        model: gives logits ``(N, K)``.
        image: ``(C, H, W)`` in [0, 1].
        classes: K names.
        pose: degrees clockwise, pixels to the right.
        angles, shifts, loss: as :func:`surface`.
    """
    angle, right = pose
    where = torch.tensor([angle], device=image.device), torch.tensor([[right, 0.0]], device=image.device)
    moved = rotate_and_translate(image[None], *where)
    (caption,) = _captions(model, moved, classes)
    figure, (left, axis) = plt.subplots(1, 2, figsize=(7.0, 3.1), width_ratios=(2, 3))
    left.imshow(moved[0].cpu().permute(1, 2, 0).clamp(0, 1).numpy())
    left.set(xticks=[], yticks=[], title=caption)
    left.grid(False)
    _map(axis, angles, shifts, loss, marks=False)
    axis.plot(right, angle, "P", color="white", markeredgecolor="black", markersize=13, clip_on=False, zorder=5)
    return figure


def _map(
    axis: plt.Axes,
    angles: Tensor,
    shifts: Tensor,
    loss: Tensor,
    *,
    level: float = EVEN,
    label: str = "loss J (nats)",
    marks: bool = True,
) -> None:
    """Heights as colours, the line of even chances, and with ``marks`` local maxima and the highest point."""
    x, y, z = _axes(angles, shifts, loss)
    shown = axis.pcolormesh(x, y, z, shading="nearest", rasterized=True)
    if z.min() < level < z.max():
        axis.contour(x, y, z, levels=[level], colors="white", linewidths=1.3, linestyles="-")
    if marks:
        ends = summits(loss[None])[0].unique().cpu().numpy()
        top = z.ravel()[ends].argmax()
        rows, columns = np.unravel_index(ends, z.shape)
        axis.plot(x[columns], y[rows], ".", color="white", markeredgecolor="black", markersize=6, clip_on=False)
        star = {"color": "white", "markeredgecolor": "black", "markersize": 15, "clip_on": False, "zorder": 4}
        axis.plot(x[columns[top]], y[rows[top]], "*", **star)
    axis.set(xlabel=SHIFT, ylabel=ANGLE, xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    axis.grid(False)
    axis.figure.colorbar(shown, ax=axis, label=label, pad=0.03)


def _axes(angles: Tensor, shifts: Tensor, loss: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both axes and the loss in NumPy. Raises ValueError where they do not fit."""
    if loss.shape != (len(angles), len(shifts)) or loss.numel() < 4:
        raise ValueError(f"the loss has shape {tuple(loss.shape)}; expected {(len(angles), len(shifts))}, 2×2 or more")
    return shifts.cpu().numpy(), angles.cpu().numpy(), loss.detach().cpu().double().numpy()


def _captions(model: Model, batch: Tensor, classes: Sequence[str]) -> list[str]:
    """``"stop\\n99.3 %"`` for each image."""
    found, confidence = evaluation.predict(model, batch)
    return [f"{classes[k]}\n{100 * p:.1f} %" for k, p in zip(found.tolist(), confidence.tolist(), strict=True)]
