"""The Fréchet distance between two sets of images, seen as two Gaussians in the space of a net's features."""

from torch import Tensor, nn

from lecture13.gan.scores.features import embed
from lecture13.gan.scores.score import Score


def frechet_distance(real: Tensor, generated: Tensor, features: nn.Module, *, fresh: Tensor | None = None) -> Score:
    """‖μ − μ'‖² + Tr(Σ + Σ' − 2 (ΣΣ')^½), Heusel et al. 2017, eq. 6; FID where the features are Inception-v3's.

    μ, Σ are the mean and the covariance of the feature vectors. The trace of the root is the sum of the roots of ΣΣ'
    's eigenvalues, which are real and not negative; no matrix root is iterated. Computed by torchmetrics in double
    precision. Biased upwards, the more the fewer images: compare only scores on the same number of images.

    Args:
        real, generated: (N, C, H, W) and (M, C, H, W) in [0, 1]; or their vectors (N, d), (M, d).
        features: the net, with a ``name``.
        fresh: other real images, as many as generated: what a perfect generator would score becomes the baseline.

    Raises:
        ValueError: not more images than features (the covariance would be singular), NaN, values outside [0, 1], or
            another number of fresh images than of generated ones.
    """
    here = embed(real, features)
    there = embed(generated, features)
    value = _distance(here, there)
    baseline = None
    if fresh is not None:
        if len(fresh) != len(generated):
            raise ValueError(f"{len(fresh)} fresh images for {len(generated)} generated ones; expected as many")
        baseline = _distance(here, embed(fresh, features))
    return Score(f"Fréchet distance on {features.name}", value, len(there), len(here), baseline)


class _AsTheyAre(nn.Identity):
    """The vectors have been made already; torchmetrics asks a net for their number of entries."""

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features


def _distance(real: Tensor, generated: Tensor) -> float:
    from torchmetrics.image.fid import FrechetInceptionDistance  # takes seconds to import

    d = real.shape[1]
    if generated.shape[1] != d:
        raise ValueError(f"real vectors have {d} features, generated ones {generated.shape[1]}; expected the same")
    for name, vectors in (("real", real), ("generated", generated)):
        if len(vectors) <= d:
            raise ValueError(f"{len(vectors)} {name} images for {d} features; expected more images than features")
    metric = FrechetInceptionDistance(feature=_AsTheyAre(d), normalize=True)
    centre = real.double().mean(0).cpu()  # the distance does not change; the sums of squares keep their digits
    metric.update(real.double().cpu() - centre, real=True)
    metric.update(generated.double().cpu() - centre, real=False)
    return max(0.0, metric.compute().item())  # rounding can leave −1e−12
