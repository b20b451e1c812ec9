import pytest
import torch
from PIL import Image

from lecture13 import data
from lecture13.data import CorruptData, MissingData, folders


@pytest.fixture
def folder(tmp_path):
    for split, count in (("train", 3), ("test", 2)):
        for name, grey in (("dark", 51), ("bright", 204)):
            (tmp_path / split / name).mkdir(parents=True)
            for i in range(count):
                Image.new("RGB", (6, 4), (grey, grey, grey)).save(tmp_path / split / name / f"{i}.png")
    (tmp_path / "train/dark/notes.txt").write_text("no image")
    return tmp_path


def test_classes_are_the_subfolders_in_alphabetic_order(folder):
    found = data.load(f"folder:{folder}", "train")
    assert found.classes == ("bright", "dark") and found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.images.shape == (6, 3, 4, 6)
    assert torch.allclose(found.images.mean((1, 2, 3)), torch.tensor([0.8] * 3 + [0.2] * 3))
    assert len(data.load(f"folder:{folder}", "test", size=4, count=3)) == 3
    assert str(folder) in found.source


def test_available_and_described(folder):
    assert data.available(f"folder:{folder}") and not data.available(f"folder:{folder}/nowhere")
    assert data.describe(f"folder:{folder}").endswith("images by class")


def test_a_split_that_it_has_not(folder):
    with pytest.raises(ValueError, match=r"unknown split 'validation'.*it has test, train"):
        data.load(f"folder:{folder}", "validation")


def test_no_folder_and_an_empty_one(tmp_path):
    with pytest.raises(MissingData, match=r"expected .*/train/CLASS/IMAGE.jpg"):
        data.load(f"folder:{tmp_path}/nowhere")
    (tmp_path / "train/empty").mkdir(parents=True)
    with pytest.raises(MissingData, match=r"no images in .*train"):
        data.load(f"folder:{tmp_path}")


def test_a_damaged_image_is_named(folder):
    file = folder / "train/dark/1.png"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(CorruptData, match=str(file)):
        data.load(f"folder:{folder}")


def test_a_copy_that_is_not_whole_is_named(folder):
    found = folders.source(folder, "train", None, "")
    assert folders.complete(found, folder / "train", 3) is found
    (folder / "train/dark/2.png").unlink()
    with pytest.raises(CorruptData, match="train/dark holds 2 images of 3"):
        folders.complete(folders.source(folder, "train", None, ""), folder / "train", 3)
