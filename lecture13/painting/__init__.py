"""Paint with a generator's units: choose a concept, brush over a picture's cells, add it or remove it.

>>> doors = Brush("door", units, levels[units])
>>> paint(G, "blocks.block8", z, [doors], alt="A generated scene")

In a live kernel every stroke runs the generator (:mod:`~lecture13.painting.live`). On the site, which has no kernel,
the layers after the edited one run in the page itself (:mod:`~lecture13.painting.page`): nothing is drawn beforehand.

Bau et al. 2019, *GAN Dissection*, and 2020, Figure 4.
"""

import os
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from lecture13.painting.canvas import Brush, Canvas
from lecture13.painting.live import live
from lecture13.painting.page import Page, page

__all__ = ["Brush", "Canvas", "Page", "live", "page", "paint"]


def paint(generator: nn.Module, layer: str, z: Tensor, brushes: Sequence[Brush], *, alt: str) -> Any:
    """Show scenes to paint on.

    Args:
        generator: noise (N, …) → pictures (N, 3, H, W) in [−1, 1].
        layer: whose units the brushes set; its maps (N, C, h, w) are the cells.
        z: (S, …), the noise of the scenes to choose from.
        brushes: what can be painted.
        alt: what the picture shows before it is painted on, in words; what was painted is added.

    Returns:
        What a notebook shows: an ipywidgets box, or a page's HTML (``$LECTURE13_STATIC=1``, or ipywidgets is missing).

    Raises:
        ValueError: no scene, no brush or one twice, units that the layer does not have, no alt text.
        TypeError: on a page, a generator with layers that a page cannot run.
    """
    canvas = Canvas(generator, layer, z, brushes)
    if not alt.strip():
        raise ValueError(f"alt={alt!r}; expected what the picture shows, in words")
    if os.environ.get("LECTURE13_STATIC") == "1":
        return page(canvas, alt)
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return page(canvas, alt)
    return live(canvas, alt)
