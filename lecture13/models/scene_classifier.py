"""A VGG-style classifier of scenes: five convolutional stages whose units are dissected."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from lecture13.models.normalize import Normalize

#: Channels of the five stages, two convolutions each.
WIDTHS = (16, 32, 48, 64, 96)

#: Stages that end in 2×2 max pooling. VGG pools after each of the five, from 224×224; from 32×32 that would leave one
#: cell. Three poolings leave 8×8 cells to stages 3 and 4, and 4×4 to stage 5: a door is still a place.
POOLED = (1, 2, 4)


def scene_classifier(*, classes: int = 6, in_channels: int = 3, widths: Sequence[int] = WIDTHS) -> nn.Sequential:
    """Five stages of two 3×3 convolutions, then global average pooling and one linear layer.

    After VGG (Simonyan & Zisserman 2015), whose ``conv5_3`` Bau et al. 2020 dissect, with batch normalisation.
    Layers are ``conv1_1``, ``bn1_1``, ``relu1_1``, ``conv1_2`` … ``relu5_2``, ``pool``, ``fc``.

    Args:
        classes: K, the number of logits.
        in_channels: 3 for colour images.
        widths: channels of the five stages.

    Shapes:
        ``(N, in_channels, H, W)`` in [0, 1], H and W at least 8 → logits ``(N, classes)``. At 32×32 the stages are
        32×32, 16×16, 8×8, 8×8 and 4×4 cells.

    Raises:
        ValueError: other than five widths.
    """
    if len(widths) != 5:
        raise ValueError(f"widths is {tuple(widths)}; expected the channels of five stages")
    layers: OrderedDict[str, nn.Module] = OrderedDict(normalize=Normalize([0.5] * in_channels, [0.25] * in_channels))
    channels = in_channels
    for stage, width in enumerate(widths, start=1):
        for place in (f"{stage}_1", f"{stage}_2"):
            layers[f"conv{place}"] = nn.Conv2d(channels, width, 3, padding=1, bias=False)  # batch norm has the bias
            layers[f"bn{place}"] = nn.BatchNorm2d(width)
            layers[f"relu{place}"] = nn.ReLU()
            channels = width
        if stage in POOLED:
            layers[f"pool{stage}"] = nn.MaxPool2d(2)
    layers["pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["fc"] = nn.Linear(channels, classes)
    return nn.Sequential(layers)
