"""Inception-v3 as FID and the inception score of papers take it, where its weights can be had.

The weights are those of the authors' TensorFlow graph of 2015-12-05, which torch-fidelity (Apache 2.0) converted: 91 MB
to download once. torchvision's Inception-v3 is another net, whose distances are no FID.
"""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from lecture13.profile import data_folder

WEIGHTS = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d"  # how it begins; the file's name says so
LAYERS = {"features": "2048", "logits": "logits_unbiased"}


class InceptionV3(nn.Module):
    """Images (N, 3, H, W) in [0, 1], resized to 299×299 → the 2048 features of FID, or the 1008 logits of the score.

    Args:
        layer: "features" or "logits".
        weights: the file, where it is there already; None takes the data folder's, and downloads it with ``download``.
        download: fetch the weights if they are not there.

    Raises:
        ModuleNotFoundError: torch-fidelity is not installed; says how.
        FileNotFoundError: no weights there; says how to get them.
        ValueError: an unknown layer, or a file that is not these weights.
    """

    def __init__(self, layer: str = "features", *, weights: Path | str | None = None, download: bool = False):
        super().__init__()
        if layer not in LAYERS:
            raise ValueError(f"layer={layer!r}; known: {', '.join(LAYERS)}")
        path = Path(weights) if weights else data_folder() / Path(WEIGHTS).name
        if not path.exists() and download:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(WEIGHTS, str(path), hash_prefix=SHA256)
        if not path.exists():
            raise FileNotFoundError(f"no {path}: call InceptionV3(download=True), or fetch {WEIGHTS} to it yourself")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if not digest.startswith(SHA256):
            raise ValueError(f"{path} has SHA-256 {digest[:8]}…, expected {SHA256}…: not these weights; delete it")
        from torchmetrics.image.fid import NoTrainInceptionV3  # takes seconds to import

        try:
            self.net = NoTrainInceptionV3("inception-v3-compat", [LAYERS[layer]], str(path), antialias=False)
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("Inception-v3 needs torch-fidelity: pip install torch-fidelity") from error
        self.name = "Inception-v3 features (FID)" if layer == "features" else "Inception-v3"

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, 2048), or logits (N, 1008), of the images rounded to bytes, as FID has them."""
        return self.net(images.mul(255).round().byte())
