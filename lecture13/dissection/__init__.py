"""What single units of a net stand for: read them, name them, test them, edit them (Bau et al. 2020).

>>> with trace(model, "relu5_2") as seen:
...     logits = model(images)
>>> found = dissect(model, "relu5_2", images, scenes.maps, CONCEPTS)
>>> trees = found["relu5_2"].level.detectors("tree")
>>> with ablate(model, "relu5_2", trees):
...     logits = model(images)

Any ``nn.Module`` will do, a classifier or a generator, on any device; a unit is a channel of what a layer gives. The
model's mode, hooks, parameters' ``grad`` and ``requires_grad`` are as before, also after an exception.

- :mod:`~lecture13.tracing`: read and edit activations by a layer's name
- :mod:`~lecture13.dissection.quantiles`, :mod:`~lecture13.dissection.levels`: the top 1 % of every unit, over more
  activations than memory holds
- :mod:`~lecture13.dissection.concepts`: what can be seen at every pixel, and IoU
- :mod:`~lecture13.dissection.palettes`: maps of photographs, from label images
- :mod:`~lecture13.dissection.judging`: maps of generated scenes, by a segmenter
- :mod:`~lecture13.dissection.dissecting`, :mod:`~lecture13.dissection.report`: units, concepts and their IoU
- :mod:`~lecture13.dissection.units`: a unit as a classifier of images
- :mod:`~lecture13.dissection.editing`: remove units, insert them
- :mod:`~lecture13.dissection.effects`: what that does to a generator's pictures
- :mod:`~lecture13.dissection.removal`, :mod:`~lecture13.dissection.replacing`: larger and larger sets removed; what is
  drawn in their place
- :mod:`~lecture13.dissection.insertion`: a concept inserted in one cell, by place
- :mod:`~lecture13.dissection.importance`: which units a classifier needs for a class
"""

from lecture13.dissection.concepts import Concept, Masks
from lecture13.dissection.dissecting import GRID, dissect, region
from lecture13.dissection.editing import ablate, cells, conditional_mean, insert, keep, one_cell
from lecture13.dissection.effects import (
    Comparison,
    Effect,
    Ranking,
    against_random,
    areas,
    effect,
    random_units,
    rank_by_effect,
)
from lecture13.dissection.importance import (
    ClassAccuracy,
    Removal,
    class_accuracy,
    rank_for_class,
    remove_for_class,
    rest_of,
)
from lecture13.dissection.judging import KINDS, SceneJudge
from lecture13.dissection.levels import upsampled
from lecture13.dissection.palettes import FACADES, read_maps
from lecture13.dissection.quantiles import Largest, Sketch, quantiles
from lecture13.dissection.report import DETECTOR, Count, Dissection, Labelling, Units
from lecture13.dissection.units import Detector, as_classifier, peaks
from lecture13.tracing import Trace, activations, trace

__all__ = [
    "DETECTOR",
    "FACADES",
    "GRID",
    "KINDS",
    "ClassAccuracy",
    "Comparison",
    "Concept",
    "Count",
    "Detector",
    "Dissection",
    "Effect",
    "Labelling",
    "Largest",
    "Masks",
    "Ranking",
    "Removal",
    "SceneJudge",
    "Sketch",
    "Trace",
    "Units",
    "ablate",
    "activations",
    "against_random",
    "areas",
    "as_classifier",
    "cells",
    "class_accuracy",
    "conditional_mean",
    "dissect",
    "effect",
    "insert",
    "keep",
    "one_cell",
    "peaks",
    "quantiles",
    "random_units",
    "rank_by_effect",
    "rank_for_class",
    "read_maps",
    "region",
    "remove_for_class",
    "rest_of",
    "trace",
    "upsampled",
]
