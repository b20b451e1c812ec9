"""What Algorithm 1 is for: bounds, certificates, and a loss to train with."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from lecture13 import guard
from lecture13.defenses.polytope.algorithm import METHODS, Analysis
from lecture13.defenses.polytope.layers import Affine, read
from lecture13.defenses.polytope.rounding import full_precision
from lecture13.guard import Bounds

Epsilon = float | Tensor


@torch.no_grad()
def bounds(
    network: nn.Module,
    images: Tensor,
    epsilon: Epsilon,
    *,
    method: str = "dual",
    box: Bounds = None,
    rounded: bool = True,
    chunk_size: int | None = None,
) -> list[tuple[Tensor, Tensor]]:
    """Lower and upper bounds of every unit, for all images within ε: Algorithm 1 (Wong & Kolter 2018).

    They hold in floating point: for the network as it is evaluated in the images' dtype, at every image whose pixels
    lie within ε up to rounding. For that, bounds are widened by a slack (:mod:`.rounding`): in float64 a proven worst
    case, some 1e-12 of the bounds' size; in float32 one that holds unless the rounding errors of hundreds of sums
    conspire, some 1e-4 of it, thousands of times what happens.

    A smaller ε does not always give tighter bounds (``relu(x) − .3·relu(x + 10) + 3`` at x = −.5), since the relaxation
    changes with it.

    Args:
        network: an ``nn.Sequential`` of ``Linear``, ``Conv2d``, ``ReLU``, ``Flatten``, ``Normalize`` and average
            pooling, nested at will. It is read, not run: its mode, gradients and random state stay as they are.
        images: float32 or float64 ``(N, C, H, W)``, or ``(N, features)``; any range, or in ``box`` if there is one.
        epsilon: ℓ∞ radius in the images' units, ≥ 0: a number, or a tensor ``(N,)`` of one for each image.
        method: ``"dual"``, Algorithm 1; ``"interval"``, interval arithmetic, cheap, and neither always looser nor
            always tighter; ``"tighter"``, at each unit the tighter of the two, from which both go on; ``"mixed"``,
            interval arithmetic before the ReLUs and Algorithm 1 at the end, half the price (Zhang et al. 2020).
        box: ``(low, high)``: only images inside it count, which tightens the bounds. None, as in the paper: no box.
        rounded: False gives Algorithm 1's own numbers, without the slack: for comparisons, no certificate.
        chunk_size: images in one pass; None: as many as hold about 2 million values, at most 256.

    Returns:
        ``(lower, upper)`` before each ReLU, then of the logits; each in the shape of the layer, ``(N, …)``.

    Raises:
        TypeError: a layer that is not supported (the message names it), half precision, images that are not floating.
        ValueError: a negative, NaN or infinite ε, or one of another shape; NaN images or weights; images outside the
            box; an unknown method; a layer that does not fit.
    """
    images, epsilon, box = _check(images, epsilon, method, box)
    with full_precision(images.device):
        affines = read(network, tuple(images.shape[1:]), images)
        if not len(images):
            return [(images.new_empty(0, *affine.given),) * 2 for affine in affines]
        parts = []
        for centre, radius, _ in _balls(images, epsilon, box, chunk_size):
            analysis = Analysis(affines, centre, radius, method=method, rounded=rounded, every=True)
            parts.append([*analysis.hidden(), analysis.logits()])
    found = [tuple(map(torch.cat, zip(*layer, strict=True))) for layer in zip(*parts, strict=True)]
    _finite(found[-1][0], found[-1][1])
    return found


@torch.no_grad()
def margins(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: Epsilon,
    *,
    method: str = "dual",
    box: Bounds = None,
    rounded: bool = True,
    chunk_size: int | None = None,
) -> Tensor:
    """Lower bounds of ``cᵀz`` for c = e_label − e_k: how far the label's logit stays above each other one within ε.

    Where all of a row's entries with k ≠ label are above 0, no image within ε of that one is given another class. (The
    slide's other choice, c = 2e_label − 1, says the same for two classes alone.) The bound is on the difference itself,
    which is more than the difference of the logits' bounds.

    Args:
        network, images, epsilon, method, box, rounded, chunk_size: as in :func:`bounds`.
        labels: int64 ``(N,)``, below K.

    Returns:
        ``(N, K)``, 0 at k = label.

    Raises:
        TypeError, ValueError: as :func:`bounds`; labels out of range; a network that does not give ``(N, K)``, K ≥ 2.
    """
    images, epsilon, box = _check(images, epsilon, method, box)
    labels = guard.check_labels(labels, images)
    with full_precision(images.device):
        affines = _classifier(network, images, labels)
        found = images.new_empty(len(images), affines[-1].given[0])
        for centre, radius, part in _balls(images, epsilon, box, chunk_size):
            found[part] = _margins(affines, centre, radius, labels[part], method=method, rounded=rounded)
    return _finite(found)


def certified(margins: Tensor, labels: Tensor) -> Tensor:
    """Which images are read right, and by proof under every attack within ε: bool ``(N,)``.

    Args:
        margins: ``(N, K)``, from :func:`margins` with these labels.
        labels: int64 ``(N,)``, the true classes.
    """
    return (margins.detach().scatter(1, labels[:, None], torch.inf) > 0).all(1)


def robust_error(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: Epsilon,
    *,
    method: str = "dual",
    box: Bounds = None,
    batch_size: int = 256,
) -> float:
    """The share of images that are not certified: no attack within ε brings the error above this bound.

    An image counts as :func:`certified` if all its :func:`margins` with k ≠ label are above 0. With no images: NaN.

    Args:
        network, images, labels, epsilon, method, box: as in :func:`margins`; images on any device: batches are moved to
            the network's.
        batch_size: images in one pass.

    Returns:
        A number in [0, 1].

    Raises:
        TypeError, ValueError: as :func:`margins`.
    """
    batch_size = guard.check_count("batch_size", batch_size)
    images, epsilon, box = _check(images, epsilon, method, box)
    labels = guard.check_labels(labels, images)
    weights = network.parameters() if isinstance(network, nn.Module) else ()  # what is none, ``margins`` refuses
    device = next((weight.device for weight in weights), images.device)
    failed = torch.zeros((), dtype=torch.int64, device=device)
    for index in tqdm(torch.arange(len(images)).split(batch_size), desc="certificates", leave=False, delay=2):
        part = [each[index].to(device) for each in (images, labels, epsilon)]
        found = margins(network, *part, method=method, box=box, chunk_size=batch_size)
        failed += (~certified(found, part[1])).sum()
    return float(failed) / len(images) if len(images) else float("nan")


def robust_loss(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: Epsilon,
    *,
    method: str = "dual",
    box: Bounds = None,
) -> Tensor:
    """The cross-entropy of the worst logits that the margins allow: an upper bound of the loss of any attack within ε.

    ``−log softmax(−margins)_label`` (Wong & Kolter 2018, eq. 14), the mean over the batch. The gradient flows through
    the bounds of every layer, as in the paper. Here nothing is added for rounding.

    Args:
        network, images, labels, epsilon, method, box: as in :func:`margins`. The weights' ``requires_grad`` decides
            what gets a gradient.

    Returns:
        A scalar with a graph to the network's parameters.

    Raises:
        TypeError, ValueError: as :func:`margins`; no images.
    """
    return F.cross_entropy(-training_margins(network, images, labels, epsilon, method=method, box=box), labels)


def training_margins(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: Epsilon,
    *,
    method: str = "dual",
    box: Bounds = None,
) -> Tensor:
    """:func:`margins` with a graph to the network's parameters, and without the slack for rounding: for training."""
    images, epsilon, box = _check(images, epsilon, method, box)
    labels = guard.check_labels(labels, images)
    if not len(images):
        raise ValueError("no images to take the loss of; expected one or more")
    with full_precision(images.device):
        affines = _classifier(network, images, labels)
        ((centre, radius, _),) = _balls(images, epsilon, box, len(images))
        return _margins(affines, centre, radius, labels, method=method, rounded=False)


def _margins(
    affines: list[Affine], centre: Tensor, radius: Tensor, labels: Tensor, *, method: str, rounded: bool
) -> Tensor:
    analysis = Analysis(affines, centre, radius, method=method, rounded=rounded, every=False)
    analysis.hidden()
    return analysis.margins(labels)


def _check(images: Tensor, epsilon: Epsilon, method: str, box: Bounds) -> tuple[Tensor, Tensor, Bounds]:
    """The checked images, ε as ``(N,)``, and the box."""
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; choose one of {', '.join(map(repr, METHODS))}")
    if isinstance(images, Tensor) and images.dtype in (torch.float16, torch.bfloat16):
        raise TypeError(f"images are {images.dtype}: half precision is too coarse for a certificate; use .float()")
    box = guard.check_bounds(box)
    images = guard.check_images(images, box)
    if not isinstance(epsilon, Tensor) or epsilon.ndim == 0:
        epsilon = guard.check_size("epsilon", epsilon, zero=True)
        return images, images.new_full((len(images),), epsilon), box
    if epsilon.shape != images.shape[:1]:
        raise ValueError(f"epsilon has shape {tuple(epsilon.shape)}; expected a number, or one for each image (N,)")
    epsilon = epsilon.detach().to(images)
    if not bool((epsilon.isfinite() & (epsilon >= 0)).all()):
        wrong = epsilon[~(epsilon.isfinite() & (epsilon >= 0))][0]
        raise ValueError(f"epsilon holds {float(wrong):g}; expected finite numbers ≥ 0 in pixel units, such as 8 / 255")
    return images, epsilon, box


def _classifier(network: nn.Module, images: Tensor, labels: Tensor) -> list[Affine]:
    affines = read(network, tuple(images.shape[1:]), images)
    shape = affines[-1].given
    if len(shape) != 1 or shape[0] < 2:
        raise ValueError(f"the network gives {('N', *shape)}; expected logits (N, K) with K ≥ 2 classes")
    if len(labels) and int(labels.max()) >= shape[0]:
        raise ValueError(
            f"label {int(labels.max())} is out of range: the network has {shape[0]} classes, 0 … {shape[0] - 1}"
        )
    return affines


def _balls(
    images: Tensor, epsilon: Tensor, box: Bounds, chunk_size: int | None
) -> Iterator[tuple[Tensor, Tensor, slice]]:
    """Centre and radius of the inputs, for a chunk of the images at a time."""
    for part in guard.chunks(images, chunk_size):
        centre, radius = images[part], epsilon[part].view(-1, *[1] * (images.ndim - 1)).expand_as(images[part])
        if box is not None:
            low, high = (centre - radius).clamp(*box), (centre + radius).clamp(*box)
            centre, radius = (low + high) / 2, (high - low) / 2
        yield centre, radius, part


def _finite(*found: Tensor) -> Tensor:
    for each in found:
        if not bool(each.isfinite().all()):
            raise ValueError("a bound is NaN or infinite: are the network's weights and the images of a sensible size?")
    return found[0]
