import pytest
import torch

from lecture13.data import Dataset


@pytest.fixture
def dataset():
    maps = {"surface": torch.arange(5, dtype=torch.uint8).view(5, 1, 1)}
    return Dataset(torch.rand(5, 1, 2, 2), torch.arange(5), ("a", "b", "c", "d", "e"), "x", "train", "made up", maps)


def test_a_subset_keeps_images_labels_and_maps_together(dataset):
    part = dataset.subset([3, 1])
    assert len(part) == 2 and part.labels.tolist() == [3, 1]
    assert torch.equal(part.images, dataset.images[[3, 1]])
    assert part.maps["surface"].flatten().tolist() == [3, 1]
    assert part.classes == dataset.classes and part.source == dataset.source


def test_a_mask_chooses_too(dataset):
    assert dataset.subset(dataset.labels > 2).labels.tolist() == [3, 4]


def test_take_gives_the_first_and_no_more_than_there_are(dataset):
    assert dataset.take(2).labels.tolist() == [0, 1]
    assert len(dataset.take(9)) == 5 and len(dataset.take(0)) == 0
    with pytest.raises(ValueError, match=r"take\(-1\)"):
        dataset.take(-1)


def test_a_dataset_cannot_be_changed(dataset):
    with pytest.raises(AttributeError):
        dataset.name = "y"
