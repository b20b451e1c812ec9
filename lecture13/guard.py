"""What attacks and dissections share: they check what they get, and leave the model and the world as they were."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real

import torch
from torch import Tensor, nn

#: A classifier: an ``nn.Module``, or any function of images ``(N, …)`` that gives logits ``(N, K)``.
Model = Callable[[Tensor], Tensor]
Bounds = tuple[float, float] | None


@contextmanager
def frozen(model: Model, device: torch.device) -> Iterator[None]:
    """Run ``model`` in eval mode with frozen parameters; afterwards everything is as it was.

    Restored, also after an exception: each module's ``training`` flag, each parameter's ``requires_grad``, and the
    random state of the CPU and of ``device`` (a model may draw numbers itself). A parameter's ``grad`` is not touched:
    where no parameter asks for a gradient, none is computed, which also saves its time. The flags are set one by one,
    not through ``model.eval()``: a model whose ``train`` method is its own keeps what that method would have changed.

    A ``model`` that is no ``nn.Module`` (a lambda around one, say) is called as it is: put what it wraps in eval mode.
    """
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    parameters = list(model.parameters()) if isinstance(model, nn.Module) else []
    training = [module.training for module in modules]
    requires_grad = [parameter.requires_grad for parameter in parameters]
    kind, ids = ("cuda", []) if device.type == "cpu" else (device.type, [device.index or 0])
    with torch.random.fork_rng(devices=ids, device_type=kind):
        try:
            for module in modules:
                module.training = False
            for parameter in parameters:
                parameter.requires_grad_(False)
            yield
        finally:
            for module, flag in zip(modules, training, strict=True):
                module.training = flag
            for parameter, flag in zip(parameters, requires_grad, strict=True):
                parameter.requires_grad_(flag)


def logits(model: Model, images: Tensor, labels: Tensor | None = None) -> Tensor:
    """``model(images)``, checked: floating ``(N, K)`` with K ≥ 2, and every label below K.

    Raises:
        ValueError: another shape, another dtype, or a label that the model has no logit for.
    """
    found = model(images)
    wanted = f"expected logits (N, K) with N = {len(images)} and K ≥ 2 classes"
    if not isinstance(found, Tensor):
        raise ValueError(f"the model returned a {type(found).__name__}; {wanted}")
    if found.ndim != 2 or len(found) != len(images) or found.shape[1] < 2:
        raise ValueError(f"the model returned shape {tuple(found.shape)} for images {tuple(images.shape)}; {wanted}")
    if not found.is_floating_point():
        raise ValueError(f"the model returned dtype {found.dtype}; {wanted}, floating")
    if labels is not None and len(labels) and int(labels.max()) >= found.shape[1]:
        wrong = int(labels.max())
        raise ValueError(
            f"label {wrong} is out of range: the model has {found.shape[1]} classes, 0 … {found.shape[1] - 1}"
        )
    return found


def logits_with_graph(model: Model, images: Tensor, labels: Tensor | None = None) -> Tensor:
    """:func:`logits` of ``images`` that ask for a gradient, with the graph that leads back to them.

    Raises:
        ValueError: as :func:`logits`; a model that is detached inside.
    """
    with torch.enable_grad():
        found = logits(model, images, labels)
    if not found.requires_grad:
        raise ValueError("the model's logits do not depend on the images through a gradient; is it detached inside?")
    return found


def check_images(images: Tensor, bounds: Bounds) -> Tensor:
    """A detached copy of ``images`` for the attack to start from, inside the box if there is one.

    With a box ``(low, high)``, values outside it are an error. Rounding is not: a value outside by at most
    ``4·eps·max(1, |low|, |high|)``, with the eps of the images' dtype (4.8e-7 in float32), is moved onto the face.

    Raises:
        TypeError: not a floating tensor.
        ValueError: NaN or infinite values, values outside the box, no batch dimension, or a box that is none.
    """
    if not isinstance(images, Tensor) or not images.is_floating_point():
        kind = images.dtype if isinstance(images, Tensor) else type(images).__name__
        raise TypeError(f"images are {kind}; expected a floating tensor in [0, 1], such as images.float() / 255")
    if images.ndim < 2:
        raise ValueError(
            f"images have shape {tuple(images.shape)}; expected (N, C, H, W), also for one image: image[None]"
        )
    images = images.detach().clone()
    box = check_bounds(bounds)
    if not images.numel():
        return images
    least, most = torch.stack(torch.aminmax(images)).tolist()
    if not (math.isfinite(least) and math.isfinite(most)):
        where = tuple((~images.isfinite()).nonzero()[0].tolist())
        count = int((~images.isfinite()).sum())
        raise ValueError(
            f"images hold {count} values that are NaN or infinite, the first at index {where}: {images[where]}"
        )
    if box is None:
        return images
    low, high = box
    slack = 4 * torch.finfo(images.dtype).eps * max(1.0, abs(low), abs(high))
    if least < low - slack or most > high + slack:
        raise ValueError(
            f"images lie in [{least:g}, {most:g}], outside bounds=({low:g}, {high:g}): scale them into the box "
            "(normalisation belongs inside the model), or say bounds=None for no box"
        )
    return images.clamp_(low, high)


def check_labels(labels: Tensor, images: Tensor) -> Tensor:
    """``labels``, checked: int64 ``(N,)``, none negative, on the images' device.

    Raises:
        TypeError: another dtype.
        ValueError: another shape, a negative label, or another device.
    """
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64:
        kind = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise TypeError(f"labels are {kind}; expected an int64 tensor (N,), such as labels.long()")
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"labels have shape {tuple(labels.shape)} and images {tuple(images.shape)}; expected labels (N,) and "
            "images (N, C, H, W), also for one image: image[None]"
        )
    if labels.device != images.device:
        raise ValueError(f"labels are on {labels.device}, images on {images.device}; expected both on one device")
    if len(labels) and int(labels.min()) < 0:
        raise ValueError(f"label {int(labels.min())} is negative; expected classes 0 … K − 1")
    return labels.detach().clone() if labels.is_inference() else labels.detach()


def check_bounds(bounds: Bounds) -> Bounds:
    """``(low, high)`` as floats with low < high, or None. Raises ValueError for anything else."""
    if bounds is None:
        return None
    try:
        low, high = map(float, bounds)
    except (TypeError, ValueError) as error:
        raise ValueError(f"bounds={bounds!r}; expected (low, high), or None for no box") from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"bounds={bounds!r}; expected finite (low, high) with low < high, or None for no box")
    return low, high


def check_size(name: str, value: float, *, zero: bool = False) -> float:
    """``value`` as a positive, finite float (``zero=True``: 0 is fine too).

    Raises:
        TypeError: not a real number.
        ValueError: negative, NaN or infinite (or 0, unless ``zero``).
    """
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(
            f"{name}={value!r} is a {type(value).__name__}; expected a number in pixel units, such as 8 / 255"
        )
    value = float(value)
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise ValueError(
            f"{name}={value}; expected a finite number {'≥' if zero else '>'} 0 in pixel units, such as 8 / 255"
        )
    return value


def check_epsilon(epsilon: float, bounds: Bounds) -> float:
    """``epsilon`` ≥ 0, and no wider than the box: 8 instead of 8/255 is an error, not an attack. Raises as above."""
    epsilon = check_size("epsilon", epsilon, zero=True)
    if bounds is not None and epsilon > bounds[1] - bounds[0]:
        raise ValueError(
            f"epsilon={epsilon:g} is wider than the box bounds={bounds}: it is in pixel units, so write "
            f"{epsilon:g} / 255 for a value on the 0–255 scale, or bounds=None for no box"
        )
    return epsilon


def check_count(name: str, value: int) -> int:
    """``value`` as a whole number ≥ 1. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name}={value!r}; expected a whole number ≥ 1")
    return value


def chunks(images: Tensor, chunk_size: int | None) -> list[slice]:
    """Slices of ``chunk_size`` images each; None: as many as hold about 2 million values, at most 256."""
    if chunk_size is None:
        chunk_size = max(1, min(256, 2_000_000 // max(1, images[:1].numel())))
    chunk_size = check_count("chunk_size", chunk_size)
    return [slice(start, start + chunk_size) for start in range(0, len(images), chunk_size)]


def random_source(generator: torch.Generator | None, device: torch.device) -> torch.Generator:
    """``generator``, or a fresh one seeded as the global one was (``torch.manual_seed``), whose state is left alone."""
    if generator is not None:
        if not isinstance(generator, torch.Generator):
            raise TypeError(f"generator is a {type(generator).__name__}; expected torch.Generator().manual_seed(…)")
        return generator
    return torch.Generator(device).manual_seed(torch.initial_seed())
