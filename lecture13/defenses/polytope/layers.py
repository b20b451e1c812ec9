"""From an ``nn.Sequential`` to the affine maps between its ReLUs."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from lecture13.defenses.polytope.steps import (
    Convolution,
    Dense,
    Pooling,
    Reshape,
    Scaling,
    Shape,
    Step,
    axis_matrix,
)
from lecture13.models.normalize import Normalize

KNOWN = "Linear, Conv2d, ReLU, Flatten, Normalize, AvgPool2d and AdaptiveAvgPool2d, nested at will in nn.Sequential"


class Affine:
    """The steps between two ReLUs, one map ``x ↦ Wx + b``. Without steps it is the identity."""

    def __init__(self, steps: list[Step], taken: Shape):
        self.steps, self.taken = steps, taken
        self.given: Shape = steps[-1].given if steps else taken
        #: whether |W|x comes out exactly: absolute values pass through one step that mixes, not through two
        self.plain = sum(step.mixes for step in steps) <= 1
        self.terms = sum(step.terms + 1 for step in steps)
        self.terms_back = sum(step.terms_back + 1 for step in steps)

    def apply(self, x: Tensor) -> Tensor:
        """``Wx + b``."""
        for step in self.steps:
            x = step.apply(x)
        return x

    def spread(self, x: Tensor) -> Tensor:
        """``|W|x`` for ``x ≥ 0`` if the map is plain; otherwise at least that."""
        for step in self.steps:
            x = step.spread(x)
        return x

    def offset(self, like: Tensor) -> Tensor:
        """``|b|``, ``(1, *given)``, or at least that if the map is not plain; of the dtype and device of ``like``."""
        found = like.new_zeros(1, *self.taken)
        for step in self.steps:
            found = step.spread(found) + step.offset()
        return found

    def transpose(self, rows: Tensor) -> Tensor:
        """``Wᵀν``: ``(R, *given)`` → ``(R, *taken)``."""
        for step in reversed(self.steps):
            rows = step.transpose(rows)
        return rows


def read(network: nn.Module, shape: Shape, like: Tensor) -> list[Affine]:
    """The affine maps of ``network`` for inputs ``(N, *shape)``: one before each ReLU, and one more after the last.

    Args:
        network: an ``nn.Sequential`` of the layers that :data:`KNOWN` lists.
        shape: of one input.
        like: a tensor on the inputs' device, of their dtype.

    Raises:
        TypeError: a layer that is not known, hooks, or weights of another dtype than the inputs; names the layer.
        ValueError: a layer that does not fit what comes before it.
    """
    affines, steps, start = [], [], shape
    for name, layer in _flat(network, "network"):
        if isinstance(layer, nn.ReLU):
            affines.append(Affine(steps, start))
            steps, start = [], shape
            continue
        try:
            step = _step(name, layer, shape, like)
        except (RuntimeError, ValueError, IndexError) as error:
            raise ValueError(f"{name}, {layer}, does not take inputs of shape {tuple(shape)}: {error}") from error
        steps.append(step)
        shape = step.given
    return [*affines, Affine(steps, start)]


def _flat(layer: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """The layers in their order, by name, those inside an ``nn.Sequential`` in its place."""
    if not isinstance(layer, nn.Module):
        raise TypeError(f"{name} is a {type(layer).__name__}; polytope takes an nn.Sequential of {KNOWN}")
    if layer._forward_hooks or layer._forward_pre_hooks:
        raise TypeError(
            f"{name}, a {type(layer).__name__}, has forward hooks, which a certificate cannot see: remove them"
        )
    if _is(layer, nn.Sequential):
        for key, inner in layer.named_children():
            yield from _flat(inner, f"{name}.{key}")
    else:
        yield name, layer


def _is(layer: nn.Module, kind: type[nn.Module]) -> bool:
    """Whether ``layer`` computes what ``kind`` does: a parametrised layer does, one with a forward of its own not."""
    return isinstance(layer, kind) and type(layer).forward is kind.forward


def _step(name: str, layer: nn.Module, shape: Shape, like: Tensor) -> Step:
    if _is(layer, nn.Linear) or _is(layer, nn.Conv2d):
        _check_weights(name, layer, like)
    if _is(layer, nn.Linear):
        return Dense(layer, shape, like)
    if _is(layer, nn.Conv2d):
        return _convolution(name, layer, shape, like)
    if _is(layer, nn.Flatten):
        if layer.start_dim == 0:
            raise TypeError(f"{name}, {layer}, mixes the images of a batch; expected start_dim ≥ 1")
        return Reshape(layer, shape, like)
    if _is(layer, Normalize):
        return Scaling(layer, shape, like)
    if _is(layer, nn.AvgPool2d) or _is(layer, nn.AdaptiveAvgPool2d):
        return _pooling(layer, shape, like)
    raise TypeError(f"{name} is a {type(layer).__name__}, which polytope has no bounds for. It knows {KNOWN}")


def _check_weights(name: str, layer: nn.Module, like: Tensor) -> None:
    for label, values in (("weight", layer.weight), ("bias", layer.bias)):
        if values is None:
            continue
        if values.dtype != like.dtype or values.device != like.device:
            raise TypeError(
                f"{name}.{label} is {values.dtype} on {values.device}, the images {like.dtype} on {like.device}; "
                "expected both alike, float32 or float64 (half precision is too coarse for a certificate)"
            )
        if not bool(values.isfinite().all()):
            raise ValueError("its weights are NaN or infinite")


def _convolution(name: str, layer: nn.Conv2d, shape: Shape, like: Tensor) -> Convolution:
    if layer.padding_mode != "zeros":
        raise TypeError(f"{name} is a Conv2d with padding_mode={layer.padding_mode!r}; polytope knows 'zeros' alone")
    if len(shape) != 3:
        raise ValueError("expected (C, H, W)")
    padding, extra = layer.padding, (0, 0)
    if padding == "valid":
        padding = (0, 0)
    elif padding == "same":  # where the two sides differ, the end of an axis has one more
        total = [reach * (size - 1) for reach, size in zip(layer.dilation, layer.kernel_size, strict=True)]
        padding, extra = tuple(each // 2 for each in total), tuple(each % 2 for each in total)
    return Convolution(
        layer.weight,
        layer.bias,
        shape,
        like,
        stride=layer.stride,
        padding=padding,
        extra=extra,
        dilation=layer.dilation,
        groups=layer.groups,
    )


def _pooling(layer: Any, shape: Shape, like: Tensor) -> Step:
    """As a convolution where all windows are alike and full; as two matrices otherwise."""
    if len(shape) != 3:
        raise ValueError("expected (C, H, W)")
    outputs = layer(torch.zeros(1, *shape)).shape[2:]
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        cuts = [
            [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
            for size, count in zip(shape[1:], outputs, strict=True)
        ]
        windows = [[(begin, end, 1 / (end - begin)) for begin, end in axis] for axis in cuts]
        return Pooling(*(axis_matrix(axis, size) for axis, size in zip(windows, shape[1:], strict=True)), shape, like)
    kernel, stride, padding = map(_pair, (layer.kernel_size, layer.stride, layer.padding))
    if not layer.ceil_mode and (layer.count_include_pad or not any(padding)):
        divisor = layer.divisor_override or kernel[0] * kernel[1]
        weight = like.new_full((shape[0], 1, *kernel), 1 / divisor)
        return Convolution(weight, None, shape, like, stride=stride, padding=padding, groups=shape[0])
    matrices = []
    for axis, (size, count) in enumerate(zip(shape[1:], outputs, strict=True)):
        windows = []
        for i in range(count):
            begin = i * stride[axis] - padding[axis]
            end = min(begin + kernel[axis], size + padding[axis])
            counted = end - begin if layer.count_include_pad else min(end, size) - max(begin, 0)
            # a divisor of one's own is for both axes together: here it goes to the first
            own = 1 / layer.divisor_override if axis == 0 and layer.divisor_override else 1.0
            windows.append((begin, end, own if layer.divisor_override else 1 / counted))
        matrices.append(axis_matrix(windows, size))
    return Pooling(*matrices, shape, like)


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)
