"""A generator of scenes by one number: what the cards of the zoo say."""

from torch import Tensor, nn

from lecture13.data.stock import scene_bytes
from lecture13.gan.scores.features import Features
from lecture13.gan.scores.frechet import frechet_distance
from lecture13.gan.scores.score import Score

#: The segmenter's layer, whose maps, averaged over their places, are a scene's features: its bottleneck, 64 numbers at
#: an eighth of the resolution. It sees what a scene holds and whether it hangs together, and hardly sees faint noise.
LAYER = "middle"


def scene_features(segmenter: nn.Module) -> Features:
    """The features of the course's segmenter: the means of the maps of :data:`LAYER`."""
    return Features(segmenter, LAYER, name="scene-segmenter features")


def scene_distance(generated: Tensor, segmenter: nn.Module, *, split: str = "test", seed: int = 0) -> Score:
    """The Fréchet distance of N generated scenes to N held-out drawn ones, on the segmenter's features.

    Beside it, as the baseline, the distance of N further drawn scenes, never seen either: what a perfect generator
    would score. The drawn scenes are kept on disk (:func:`lecture13.data.stock.scene_bytes`).

    Args:
        generated: (N, 3, S, S) in [0, 1], S a multiple of 8; N above 64, the number of features (1000 will do).
        segmenter: ``zoo.load("scene-segmenter")``.
        split, seed: of the drawn scenes.

    Raises:
        ValueError: as :func:`~lecture13.gan.scores.frechet_distance`.
    """
    count, size = len(generated), generated.shape[-1]
    drawn = scene_bytes(2 * count, size=size, seed=seed, split=split)
    return frechet_distance(drawn[:count], generated, scene_features(segmenter), fresh=drawn[count:])
