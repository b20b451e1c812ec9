"""GTSRB-CNN, the classifier of German traffic signs that graffiti was tried on."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from lecture13.models.normalize import Normalize

#: Channels of the six 5×5 convolutions, two in each module.
WIDTHS = (32, 32, 64, 64, 128, 128)


class GtsrbCnn(nn.Module):
    """See :func:`gtsrb_cnn`."""

    def __init__(self, classes: int, hidden: int, dropout: float, batch_norm: bool) -> None:
        super().__init__()
        self.normalize = Normalize([0.5] * 3, [0.25] * 3)
        self.colour = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU())
        modules, channels = [], 3
        for first, second in zip(WIDTHS[::2], WIDTHS[1::2], strict=True):
            layers: OrderedDict[str, nn.Module] = OrderedDict()
            for number, width in enumerate((first, second), start=1):
                layers[f"conv{number}"] = nn.Conv2d(channels, width, 5, padding=2, bias=not batch_norm)
                if batch_norm:
                    layers[f"bn{number}"] = nn.BatchNorm2d(width)
                layers[f"relu{number}"] = nn.ReLU()
                channels = width
            layers["pool"] = nn.MaxPool2d(2)
            layers["drop"] = nn.Dropout(dropout)
            modules.append(nn.Sequential(layers))
        self.module1, self.module2, self.module3 = modules
        places = (16 * 16, 8 * 8, 4 * 4)
        seen = sum(width * count for width, count in zip(WIDTHS[1::2], places, strict=True))
        self.head = nn.Sequential(
            OrderedDict(
                fc1=nn.Linear(seen, hidden),
                relu1=nn.ReLU(),
                drop1=nn.Dropout(dropout),
                fc2=nn.Linear(hidden, hidden),
                relu2=nn.ReLU(),
                drop2=nn.Dropout(dropout),
                fc3=nn.Linear(hidden, classes),
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N, classes)`` of images ``(N, 3, 32, 32)`` in [0, 1]."""
        if images.shape[1:] != (3, 32, 32):
            raise ValueError(f"images have shape {tuple(images.shape)}; GTSRB-CNN takes (N, 3, 32, 32)")
        first = self.module1(self.colour(self.normalize(images)))
        second = self.module2(first)
        third = self.module3(second)
        # The linear layers read every module, not the last one alone: fine strokes and whole shapes.
        return self.head(torch.cat([each.flatten(1) for each in (first, second, third)], 1))


def gtsrb_cnn(*, classes: int = 43, hidden: int = 1024, dropout: float = 0.5, batch_norm: bool = False) -> GtsrbCnn:
    """Yadav's net for GTSRB, as Eykholt et al. 2018 attack it.

    A 1×1 convolution to three channels, which lets the net choose its colour space; three modules of two 5×5
    convolutions (32, 32; 64, 64; 128, 128 channels), 2×2 max pooling and dropout; the outputs of all three modules side
    by side into linear layers of 1024, 1024 and K. Layers are ``colour``, ``module1.conv1`` … ``module3.drop``,
    ``head.fc1`` … ``head.fc3``.

    Args:
        classes: K, the number of logits; GTSRB has 43.
        hidden: width of the two hidden linear layers.
        dropout: share of activations dropped in training, behind each module and each hidden linear layer.
        batch_norm: batch normalisation before every ReLU of the modules, which Yadav's net does not have.

    Shapes:
        ``(N, 3, 32, 32)`` in [0, 1] → logits ``(N, classes)``. 16 571 223 parameters as built by default.

    Raises:
        ValueError: ``dropout`` outside [0, 1); in the call, images of another shape.
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout is {dropout}; expected a share in [0, 1)")
    return GtsrbCnn(classes, hidden, dropout, batch_norm)
