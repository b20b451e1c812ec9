"""What a notebook shows: one house style (:mod:`.base`) and the figures of single chapters, each a matplotlib Figure."""

from lecture13.figures.base import COLOURS, curves, images, panels, style, styled

__all__ = ["COLOURS", "curves", "images", "panels", "style", "styled"]
