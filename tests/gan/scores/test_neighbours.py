import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import nn

from lecture13.gan.scores import Features, centre_crop, nearest, suspicious

CANDIDATES = torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(0))
QUERIES = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(1))
NET = Features(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 3)), ("0", "2"), name="n", pooled=False)


@pytest.mark.parametrize("batch", [7, 40, 500])
def test_pixels_against_scikit_learn(batch):
    found = nearest(QUERIES, CANDIDATES, k=3, batch=batch)
    distance, index = NearestNeighbors(n_neighbors=3).fit(CANDIDATES.flatten(1)).kneighbors(QUERIES.flatten(1))
    assert found.index.tolist() == index.tolist()
    torch.testing.assert_close(found.distance, torch.from_numpy(distance).float() / 192**0.5, atol=1e-5, rtol=1e-4)
    assert found.name == "pixels"


def test_features_against_scikit_learn():
    found = nearest(QUERIES, CANDIDATES, NET, k=2, batch=11)
    with torch.no_grad():
        distance, index = NearestNeighbors(n_neighbors=2).fit(NET(CANDIDATES)).kneighbors(NET(QUERIES))
    assert found.index.tolist() == index.tolist() and found.name == "n"
    torch.testing.assert_close(found.distance, torch.from_numpy(distance).float(), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("net", [None, NET])
def test_a_copy_is_found_at_distance_zero(net):
    found = nearest(CANDIDATES[[3, 31]], CANDIDATES, net, batch=9)
    assert found.index[:, 0].tolist() == [3, 31]
    assert found.distance.max() < 2e-3


def test_only_the_crop_counts():
    query = CANDIDATES[:1].clone()
    query[..., 0, :] = 1 - query[..., 0, :]
    query[..., -1] = 0
    assert nearest(query, CANDIDATES, crop=4).distance.item() < 1e-3
    assert nearest(query, CANDIDATES).distance.item() > 0.1


def test_bytes_are_taken():
    few = CANDIDATES.mul(255).round().byte()
    assert nearest(few[:2], few).index[:, 0].tolist() == [0, 1]


def test_centre_crop():
    image = torch.arange(64.0).view(1, 1, 8, 8)
    assert centre_crop(image, 2)[0, 0].tolist() == [[27, 28], [35, 36]]
    assert centre_crop(image, 8).equal(image)


@pytest.mark.parametrize(
    ("queries", "options", "said"),
    [
        (QUERIES, {"k": 0}, "k=0 of 40"),
        (QUERIES, {"k": 41}, "k=41 of 40"),
        (QUERIES, {"crop": 9}, "crop of side 9"),
        (QUERIES[:, :, :6], {}, "one size"),
        (QUERIES[:0], {}, "N ≥ 1"),
        (QUERIES[0], {}, "expected"),
    ],
)
def test_what_does_not_fit_is_refused(queries, options, said):
    with pytest.raises(ValueError, match=said):
        nearest(queries, CANDIDATES, **options)


def test_an_honest_generator_is_as_suspicious_as_the_quantile_says():
    chance = torch.Generator().manual_seed(0)
    fresh, honest = torch.rand(5000, generator=chance), torch.rand(5000, generator=chance)
    assert suspicious(honest, fresh) == pytest.approx(0.01, abs=0.005)
    assert suspicious(honest, fresh, quantile=0.2) == pytest.approx(0.2, abs=0.02)


def test_copies_are_suspicious():
    fresh = torch.linspace(0.5, 1.5, 101)  # its 1 % quantile is 0.51
    assert suspicious(torch.tensor([0.1, 0.505, 0.515, 2.0]), fresh) == 0.5


@pytest.mark.parametrize(
    ("distance", "fresh", "options", "said"),
    [
        (torch.zeros(0), torch.ones(3), {}, r"distances \(0,\)"),
        (torch.zeros(2), torch.ones(3, 1), {}, r"fresh \(3, 1\)"),
        (torch.zeros(2), torch.ones(3), {"quantile": 1.0}, "quantile=1.0"),
    ],
)
def test_distances_that_say_nothing_are_refused(distance, fresh, options, said):
    with pytest.raises(ValueError, match=said):
        suspicious(distance, fresh, **options)
