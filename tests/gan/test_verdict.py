import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import nn

from lecture13.gan.scores import Features
from lecture13.gan.verdict import Criterion, nearest_other

CHANCE = torch.Generator().manual_seed(0)


def pictures(count):
    """Smooth random pictures (count, 3, 8, 8), bytes."""
    coarse = torch.rand(count, 3, 2, 2, generator=CHANCE)
    return nn.functional.interpolate(coarse, size=8, mode="bilinear").mul(255).byte()


@pytest.fixture(scope="module")
def features():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU())
    return Features(net, "1", name="test features")


@pytest.fixture(scope="module")
def criterion(features):
    return Criterion.measure(pictures(200), pictures(200), features)


def test_nearest_other_is_scikit_learns():
    images = pictures(30)
    flat = images.flatten(1).double().numpy() / 255
    distances, _ = NearestNeighbors(n_neighbors=2).fit(flat).kneighbors(flat)
    expected = torch.from_numpy(distances[:, 1]).median().item()
    assert nearest_other(images) == pytest.approx(expected, rel=1e-5)


def test_twins_are_at_distance_zero():
    assert nearest_other(pictures(5).repeat(2, 1, 1, 1)) == 0
    with pytest.raises(ValueError, match="1 images; expected two or more"):
        nearest_other(pictures(1))


def test_real_pictures_train_and_others_do_not(criterion, features):
    from lecture13.gan.scores import frechet_distance

    real = pictures(200)

    def judge(samples):
        return criterion.judge(frechet_distance(real, samples, features).value, nearest_other(samples))

    assert criterion.fresh < criterion.farthest
    assert judge(pictures(200)) == "trains"
    assert judge(pictures(50).repeat(4, 1, 1, 1)) == "collapses"  # near in distance, and yet fifty pictures only
    assert judge(torch.randint(256, (200, 3, 8, 8), dtype=torch.uint8, generator=CHANCE)) == "fails"


def test_the_thresholds():
    criterion = Criterion(farthest=0.3, nearest=1.5, fresh=0.001)
    assert criterion.judge(0.3, 1.5) == "trains"
    assert criterion.judge(0.31, 9.0) == criterion.judge(0.31, 0.0) == criterion.judge(float("nan"), 9.0) == "fails"
    assert criterion.judge(0.1, 1.49) == "collapses"
