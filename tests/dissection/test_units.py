import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from torch import nn

from lecture13.dissection import as_classifier, peaks


def scores(count=400, apart=1.0, seed=0):
    chance = torch.Generator().manual_seed(seed)
    present = torch.rand(count, generator=chance) < 0.4
    return torch.randn(count, generator=chance) + apart * present, present


def test_peaks_are_maxima_over_places():
    images = torch.randn(5, 3, 4, 4)
    model = nn.Sequential(nn.Tanh(), nn.Flatten())
    assert torch.equal(peaks(model, "0", images, batch_size=2), images.tanh().amax((2, 3)))
    assert torch.equal(peaks(model, "1", images), images.tanh().flatten(1))


@pytest.mark.parametrize("ties", [False, True])
def test_scikit_learn_agrees_on_the_images_judged_on(ties):
    score, present = scores()
    score = score.round() if ties else score
    chosen = torch.arange(400) % 2 == 0
    found = as_classifier(score, present, chosen_on=chosen)
    judged, there = score[~chosen].numpy(), present[~chosen].numpy()
    assert found.auc.value == pytest.approx(roc_auc_score(there, judged))
    assert found.accuracy.value == pytest.approx(balanced_accuracy_score(there, judged >= found.threshold))
    best = max(balanced_accuracy_score(present[chosen], score[chosen] >= t) for t in score[chosen])
    assert balanced_accuracy_score(present[chosen], score[chosen] >= found.threshold) == pytest.approx(best)
    assert sorted([*found.present.tolist(), *found.absent.tolist()]) == sorted(score[~chosen].double().tolist())
    for estimate in (found.accuracy, found.auc):
        assert 0 <= estimate.low < estimate.value < estimate.high <= 1


def test_intervals_cover_what_other_images_give():
    """Of 95 % intervals for the AUC of two normals 1 apart, Φ(1/√2), about 19 in 20 hold it."""
    from scipy.stats import norm

    true, hits = norm.cdf(1 / 2**0.5), 0
    for seed in range(60):
        found = as_classifier(*scores(200, seed=seed), seed=seed)
        hits += found.auc.low <= true <= found.auc.high
    assert hits >= 52


def test_a_perfect_unit_and_a_blind_one():
    present = torch.arange(40) % 2 == 0
    perfect = as_classifier(present.float(), present)
    assert perfect.accuracy.value == perfect.auc.value == 1 and perfect.threshold == 1
    blind = as_classifier(torch.zeros(40), present)
    assert blind.accuracy.value == blind.auc.value == 0.5


def test_the_drawn_halves_hold_either_kind_alike():
    score, present = scores(101)
    found = as_classifier(score, present)
    assert abs(len(found.present) / int(present.sum()) - 0.5) < 0.05
    again = as_classifier(score, present)
    assert np.array_equal(found.present, again.present) and found.accuracy == again.accuracy


@pytest.mark.parametrize(
    ("score", "present", "chosen", "said"),
    [
        (torch.rand(4, 2), torch.ones(4).bool(), None, r"peaks \(4, 2\)"),
        (torch.rand(4), torch.ones(4), None, r"present torch.float32 \(4,\); expected"),
        (torch.tensor([0.0, torch.nan, 1.0]), torch.tensor([True, False, True]), None, "NaN, first at image 1"),
        (torch.rand(3), torch.tensor([True, False, False]), None, "1 images with the concept and 2 without in all"),
        (torch.rand(4), torch.zeros(4).bool(), None, "0 images with the concept"),
        (torch.rand(4), torch.tensor([True, True, False, False]), torch.ones(4), "chosen_on is torch.float32"),
        (
            torch.rand(4),
            torch.tensor([True, True, False, False]),
            torch.tensor([True, False, False, False]),
            "1 images with the concept and 0 without among those that the threshold is chosen on",
        ),
        (
            torch.rand(4),
            torch.tensor([True, True, False, False]),
            torch.tensor([True, False, True, True]),
            "1 images with the concept and 0 without among those that it is judged on",
        ),
    ],
)
def test_what_is_wrong_is_said(score, present, chosen, said):
    with pytest.raises(ValueError, match=said):
        as_classifier(score, present, chosen_on=chosen)
