import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, entropy

from lecture13.gan import densities
from lecture13.gan.coverage import Coverage, coverage

RING = densities.ring(8, std=0.1)


def test_the_mixtures_own_draws_cover_all_modes():
    found = coverage(RING.sample(20_000, torch.Generator().manual_seed(0)), RING)
    assert found.modes == 8
    assert found.high_quality == pytest.approx(chi2(2).cdf(9), abs=0.003)  # 98.9 %: within 3 stds in the plane
    assert found.divergence < 1e-3


def test_a_collapsed_generator_is_seen():
    found = coverage(RING.means[2].expand(100, 2), RING)
    assert (found.modes, found.high_quality) == (1, 1.0)
    assert found.counts.tolist() == [0, 0, 100, 0, 0, 0, 0, 0]
    assert found.divergence == pytest.approx(0.497, abs=5e-4)  # as the docstring says


def test_samples_between_modes_count_for_none():
    found = coverage(torch.zeros(10, 2), RING)
    assert (found.modes, found.high_quality) == (0, 0.0)
    assert math.isnan(found.divergence)


def test_the_radius_is_in_standard_deviations():
    point = RING.means[:1] * (1 + 0.25 / 2)  # 2.5 stds further out
    assert coverage(point, RING).high_quality == 1
    assert coverage(point, RING, radius=2.0).high_quality == 0


def test_a_mode_needs_a_tenth_of_its_share():
    assert Coverage(torch.tensor([1, 0, 79, 0, 0, 0, 0, 0]), 80).modes == 2
    assert Coverage(torch.tensor([1, 0, 99, 0, 0, 0, 0, 0]), 100).modes == 1


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any))
def test_divergence_by_its_definition(counts):
    share = [count / sum(counts) for count in counts]
    middle = [(s + 0.25) / 2 for s in share]
    expected = (entropy(share, middle) + entropy([0.25] * 4, middle)) / 2
    assert Coverage(torch.tensor(counts), 200).divergence == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "samples", [torch.zeros(0, 2), torch.zeros(5, 3), torch.zeros(5), torch.full((2, 2), math.nan)]
)
def test_bad_samples_are_refused(samples):
    with pytest.raises(ValueError, match="samples"):
        coverage(samples, RING)
