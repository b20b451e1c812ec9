"""What a notebook shows: the house style in `base`, and the figures of single chapters, each a matplotlib Figure."""

from lecture13.figures.base import COLOURS, curves, images, panels, style, styled

__all__ = ["COLOURS", "curves", "images", "panels", "style", "styled"]
