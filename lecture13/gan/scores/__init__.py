"""How good is a generator? Scores, each named after the feature net that it is given.

- :mod:`~lecture13.gan.scores.features`: a net cut at a layer
- :mod:`~lecture13.gan.scores.inception_v3`: FID's own net, where its weights can be had
- :mod:`~lecture13.gan.scores.inception`: the inception score
- :mod:`~lecture13.gan.scores.frechet`: the Fréchet distance (FID, on Inception-v3's features)
- :mod:`~lecture13.gan.scores.precision_recall`: quality and coverage apart
- :mod:`~lecture13.gan.scores.neighbours`: nearest training images, in pixels and by what a net sees
- :mod:`~lecture13.gan.scores.interpolation`: walks through latent space
- :mod:`~lecture13.gan.scores.spectrum`: repeated textures and checkerboards
- :mod:`~lecture13.gan.scores.scenes`: the one number on the zoo's cards
"""

from lecture13.gan.scores import interpolation, spectrum
from lecture13.gan.scores.features import Features, Logits, embed
from lecture13.gan.scores.frechet import frechet_distance
from lecture13.gan.scores.inception import inception_score
from lecture13.gan.scores.inception_v3 import InceptionV3
from lecture13.gan.scores.neighbours import Neighbours, centre_crop, nearest, suspicious
from lecture13.gan.scores.precision_recall import PrecisionRecall, precision_recall
from lecture13.gan.scores.scenes import scene_distance, scene_features
from lecture13.gan.scores.score import Score

__all__ = [
    "Features",
    "InceptionV3",
    "Logits",
    "Neighbours",
    "PrecisionRecall",
    "Score",
    "centre_crop",
    "embed",
    "frechet_distance",
    "inception_score",
    "interpolation",
    "nearest",
    "precision_recall",
    "scene_distance",
    "scene_features",
    "spectrum",
    "suspicious",
]
