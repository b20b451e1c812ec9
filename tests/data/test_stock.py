import numpy as np
import pytest
import torch

from lecture13.data import stock
from lecture13.data.embedded import FIRST
from lecture13.render import scenes


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(stock, "PART", 8)


def test_the_scenes_of_a_split_as_bytes(tmp_path):
    for split in ("train", "test"):
        found = stock.scene_bytes(12, size=16, seed=3, split=split, folder=tmp_path)
        drawn = scenes.draw(12, size=16, seed=3, first=FIRST[split]).images
        assert found.dtype == torch.uint8 and (found / 255 - drawn).abs().max() <= 0.5 / 255 + 1e-6
    assert len(list(tmp_path.rglob("*.npy"))) == 4


def test_what_is_on_disk_is_not_drawn_again_unless_it_is_wrong(tmp_path, monkeypatch):
    first = stock.scene_bytes(16, size=16, folder=tmp_path)
    files = sorted(tmp_path.rglob("*.npy"))
    drawn, draw = [], stock.scenes.draw

    def watched(count, **options):
        drawn.append(count)
        return draw(count, **options)

    monkeypatch.setattr(stock.scenes, "draw", watched)
    assert torch.equal(stock.scene_bytes(16, size=16, folder=tmp_path), first)
    assert drawn == [1, 1]  # of each file, its first is compared
    files[0].write_bytes(b"half a file")
    np.save(files[1], np.zeros((8, 3, 16, 16), dtype=np.uint8))  # an older painter's
    assert torch.equal(stock.scene_bytes(16, size=16, folder=tmp_path), first)
    assert sorted(drawn[2:]) == [1, 8, 8]


def test_bad_numbers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="split='dev'; known: train"):
        stock.scene_bytes(4, split="dev", folder=tmp_path)
    with pytest.raises(ValueError, match="count=0"):
        stock.scene_bytes(0, folder=tmp_path)
    with pytest.raises(ValueError, match="size=4"):
        stock.scene_bytes(4, size=4, folder=tmp_path)
