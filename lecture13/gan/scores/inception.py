"""The inception score: are single images clear, and are they together of many classes?"""

import warnings

import torch
from torch import Tensor, nn

from lecture13.gan.scores.features import embed
from lecture13.gan.scores.score import Score


def inception_score(images: Tensor, classifier: nn.Module, *, splits: int = 10, seed: int = 0) -> Score:
    """exp E_x KL(p(y|x) ‖ p(y)), mean and deviation over ``splits`` parts (Salimans et al. 2016, Section 4).

    From 1 (every image looks alike to the classifier) to the number of classes K (each image of one class, all classes
    equally often). It knows nothing of the real images: a generator with one perfect image of each class has the
    largest score. p(y) is estimated on each part, so few images in a part bias it downwards: 50 000 images in 10 parts
    in the paper; say your number. Computed by torchmetrics.

    Args:
        images: generated, (N, C, H, W) in [0, 1]; or their logits (N, K).
        classifier: gives logits (N, K), and has a ``name`` (:class:`~lecture13.gan.scores.Logits`).
        splits: parts of N.
        seed: of the division into parts.

    Raises:
        ValueError: splits below 1, or fewer than two images in a part.
    """
    from torchmetrics.image.inception import InceptionScore  # takes seconds to import

    logits = embed(images, classifier)
    if not 1 <= splits <= len(logits) // 2:
        raise ValueError(f"splits={splits} of {len(logits)} images; expected 1 or more, and two images in each part")
    with warnings.catch_warnings(), torch.random.fork_rng([]):
        warnings.filterwarnings("ignore", message="Metric `InceptionScore` will save all")
        warnings.filterwarnings("ignore", message=r"std\(\): degrees of freedom")  # of one part: not reported below
        torch.manual_seed(seed)  # the metric permutes by the global generator
        metric = InceptionScore(feature=nn.Identity(), splits=splits)
        metric.update(logits.cpu().double())
        mean, spread = metric.compute()
    name = f"inception score by {classifier.name}"
    return Score(name, mean.item(), len(logits), spread=spread.item() if splits > 1 else None)
