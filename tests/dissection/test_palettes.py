import numpy as np
import pytest
import torch
from PIL import Image

from lecture13.data.files import CorruptData, MissingData, fit
from lecture13.dissection import FACADES, read_maps


def write(path, numbers):
    colours = np.array(list(FACADES.values()), dtype=np.uint8)
    Image.fromarray(colours[numbers]).save(path)
    return path


def test_colours_become_numbers(tmp_path):
    numbers = np.random.default_rng(0).integers(len(FACADES), size=(2, 6, 9))
    files = [write(tmp_path / f"{n}.png", part) for n, part in enumerate(numbers)]
    found = read_maps(files, FACADES)
    assert found.dtype == torch.uint8 and np.array_equal(found, numbers)


def test_the_square_is_the_photographs(tmp_path):
    """Blocks of one label each, and a photograph of the same colours: both cut and scaled, they agree."""
    numbers = np.kron(np.random.default_rng(0).integers(len(FACADES), size=(4, 6)), np.ones((20, 20), dtype=int))
    file = write(tmp_path / "0.png", numbers)
    found = read_maps([file], FACADES, size=40)[0].numpy()
    photograph = np.array(fit(Image.open(file), 40)).astype(int)
    named = np.array(list(FACADES.values()))[found]
    assert found.shape == (40, 40) and (np.abs(named - photograph).max(2) < 64).all()


def test_what_cannot_be_read_is_named(tmp_path):
    good = write(tmp_path / "good.png", np.zeros((4, 4), dtype=int))
    other = write(tmp_path / "other.png", np.zeros((4, 5), dtype=int))
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "odd.png")
    (tmp_path / "broken.png").write_bytes(good.read_bytes()[:40])
    for files, error, said in (
        ([], MissingData, "no label images"),
        ([tmp_path / "none.png"], MissingData, "no label image .*none.png"),
        ([tmp_path / "broken.png"], CorruptData, "broken.png cannot be read"),
        ([good, tmp_path / "odd.png"], CorruptData, r"odd.png has the colour \(1, 2, 3\)"),
        ([good, other], ValueError, r"other.png has \(4, 5\) pixels, the first \(4, 4\): give a size="),
    ):
        with pytest.raises(error, match=said):
            read_maps(files, FACADES)
    assert read_maps([good, other], FACADES, size=4).shape == (2, 4, 4)
