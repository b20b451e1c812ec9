"""A small residual net, as He et al. build them for images of 32 pixels."""

from collections import OrderedDict

from torch import Tensor, nn

from lecture13.models.normalize import Normalize

#: Channels of the three stages; each but the first halves the image.
WIDTHS = (16, 32, 64)


class Residual(nn.Module):
    """``relu(F(x) + x)``, with F two 3×3 convolutions (He et al. 2016, eq. 1).

    Where F changes the shape, x goes through a 1×1 convolution (their eq. 2, "projection").

    Shapes:
        ``(N, channels, H, W)`` → ``(N, width, H / stride, W / stride)``.
    """

    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)  # batch norm has the bias
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Identity()
        if stride > 1 or width != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """``relu(F(x) + x)``."""
        inner = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(inner)) + self.shortcut(x))


def small_resnet(*, classes: int = 10, in_channels: int = 3, depth: int = 8) -> nn.Sequential:
    """A 3×3 convolution, three stages of residual blocks, average pooling, one linear layer.

    The net for CIFAR-10 of He et al. 2016, section 4.2, with ``depth = 6n + 2`` layers, n blocks a stage; with their
    projection where the shape changes. Layers are ``conv1``, ``bn1``, ``relu1``, ``block1_1`` … ``block3_n``, ``pool``,
    ``fc``.

    Args:
        classes: K, the number of logits.
        in_channels: 3 for colour images.
        depth: 8, 14, 20, …

    Shapes:
        ``(N, in_channels, H, W)`` in [0, 1], H and W at least 4 → logits ``(N, classes)``. 78 042 parameters as built
        by default.

    Raises:
        ValueError: a depth that is not 6n + 2.
    """
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"depth is {depth}; expected 6n + 2 for n blocks in each of three stages: 8, 14, 20, …")
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        normalize=Normalize([0.5] * in_channels, [0.25] * in_channels),
        conv1=nn.Conv2d(in_channels, WIDTHS[0], 3, padding=1, bias=False),
        bn1=nn.BatchNorm2d(WIDTHS[0]),
        relu1=nn.ReLU(),
    )
    channels = WIDTHS[0]
    for stage, width in enumerate(WIDTHS, start=1):
        for block in range(1, depth // 6 + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            layers[f"block{stage}_{block}"] = Residual(channels, width, stride)
            channels = width
    layers |= OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(channels, classes))
    return nn.Sequential(layers)
