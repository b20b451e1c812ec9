import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors
from torch import nn

from lecture13.gan.scores import Features, precision_recall

NET = Features(nn.Sequential(nn.Conv2d(3, 4, 1)), "0", name="test features")


def normal(count, d=4, seed=0):
    return torch.randn(count, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_set_with_itself_is_covered_wholly():
    found = precision_recall(normal(50), normal(50), NET)
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
    assert found.density > 1  # each vector is in its own ball, and in about k others


def test_a_perfect_generators_density_and_coverage():
    """Naeem et al. 2020, Section 3.4: E[density] = 1, E[coverage] = 1 − Π (N − 1 … N − k)/(2N − 1 … 2N − k)."""
    n, k = 100, 5
    found = [precision_recall(normal(n, seed=2 * s), normal(n, seed=2 * s + 1), NET, k=k) for s in range(60)]
    missed = 1.0
    for i in range(1, k + 1):
        missed *= (n - i) / (2 * n - i)
    assert torch.tensor([f.density for f in found]).mean().item() == pytest.approx(1, abs=0.03)
    assert torch.tensor([f.coverage for f in found]).mean().item() == pytest.approx(1 - missed, abs=0.01)


def test_collapse_is_seen_by_recall_and_coverage_alone():
    modes = torch.tensor([[0.0, 0], [100, 0], [0, 100], [100, 100]], dtype=torch.float64)
    real = modes.repeat(50, 1) + normal(200, 2)
    found = precision_recall(real, modes[:1] + normal(200, 2, seed=1), NET)
    assert found.precision > 0.9
    assert 0.15 < found.recall <= 0.25 and 0.15 < found.coverage <= 0.25


def test_noise_is_seen_by_precision_alone():
    real = normal(200, 2)
    scattered = torch.cat([normal(200, 2, seed=1), 100 * normal(200, 2, seed=2)])
    found = precision_recall(real, scattered, NET)
    assert found.precision < 0.6 and found.recall > 0.9


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_against_scikit_learns_neighbours(seed, k):
    real, generated = normal(30, 3, seed), 0.8 * normal(25, 3, seed + 1) + 0.3
    found = precision_recall(real, generated, NET, k=k)

    def inside(points, manifold):
        """(points, manifold): in the ball of each?"""
        tree = NearestNeighbors(n_neighbors=k + 1).fit(manifold)
        radii = tree.kneighbors(manifold)[0][:, -1]
        return (points[:, None] - manifold[None]).norm(dim=2).numpy() <= radii

    by_real = inside(generated, real)
    assert found.precision == by_real.any(1).mean()
    assert found.recall == inside(real, generated).any(1).mean()
    assert found.density == pytest.approx(by_real.sum() / (k * 25))
    assert found.coverage == by_real.any(0).mean()


def test_images_go_through_the_net():
    images = torch.rand(20, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    found = precision_recall(images, images, NET)
    assert found.recall == 1 and found.name == "precision and recall on test features"
    assert "k = 3; 20 generated, 20 real" in str(found)


@pytest.mark.parametrize("k", [0, 5, 9])
def test_neighbours_that_are_not_there_are_refused(k):
    with pytest.raises(ValueError, match=f"k={k} for 9 real and 5 generated"):
        precision_recall(normal(9), normal(5), NET, k=k)
