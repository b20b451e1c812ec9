import pytest
import torch
from scipy import ndimage
from sklearn.datasets import load_digits

from lecture13 import data
from lecture13.data.embedded import FIRST
from lecture13.render import scenes, signs, solids

SPLITS = ("train", "validation", "test")


def test_the_digits_are_scikit_learns_each_once():
    published = torch.from_numpy(load_digits().images).float() / 16
    parts = [data.load("digits", split) for split in SPLITS]
    assert [len(part) for part in parts] == [1078, 359, 360]
    ours = torch.cat([part.images[:, 0] for part in parts]).flatten(1)
    labels = torch.cat([part.labels for part in parts])

    def ordered(rows: torch.Tensor, target: torch.Tensor) -> list:
        return sorted(map(tuple, torch.cat([rows, target[:, None].float()], 1).tolist()))

    assert ordered(ours, labels) == ordered(published.flatten(1), torch.from_numpy(load_digits().target))


def test_the_digits_splits_are_stratified():
    shares = [data.load("digits", split).labels.bincount() / len(data.load("digits", split)) for split in SPLITS]
    assert (shares[0] - shares[1]).abs().max() < 0.01 and (shares[0] - shares[2]).abs().max() < 0.01


def test_digits_at_28_are_laid_out_as_mnists():
    small, large = data.load("digits", "test"), data.load("digits", "test", size=28)
    assert large.images.shape == (360, 1, 28, 28)
    assert large.images.min() >= 0 and large.images.max() <= 1
    assert torch.equal(small.labels, large.labels)
    for before, after in zip(small.images[:100, 0], large.images[:100, 0], strict=True):
        row, column = ndimage.center_of_mass(after.numpy())
        assert abs(row - 13.5) < 0.51 and abs(column - 13.5) < 0.51
        # 2.5 times as large in both directions, so the ink's area grows by 6.25 (a little is lost at the frame)
        assert float(after.sum() / before.sum()) == pytest.approx(6.25, rel=0.03)
        rows, columns = after.sum(1).nonzero(), after.sum(0).nonzero()
        assert rows.max() - rows.min() < 20 and columns.max() - columns.min() < 20


@pytest.mark.parametrize(("name", "world"), [("scenes", scenes), ("signs", signs), ("solids", solids)])
def test_drawn_sets_are_the_worlds_images(name, world):
    loaded = data.load(name, "validation", count=12, seed=3)
    drawn = world.draw(12, seed=3, first=FIRST["validation"])
    assert torch.equal(loaded.images, drawn.images) and torch.equal(loaded.labels, drawn.labels)
    assert loaded.classes == world.CLASSES
    assert (loaded.maps is not None) == (name == "scenes")


@pytest.mark.parametrize("name", ["scenes", "signs", "solids"])
def test_splits_share_no_image(name):
    images = torch.cat([data.load(name, split, count=16).images.flatten(1) for split in SPLITS])
    assert len(images.unique(dim=0)) == 48


def test_sources_are_honest():
    assert data.load("digits", "test", size=28).source == "scikit-learn digits (embedded), 28×28, test, 360 images"
    assert (
        data.load("scenes", "test", count=3, seed=9).source == "scenes (embedded, drawn), 32×32, test, seed 9, 3 images"
    )
    assert "8×8" in data.load("digits").source


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"name": "digits", "size": 9}, "size=9: the digits come at 8"),
        ({"name": "digits", "count": 1079}, "count=1079: the train split of 'digits' has 1078"),
        ({"name": "scenes", "size": 2}, "size=2"),
        ({"name": "signs", "split": "val"}, "unknown split 'val' of 'signs'; it has train, validation, test"),
    ],
)
def test_what_there_is_not_is_an_error(bad, message):
    with pytest.raises(ValueError, match=message):
        data.load(**bad)
