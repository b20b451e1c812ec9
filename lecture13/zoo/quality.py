"""What the cards of generators say: how near their scenes are to drawn ones, how well their digits are recognised.

The judges are nets of the zoo themselves, so these functions ask for them when they are called, not when they are read.
"""

import torch
from torch import nn

from lecture13.gan.sampling import sample
from lecture13.gan.scores import embed, precision_recall, scene_distance, scene_features
from lecture13.zoo.base import Measurement

COUNT = 500  # generated scenes, and as many drawn ones, twice


def scenes(net: nn.Module, *, split: str = "test") -> Measurement:
    """The Fréchet distance of generated scenes to held-out drawn ones, on the segmenter's features: 0 is best.

    Beside it what as many fresh drawn scenes get in their place, and precision (how many generated scenes lie among
    drawn ones) and recall (how many drawn ones lie among generated: low where modes are missing).
    """
    from lecture13.data.stock import scene_bytes
    from lecture13.zoo import load

    z = torch.randn(COUNT, net.noise, generator=torch.Generator().manual_seed(0))
    generated, segmenter = sample(net, z), load("scene-segmenter")
    size = generated.shape[-1]
    score = scene_distance(generated, segmenter, split=split)
    features = scene_features(segmenter)
    drawn = embed(scene_bytes(COUNT, size=size, split=split), features)
    both = precision_recall(drawn, embed(generated, features), features)
    also = {"drawn scenes in their place": score.baseline, "precision": both.precision, "recall": both.recall}
    return Measurement(score.name, score.value, COUNT, f"scenes at {size}×{size}, {split} split", also)


def digits(net: nn.Module) -> Measurement:
    """The share of generated digits that the zoo's LeNet takes for the label they were asked for."""
    from lecture13.zoo import load

    z = torch.randn(1000, net.noise, generator=torch.Generator().manual_seed(0))
    asked = torch.arange(1000) % 10
    with torch.no_grad():
        found = load("lenet-digits")(sample(net, z, asked)).argmax(1)
    share = (found == asked).float().mean().item()
    return Measurement("recognised as asked", share, 1000, "generated digits, judged by lenet-digits")
