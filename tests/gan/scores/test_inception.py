import warnings

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from torch import nn

from lecture13.gan.scores import Logits, inception_score

NET = Logits(nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), name="a test classifier")


def test_all_images_alike_is_one():
    assert inception_score(torch.randn(1, 7).expand(40, 7), NET, splits=4).value == pytest.approx(1)


def test_sure_and_evenly_spread_is_the_number_of_classes():
    logits = 1000 * torch.eye(6).repeat(20, 1)  # probabilities underflow to 0
    score = inception_score(logits, NET, splits=1)
    assert score.value == pytest.approx(6) and score.spread is None
    assert score.name == "inception score by a test classifier"
    assert score.generated == 120 and score.real is None


def test_a_missing_class_costs():
    logits = 50 * torch.eye(6)[:4].repeat(20, 1)
    assert inception_score(logits, NET, splits=1).value == pytest.approx(4)


def test_against_scipys_divergence():
    images = torch.rand(30, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        p = NET(images).double().softmax(1).numpy()
    expected = np.exp(np.mean([entropy(row, p.mean(0)) for row in p]))
    assert inception_score(images, NET, splits=1).value == pytest.approx(expected, rel=1e-6)


def test_it_is_quiet_and_leaves_chance_alone():
    before = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = inception_score(torch.linspace(-1, 1, 200).view(40, 5), NET)
    assert torch.equal(before, torch.get_rng_state())
    assert inception_score(torch.linspace(-1, 1, 200).view(40, 5), NET) == first
    assert first.spread > 0 and "±" in str(first)


@pytest.mark.parametrize("splits", [0, 11, -1])
def test_parts_of_fewer_than_two_images_are_refused(splits):
    with pytest.raises(ValueError, match=f"splits={splits} of 20 images"):
        inception_score(torch.zeros(20, 5), NET, splits=splits)
