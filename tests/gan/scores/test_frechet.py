import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch import nn

from lecture13.gan.scores import Features, frechet_distance

NET = Features(nn.Sequential(nn.Conv2d(3, 4, 1)), "0", name="test features")


def gaussian(count, mean, root, seed):
    """Vectors whose sample mean and covariance are exactly ``mean`` and ``root @ root.T``."""
    raw = torch.randn(count, len(mean), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    raw -= raw.mean(0)
    white = raw @ torch.linalg.inv(torch.linalg.cholesky(raw.T.cov())).T
    return white @ torch.as_tensor(root, dtype=torch.float64).T + torch.as_tensor(mean, dtype=torch.float64)


def test_a_set_with_itself_is_zero():
    vectors = torch.randn(200, 12, generator=torch.Generator().manual_seed(0)) * torch.logspace(-3, 2, 12)
    assert frechet_distance(vectors, vectors, NET).value == pytest.approx(0, abs=1e-6)


def test_images_are_seen_through_the_net_and_the_score_says_so():
    images = torch.rand(50, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    score = frechet_distance(images[:20], images[20:], NET)
    with torch.no_grad():
        vectors = NET(images)
    assert score.value == pytest.approx(frechet_distance(vectors[:20], vectors[20:], NET).value, rel=1e-3)
    assert score.name == "Fréchet distance on test features"
    assert (score.generated, score.real, score.baseline) == (30, 20, None)


def test_closed_form_for_aligned_gaussians():
    a, b = [1.0, 2.0, 0.5], [2.0, 1.0, 3.0]
    here, there = gaussian(50, [0, 0, 0], np.diag(a), 0), gaussian(60, [1, -2, 0], np.diag(b), 1)
    expected = 5 + sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    assert frechet_distance(here, there, NET).value == pytest.approx(expected, rel=1e-9)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_against_scipys_matrix_root(seed, d):
    chance = np.random.default_rng(seed)
    here, there = chance.normal(size=(40, d)), chance.normal(size=(50, d)) @ chance.normal(size=(d, d)) + 1
    cov, other = np.cov(here.T), np.cov(there.T)
    root = sqrtm(cov @ other).real
    expected = np.square(here.mean(0) - there.mean(0)).sum() + np.trace(cov + other - 2 * root)
    found = frechet_distance(torch.from_numpy(here), torch.from_numpy(there), NET)
    assert found.value == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert frechet_distance(torch.from_numpy(there), torch.from_numpy(here), NET).value == pytest.approx(found.value)


def test_a_collapsed_set_with_a_singular_covariance_is_finite():
    here = gaussian(40, [0, 0, 0], np.eye(3), 0)
    point = torch.tensor([[3.0, 0.0, 4.0]], dtype=torch.float64).expand(10, 3)
    assert frechet_distance(here, point, NET).value == pytest.approx(25 + 3)  # Tr Σ, with Σ' = 0


def test_far_from_the_origin_nothing_is_lost():
    here, there = gaussian(40, [1e6, 0], np.eye(2), 0), gaussian(40, [1e6 + 1, 0], np.eye(2), 1)
    assert frechet_distance(here, there, NET).value == pytest.approx(1, rel=1e-5)


def test_the_baseline_is_the_fresh_sets_distance():
    sets = [gaussian(30, [0, shift], np.eye(2), seed) for seed, shift in enumerate((0, 2, 0.5))]
    score = frechet_distance(sets[0], sets[1], NET, fresh=sets[2])
    assert score.value == pytest.approx(4) and score.baseline == pytest.approx(0.25)
    assert str(score) == (
        "Fréchet distance on test features: 4 (30 generated images against 30 real ones; 0.25 for real ones in their "
        "place)"
    )


@pytest.mark.parametrize(
    ("real", "generated", "said"),
    [
        (torch.randn(4, 4), torch.randn(9, 4), "4 real images for 4 features"),
        (torch.randn(9, 4), torch.randn(3, 4), "3 generated images for 4 features"),
        (torch.randn(9, 4), torch.randn(9, 5), "4 features, generated ones 5"),
        (torch.randn(9, 4), torch.full((9, 4), torch.nan), "NaN"),
        (torch.rand(0, 3, 6, 6), torch.rand(9, 3, 6, 6), "N ≥ 1"),
    ],
)
def test_what_cannot_be_scored_is_refused(real, generated, said):
    with pytest.raises(ValueError, match=said):
        frechet_distance(real, generated, NET)


def test_another_number_of_fresh_images_is_refused():
    with pytest.raises(ValueError, match="8 fresh images for 9 generated"):
        frechet_distance(torch.randn(9, 2), torch.randn(9, 2), NET, fresh=torch.randn(8, 2))
