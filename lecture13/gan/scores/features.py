"""The net whose eyes a score sees with: images in, feature vectors out, and a name that the score carries.

FID is the Fréchet distance *on Inception-v3's features*. On another net's features it is another number on another
scale, so every score here is named after its net.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13.guard import frozen
from lecture13.tracing import layers_named, trace


class Features(nn.Module):
    """A net cut at one or more layers: images (N, C, H, W) in [0, 1] → vectors (N, d), float32.

    Args:
        net: any module that takes images in [0, 1]; used in eval mode, its own mode left as it was.
        layers: names of its modules (``"middle"``, ``"relu5_2"``); several are joined into one vector.
        name: what scores call it: "scene-segmenter features".
        pooled: True takes each map's mean over its places, so that d counts maps. False keeps every place, each
            layer's activations of an image brought to length 1/√L for L layers: the squared distance between two
            images is then the mean over layers of 2 − 2·cos, and weighs all layers alike.

    Raises:
        ValueError: no layer, or a name that the net does not have, with those that it has.
    """

    def __init__(self, net: nn.Module, layers: str | Sequence[str], *, name: str, pooled: bool = True):
        super().__init__()
        self.layers = (layers,) if isinstance(layers, str) else tuple(layers)
        layers_named(net, self.layers)
        self.net, self.name, self.pooled = net, name, pooled

    def forward(self, images: Tensor) -> Tensor:
        """Vectors (N, d); stops the net after the last layer that is asked for."""
        with frozen(self.net, images.device), trace(self.net, *self.layers, stop=True) as found:
            self.net(images)
        return torch.cat([self._vector(found[layer]) for layer in self.layers], dim=1).float()

    def _vector(self, maps: Tensor) -> Tensor:
        if self.pooled:
            return maps.flatten(2).mean(2) if maps.ndim > 2 else maps
        return nn.functional.normalize(maps.flatten(1), dim=1) / len(self.layers) ** 0.5


class Logits(nn.Module):
    """A classifier as it is, with a name: images (N, C, H, W) in [0, 1] → logits (N, K)."""

    def __init__(self, net: nn.Module, *, name: str):
        super().__init__()
        self.net, self.name = net, name

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, K)."""
        return self.net(images)


@torch.no_grad()
def embed(images: Tensor, features: nn.Module, *, batch: int = 50) -> Tensor:
    """The vectors (N, d) of images (N, C, H, W) in [0, 1], or of uint8 ones, on the features' device.

    Vectors (N, d) pass as they are, so that a set is embedded once for several scores.

    Raises:
        ValueError: no images, another shape, values outside [0, 1], NaN, or features that are not (N, d) or not finite.
    """
    if images.ndim == 2 and images.is_floating_point():
        vectors = images
    else:
        if images.ndim != 4 or len(images) == 0:
            raise ValueError(
                f"images of shape {tuple(images.shape)}; expected (N, C, H, W) with N ≥ 1, or vectors (N, d)"
            )
        device = next(features.parameters(), torch.empty(0)).device
        parts = [
            features(_floats(part).to(device, memory_format=torch.channels_last))
            for part in tqdm(images.split(batch), desc=features.name, unit="batch", delay=2, leave=False)
        ]
        vectors = torch.cat(parts)
    if vectors.ndim != 2 or len(vectors) != len(images) or len(vectors) == 0:
        raise ValueError(
            f"features of shape {tuple(vectors.shape)} for {len(images)} images; expected (N, d) with N ≥ 1"
        )
    if not vectors.isfinite().all():
        raise ValueError("features hold NaN or infinity: the generator, or the feature net, has diverged")
    return vectors


def _floats(images: Tensor) -> Tensor:
    if not images.is_floating_point():
        return images.float() / 255
    if not images.isfinite().all():
        raise ValueError("images hold NaN or infinity: the generator has diverged")
    low, high = images.min().item(), images.max().item()
    if low < -1e-6 or high > 1 + 1e-6:
        raise ValueError(f"images have values from {low:.3g} to {high:.3g}; expected [0, 1] (gan.images.to_unit)")
    return images
