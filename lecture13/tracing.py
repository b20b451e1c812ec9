"""Read and edit what a layer gives, in any net, by the layer's name.

    with trace(model, "conv5_3") as seen:
        model(images)
    seen["conv5_3"]                                   # (N, C, H, W)

    with trace(model, edit={"conv5_3": lambda a: 2 * a}):
        model(images)                                 # the layers after it see twice as much

Hooks do it, so the net's own code stays as it is; they go when the block ends, also by an exception. Unit u of a layer
is channel u of what the layer gives: (N, C), (N, C, L), (N, C, H, W), …
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lecture13.guard import check_count, frozen

#: What a layer gives → what the layers after it shall see, of the same shape.
Edit = Callable[[Tensor], Tensor]


class Trace(Mapping[str, Tensor]):
    """Layer name → what that layer gave when it last ran (after its edit, if there is one)."""

    def __init__(self, layers: tuple[str, ...]):
        self.layers, self.found = layers, dict[str, Tensor]()

    def __getitem__(self, layer: str) -> Tensor:
        if layer in self.found:
            return self.found[layer]
        if layer in self.layers:
            raise KeyError(f"layer {layer!r} has not run; call the model inside the with block, by a way through it")
        raise KeyError(f"layer {layer!r} is not traced; traced are {', '.join(map(repr, self.layers))}")

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)


def layers_named(model: nn.Module, names: Sequence[str]) -> dict[str, nn.Module]:
    """The modules of these names. Raises ValueError for none, and for one that the model does not have."""
    if not names:
        raise ValueError("no layers; name at least one, such as the last convolution")
    known = {name: module for name, module in model.named_modules(remove_duplicate=False) if name}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ValueError(
                f"{type(model).__name__} has no layer {name!r}{hint}; it has {', '.join(known) or 'none inside it'}"
            )
    return {name: known[name] for name in names}


@contextmanager
def trace(
    model: nn.Module,
    *layers: str,
    edit: Mapping[str, Edit] | None = None,
    gradients: bool = False,
    stop: bool = False,
) -> Iterator[Trace]:
    """Keep what ``layers`` give while the block runs the model, and change it where an edit says so.

    Kept are copies: a layer that works in place on another's output (``nn.ReLU(inplace=True)``) does not change them.
    Of a layer that runs several times, every run is edited and the last is kept. Blocks nest; in each layer the
    outermost block comes first.

    Args:
        model: any module; its mode is not touched.
        layers: names as in ``model.named_modules()``.
        edit: layer → function of what it gives. These layers are kept too.
        gradients: keep the graph, so that ``seen[layer].grad`` is there after ``backward()``, also if no parameter
            asks for a gradient. Otherwise what is kept is detached.
        stop: end the block as soon as every layer has run, and save the rest of the net: nothing in the block after
            the model's call is executed.

    Yields:
        A mapping from each layer that has run to its activations.

    Raises:
        ValueError: no layer, or a name that the model does not have, with those that it has; an edit that changes the
            shape.
        TypeError: a layer or an edit that gives no floating tensor.
        RuntimeError: ``gradients=True`` while gradients are switched off.
    """
    edits = dict(edit or {})
    names = tuple(dict.fromkeys([*layers, *edits]))
    modules = layers_named(model, names)
    seen = Trace(names)

    def hook(name: str) -> Callable[[nn.Module, tuple, Tensor], Tensor | None]:
        def keep(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor | None:
            _check_floating(output, f"layer {name!r} gives")
            given = output
            if name in edits:
                output = edits[name](given)
                _check_floating(output, f"the edit of layer {name!r} gives")
                if output.shape != given.shape:
                    raise ValueError(
                        f"the edit of layer {name!r} gives shape {tuple(output.shape)}; expected {tuple(given.shape)}"
                    )
            if gradients:
                seen.found[name] = output = _with_gradient(output)
                output = output.clone()  # what follows may work in place
            else:
                seen.found[name] = output.detach()
            if stop and len(seen) == len(names):
                raise _Enough(seen)
            if not gradients:
                seen.found[name] = seen.found[name].clone()
            return None if output is given else output

        return keep

    with ExitStack() as hooks:
        for name, module in modules.items():
            hooks.callback(module.register_forward_hook(hook(name)).remove)
        try:
            yield seen
        except _Enough as enough:
            if enough.trace is not seen:
                raise


@dataclass(frozen=True)
class Batch:
    """What some layers gave for ``inputs[index]``, and what the model did, unless it was stopped before."""

    index: slice
    activations: dict[str, Tensor]
    output: Tensor | None


def batches(
    model: nn.Module, inputs: Tensor, *layers: str, batch_size: int = 32, outputs: bool = False
) -> Iterator[Batch]:
    """Run the model on ``inputs`` (N, …) in parts, in eval mode and without gradients, and read ``layers``.

    The model stands as it did whenever a batch is given out. Each is on the model's device; without ``outputs`` the
    net is stopped after the last of the layers.

    Raises:
        ValueError: as :func:`trace`; no inputs; activations that are NaN or infinite, with the first such unit.
    """
    check_count("batch_size", batch_size)
    if not len(inputs):
        raise ValueError("no inputs; expected a tensor (N, …) with N ≥ 1")
    for start in range(0, len(inputs), batch_size):
        yield _run(model, inputs, slice(start, min(len(inputs), start + batch_size)), layers, outputs)


def activations(model: nn.Module, inputs: Tensor, layer: str, *, batch_size: int = 32) -> Iterator[Tensor]:
    """What one layer gives for ``inputs`` (N, …), (n, C, …) a batch; as :func:`batches`.

    ``quantiles(activations(model, images, "conv5_3"), 0.01)`` is each unit's top 1 % level.
    """
    for batch in batches(model, inputs, layer, batch_size=batch_size):
        yield batch.activations[layer]


class _Enough(Exception):
    """Every layer of a trace has run."""

    def __init__(self, trace: Trace):
        super().__init__("every traced layer has run")
        self.trace = trace


def _run(model: nn.Module, inputs: Tensor, index: slice, layers: tuple[str, ...], outputs: bool) -> Batch:
    device, output = next((parameter.device for parameter in model.parameters()), inputs.device), None
    with frozen(model, device), torch.no_grad(), trace(model, *layers, stop=not outputs) as seen:
        output = model(inputs[index].to(device))
    for layer in layers:
        _check_finite(seen[layer], layer, index.start)
    return Batch(index, dict(seen), output)


def _check_floating(output: Tensor, who: str) -> None:
    if not isinstance(output, Tensor) or not output.is_floating_point():
        kind = str(output.dtype) if isinstance(output, Tensor) else type(output).__name__
        raise TypeError(f"{who} {kind}; expected one floating tensor (N, C, …): take a layer inside it")


def _with_gradient(output: Tensor) -> Tensor:
    if not torch.is_grad_enabled():
        raise RuntimeError("gradients=True inside torch.no_grad(); run the model outside it")
    if not output.requires_grad:  # a frozen net: the graph begins here
        return output.detach().clone().requires_grad_()
    output.retain_grad()
    return output


def _check_finite(found: Tensor, layer: str, start: int) -> None:
    if found.ndim < 2:
        raise ValueError(f"layer {layer!r} gives shape {tuple(found.shape)}; expected units: (N, C), (N, C, H, W), …")
    if not bool(found.sum().isfinite()) and not bool(found.isfinite().all()):  # a sum may also overflow
        image, unit = (~found.isfinite()).nonzero()[0, :2].tolist()
        raise ValueError(
            f"layer {layer!r} gives NaN or infinity, first in unit {unit} for input {start + image}: are the inputs "
            "and the model's weights finite?"
        )
