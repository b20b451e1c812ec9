"""What an attack does to a classifier, measured: one dataclass, one table, every number with its interval.

The intervals (:mod:`lecture13.estimates`) say what other test images would give; the model and its training stay the
same.
"""

import functools
import html
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13 import guard
from lecture13.attacks.calling import Attack, call
from lecture13.attacks.transfer import rmsd
from lecture13.estimates import Estimate, mean, share
from lecture13.guard import Model


class Data(Protocol):
    """What is evaluated on: a :class:`lecture13.data.Dataset`, or anything else with images and labels."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Robustness:
    """One attack on one classifier over a set of images."""

    name: str
    #: N, the images attacked.
    count: int
    #: share of images misclassified as they are, and after the attack.
    clean_error: Estimate
    adversarial_error: Estimate
    #: share of the correctly classified images that change class (with targets: that become the target).
    success: Estimate
    #: ρ̂ = mean ‖r‖₂/‖x‖₂ of the perturbations r = x' − x (Moosavi-Dezfooli et al. 2016, eq. 3); black images left out.
    relative_l2: Estimate
    #: mean ‖r‖∞, in pixel units [0, 1].
    linf: Estimate
    #: mean over images of √(mean r²), on the 0–255 scale (Liu et al. 2017).
    rmsd: Estimate
    #: time of the attack, per image.
    seconds: float

    def _repr_html_(self) -> str:
        return Table([self])._repr_html_()

    def __str__(self) -> str:
        return str(Table([self]))


class Table:
    """Results side by side, one row each: HTML in a notebook, a Markdown table as text."""

    columns = (
        ("attack", lambda row: row.name),
        ("images", lambda row: str(row.count)),
        ("clean error", lambda row: row.clean_error.percent),
        ("adversarial error", lambda row: row.adversarial_error.percent),
        ("success", lambda row: row.success.percent),
        ("ρ̂ = mean ‖r‖₂/‖x‖₂", lambda row: str(row.relative_l2)),
        ("mean ‖r‖∞", lambda row: str(row.linf)),
        ("RMSD (0–255)", lambda row: str(row.rmsd)),
        ("ms per image", lambda row: f"{1000 * row.seconds:.2g}"),
    )

    def __init__(self, rows: Sequence[Robustness], *, timed: bool = True, caption: str = ""):
        """``timed=False`` leaves the times out, which no two runs agree on; ``caption`` says profile, data, device."""
        if not rows:
            raise ValueError("no results to show; expected one Robustness or more")
        self.rows, self.caption = list(rows), caption
        self.columns = self.columns if timed else self.columns[:-1]

    def cells(self) -> list[list[str]]:
        """Text by row and column, without the header."""
        return [[show(row) for _, show in self.columns] for row in self.rows]

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name, _ in self.columns)
        body = "".join(
            f'<tr><th scope="row">{html.escape(first)}</th>' + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest)
            for first, *rest in self.cells()
        )
        note = f"{self.caption} " if self.caption else ""
        note += "In brackets: 95 % intervals (shares: Wilson; means: bootstrap over images)."
        return (
            f"<table><caption>{html.escape(note)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def __str__(self) -> str:
        rows = [[name for name, _ in self.columns], *self.cells()]
        rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
        ]
        return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])

    __repr__ = __str__


def predict(model: Model, images: Tensor, *, batch_size: int = 256) -> tuple[Tensor, Tensor]:
    """The class that ``model`` gives each image, and its confidence, the softmax probability of that class.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode on its own device, and is left as it was.
        images: float ``(N, C, H, W)``, on any device.
        batch_size: images in one pass.

    Returns:
        int64 ``(N,)`` and float ``(N,)`` in (1/K, 1], on the CPU.

    Raises:
        TypeError, ValueError: images that are not floating or not finite, or a model that does not return (N, K).
    """
    device = _device(model, images)
    classes, confidences = [torch.empty(0, dtype=torch.int64)], [torch.empty(0)]
    with guard.frozen(model, device), torch.no_grad():
        for part in images.split(guard.check_count("batch_size", batch_size)):
            logits = guard.logits(model, guard.check_images(part.to(device), None)).float()
            if bool(logits.isnan().any()):
                raise ValueError("the model's logits hold NaN: are its weights finite?")
            confidence, best = logits.softmax(1).max(1)
            classes.append(best.cpu())
            confidences.append(confidence.cpu())
    return torch.cat(classes), torch.cat(confidences)


def error(model: Model, data: Data, *, batch_size: int = 256) -> float:
    """The share of ``data`` that ``model`` misclassifies, in [0, 1]. Arguments and errors as :func:`predict`."""
    return float(error_estimate(model, data, batch_size=batch_size))


def error_estimate(model: Model, data: Data, *, batch_size: int = 256) -> Estimate:
    """:func:`error` with its interval."""
    labels = _labels(data)
    wrong = predict(model, data.images, batch_size=batch_size)[0] != labels
    return share(int(wrong.sum()), len(labels))


def robustness(
    model: Model,
    attack: Attack,
    data: Data,
    *,
    name: str | None = None,
    targets: Tensor | None = None,
    batch_size: int = 256,
) -> Robustness:
    """Attack every image of ``data``, and measure.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode on its own device, and is left as it was.
        attack: ``attack(model, images, labels) -> images``, such as ``partial(attacks.pgd, epsilon=8 / 255)``, or one
            that takes no labels, such as ``attacks.deepfool``, or one whose result has ``.images``, such as
            ``attacks.spatial``. It gets batches on the model's device.
        data: ``.images`` float ``(N, C, H, W)`` and ``.labels`` int64 ``(N,)``.
        name: of the row; None: the attack's name and its options.
        targets: int64 ``(N,)``, given to the attack instead of the labels. Success is then the share of the correctly
            classified images, not of the target's class themselves, that become the target.
        batch_size: images in one call of the attack.

    Returns:
        The measured :class:`Robustness`. Perturbations are averaged over all images, also those not fooled.

    Raises:
        TypeError, ValueError: as :func:`predict`; no images; targets of another shape; an attack that returns images of
            another shape, or NaN.
    """
    labels = _labels(data)
    name = _name(attack) if name is None else name
    given = labels if targets is None else guard.check_labels(targets.to(data.images.device), data.images).cpu()
    device, seconds = _device(model, data.images), 0.0
    before, after, sizes = [], [], []
    batches = torch.arange(len(labels)).split(guard.check_count("batch_size", batch_size))
    for index in tqdm(batches, desc=name, leave=False, delay=1):
        images = data.images[index].to(device)
        _wait(device)
        start = time.perf_counter()
        adversarial = call(attack, model, images, given[index].to(device), name=name)
        _wait(device)
        seconds += time.perf_counter() - start
        if adversarial.shape != images.shape:
            raise ValueError(f"{name} returned shape {tuple(adversarial.shape)}; expected {tuple(images.shape)}")
        before.append(predict(model, images, batch_size=batch_size)[0])
        after.append(predict(model, adversarial, batch_size=batch_size)[0])
        sizes.append(_sizes(images, adversarial))
    clean, attacked = torch.cat(before), torch.cat(after)
    relative, largest, levels = (np.concatenate(column) for column in zip(*sizes, strict=True))
    right = clean == labels
    counted = right if targets is None else right & (labels != given)
    hit = attacked != labels if targets is None else attacked == given
    return Robustness(
        name=name,
        count=len(labels),
        clean_error=share(int((~right).sum()), len(labels)),
        adversarial_error=share(int((attacked != labels).sum()), len(labels)),
        success=share(int((hit & counted).sum()), int(counted.sum())),
        relative_l2=mean(relative[np.isfinite(relative)]),
        linf=mean(largest),
        rmsd=mean(levels),
        seconds=seconds / len(labels),
    )


def _sizes(images: Tensor, adversarial: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """‖r‖₂/‖x‖₂ (not finite for a black image), ‖r‖∞ and the RMSD on the 0–255 scale, of each image."""
    original, found = images.cpu().double().flatten(1), adversarial.cpu().double().flatten(1)
    change = found - original
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = change.norm(dim=1).numpy() / original.norm(dim=1).numpy()
    return relative, change.abs().amax(1).numpy(), rmsd(original, found).numpy()


def _labels(data: Data) -> Tensor:
    """The labels of ``data`` on the CPU, checked against its images. Raises ValueError where there are none."""
    labels = guard.check_labels(data.labels.to(data.images.device), data.images).cpu()
    if not len(labels):
        raise ValueError("data holds no images; expected one or more")
    return labels


def _device(model: Model, images: Tensor) -> torch.device:
    parameters = model.parameters() if isinstance(model, nn.Module) else iter(())
    return next((parameter.device for parameter in parameters), images.device)


def _wait(device: torch.device) -> None:
    """A GPU works while Python goes on: a clock has to wait for it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _name(attack: Attack) -> str:
    """``partial(fgsm, epsilon=0.1)`` → ``"fgsm, epsilon=0.1"``."""
    if not isinstance(attack, functools.partial):
        return getattr(attack, "__name__", type(attack).__name__)
    options = [
        f"{option}={value:.3g}" if isinstance(value, float) else f"{option}={value}"
        for option, value in attack.keywords.items()
        if isinstance(value, bool | int | float | str)
    ]
    return ", ".join([_name(attack.func), *options])
