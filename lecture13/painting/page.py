"""Painting without a kernel: the page holds the layers after the edited one, and runs them when a cell is painted.

A small generator's last layers are a few ten thousand weights and some million products a picture: less to load than
pictures drawn in advance, and any strokes can be combined. Weights and activations are written as 16-bit floats.
"""

import base64
import html
import json
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import torch
from torch import Tensor, nn

from lecture13.gan.images import to_unit
from lecture13.gan.layers import ResizeConv
from lecture13.painting.canvas import ACTIONS, Canvas, encode
from lecture13.painting.live import REACHES
from lecture13.tracing import layers_named
from lecture13.widgets import unique

_PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Page:
    """A canvas as one piece of HTML, which asks for nothing outside of it."""

    markup: str

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return f"<scenes to paint on, {len(self.markup) / 1000:.0f} kB>"


def page(canvas: Canvas, alt: str) -> Page:
    """Write a canvas as a page. See :func:`lecture13.painting.paint`.

    Raises:
        TypeError: a generator with layers after the edited one that a page cannot run.
        ValueError: one whose layers do not follow each other, or with values beyond 16-bit floats.
    """
    data = {
        "size": canvas.size,
        "scenes": [_half(scene, "activations") for scene in canvas.activations],
        "drawn": [encode(picture) for picture in canvas.pictures],
        "stages": stages(canvas),
        "brushes": [
            {"name": brush.name, "units": brush.units.tolist(), "value": brush.value.tolist()}
            for brush in canvas.brushes
        ],
        "reaches": list(REACHES.values()),
        "actions": ACTIONS,
        "alt": alt.strip().rstrip("."),
    }
    payload = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")  # no "</script>" in a string
    key = unique("paint", payload)
    picture = f'src="{data["drawn"][0]}" alt="{html.escape(alt)}"'
    return Page(
        _PAGE.substitute(
            key=key,
            picture=picture,
            data=payload,
            rows=canvas.size[0],
            columns=canvas.size[1],
            scenes=_choices(key, "scene", [str(number + 1) for number in range(len(canvas))]),
            concepts=_choices(key, "concept", [brush.name for brush in canvas.brushes]),
            strokes=_choices(key, "stroke", list(ACTIONS)),
            reaches=_choices(key, "brush", list(REACHES)),
        )
    )


def stages(canvas: Canvas) -> list[dict[str, Any]]:
    """The layers after the edited one, as the page runs them: convolutions at twice the side, a·x + b, and a function.

    Raises:
        TypeError: a layer of another kind.
        ValueError: layers that, one after the other, do not draw what the generator draws.
    """
    parent, _, child = canvas.layer.rpartition(".")
    block = layers_named(canvas.generator, [parent])[parent] if parent else canvas.generator
    names = [name for name, _ in block.named_children()]
    if not isinstance(block, nn.Sequential):
        raise TypeError(f"layer {canvas.layer!r} stands in a {type(block).__name__}; a page runs those of a Sequential")
    tail = nn.Sequential(*list(block.children())[names.index(child) + 1 :]).eval()
    found = []
    for layer in _flat(tail):
        if isinstance(layer, ResizeConv) and layer.kernel_size == (3, 3):
            bias = (layer.weight.new_zeros(layer.out_channels) if layer.bias is None else layer.bias).detach()
            weight = _half(layer.weight.detach(), "weights")
            found.append({"weight": weight, "outputs": layer.out_channels, "scale": 1 + 0 * bias, "shift": bias})
        elif isinstance(layer, nn.BatchNorm2d) and found:
            scale = (layer.weight / (layer.running_var + layer.eps).sqrt()).detach()
            found[-1]["shift"] = (found[-1]["shift"] - layer.running_mean) * scale + layer.bias.detach()
            found[-1]["scale"] = found[-1]["scale"] * scale
        elif isinstance(layer, nn.ReLU | nn.Tanh) and found:
            found[-1]["function"] = type(layer).__name__.lower()
        else:
            raise TypeError(f"a {layer} after layer {canvas.layer!r}; a page runs ResizeConv, BatchNorm2d, ReLU, Tanh")
    device = next(canvas.generator.parameters()).device
    with torch.no_grad():
        drawn = to_unit(tail(canvas.activations.to(device))).cpu()
    if drawn.shape != canvas.pictures.shape or (drawn - canvas.pictures).abs().max() > 1e-3:
        raise ValueError(f"the layers after {canvas.layer!r} do not draw the picture on their own; edit another layer")
    for stage in found:
        stage |= {"scale": stage["scale"].tolist(), "shift": stage["shift"].tolist()}
    return found


def _flat(block: nn.Sequential) -> list[nn.Module]:
    return [layer for child in block for layer in (_flat(child) if isinstance(child, nn.Sequential) else [child])]


def _half(values: Tensor, what: str) -> str:
    """Values as 16-bit floats in base64, the low byte first."""
    short = values.detach().cpu().half()
    if not short.isfinite().all():
        raise ValueError(f"{what} up to {float(values.abs().max()):.3g}; a page holds 16-bit floats, below 65520")
    return base64.b64encode(short.contiguous().numpy().astype("<f2").tobytes()).decode()


def _choices(key: str, title: str, labels: list[str]) -> str:
    """One of several, as radio buttons."""
    options = "\n".join(
        f'<label><input type="radio" name="{key}-{title}" value="{number}" autocomplete="off"'
        f"{' checked' if number == 0 else ''}> {html.escape(label)}</label>"
        for number, label in enumerate(labels)
    )
    return (
        f'<div class="choice" data-choice="{title}" role="radiogroup" aria-labelledby="{key}-{title}">'
        f'<strong id="{key}-{title}">{title}</strong>\n<div>{options}</div>\n</div>'
    )
