import numpy as np
import pytest
import torch
from PIL import Image

from lecture13 import papers
from lecture13.data import MissingData
from lecture13.dissection import FACADES
from lecture13.papers import records
from lecture13.papers.runs import photographs, store
from lecture13.profile import SIZES, use


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder with two photographs of each of 17 classes, and six facades whose halves are known."""
    chance = np.random.default_rng(0)
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    for split in ("train", "test"):
        for number in range(17):
            place = tmp_path / "tiny-imagenet-outdoors" / split / f"class{number:02}"
            place.mkdir(parents=True)
            for photo in range(2):
                Image.fromarray(chance.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(place / f"{photo}.jpg")
    for part in ("images", "labels"):
        (tmp_path / "facades" / part).mkdir(parents=True)
    for photo in range(6):
        Image.fromarray(chance.integers(0, 256, (80, 100, 3), dtype=np.uint8)).save(
            tmp_path / "facades" / "images" / f"{photo}.jpg"
        )
        label = np.zeros((80, 100, 3), dtype=np.uint8)
        label[:40], label[40:] = FACADES["window"], FACADES["car"]
        label[:10] = FACADES["sky"]
        Image.fromarray(label).save(tmp_path / "facades" / "labels" / f"{photo}.png")
    return tmp_path


def test_windows_are_parts_of_buildings_and_the_order_is_drawn_once(folder):
    images, maps = photographs.facades(size=16)
    assert images.shape == (6, 3, 16, 16) and {kind: tuple(m.shape) for kind, m in maps.items()} == dict.fromkeys(
        photographs.CONCEPTS, (6, 16, 16)
    )
    named = {
        kind: [photographs.CONCEPTS[kind][number] for number in maps[kind][0, :, 5]] for kind in ("object", "part")
    }
    assert named["object"] == ["sky"] * 2 + ["building"] * 6 + ["car"] * 8
    assert named["part"] == ["none"] * 2 + ["window"] * 6 + ["none"] * 8
    assert torch.equal(photographs.facades(size=16, count=4)[0], images[:4])


def test_what_is_not_there_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    for ask in (photographs.facades, lambda: photographs.at_hand(2)):
        with pytest.raises(MissingData, match=r"github\.com/cvjena/labelmefacade"):
            ask()
    with pytest.raises(FileNotFoundError, match=r"no net .*photographs .* trains it"):
        photographs.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="no recorded run"):
        photographs.read(folder=tmp_path)


def test_a_full_run_trains_dissects_removes_and_is_recorded(folder, tmp_path, monkeypatch):
    for size, value in {"outdoor_steps": 2, "photographs": 34, "facades": 6}.items():
        monkeypatch.setitem(SIZES, f"detect.{size}", (value,) * 3)
    monkeypatch.setattr(photographs, "LAYERS", ("relu5_1", "relu5_2"))
    monkeypatch.setattr(photographs, "REMOVED", (4, 20))
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    monkeypatch.setattr(store.write, "__kwdefaults__", {"folder": tmp_path})
    run, place = use("full", device="cpu"), folder / photographs.NAME
    photographs.train(run, place)
    weights = (place / f"{photographs.NET}.safetensors").read_bytes()
    photographs.train(run, place)  # is there already
    assert (place / f"{photographs.NET}.safetensors").read_bytes() == weights

    photographs.record(run, place)
    found = photographs.read(folder=tmp_path)
    assert found.photographs == 6 and found.sizes == {"relu5_1": 128, "relu5_2": 128}
    assert len(found.removed) == 17 and len(found.counts) == 2 * 3
    assert list(found.others) == ["intact", "20 removed", "20 random units removed", "only 20 kept"]
    assert 0 <= found.accuracy.low <= found.accuracy.value <= found.accuracy.high <= 1
    units = {(count.layer, count.kind): count.units for count in found.counts}
    assert len(found.detectors) == sum(units.values())
    assert found.shares["window (part)"] == pytest.approx(0.375, abs=0.02) and len(found.best) == 2 * 3
    kept = papers.recorded("units-detectors")
    assert kept["conv5_3", "parts"].value == units["relu5_2", "part"]
    assert "6 photographs" in kept["conv5_3", "parts"].data and str(folder) not in kept["conv5_3", "parts"].data
    assert len(papers.recorded("units-ski-resort")) == 8
    intact = [row["intact"].value for row in found.removed.values()]
    assert papers.recorded("units-all-classes")["intact", "balanced accuracy"].value == pytest.approx(
        100 * sum(intact) / 17
    )

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    there = photographs.at_hand(3)  # no VGG-16 here: the net just trained
    assert there.name.startswith(photographs.NET) and there.layer == "relu5_1"
    with torch.no_grad():
        assert there.net(there.images).shape == (3, 17)
    (place / f"{photographs.NET}.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"weights of vgg16.*trains a smaller net"):
        photographs.at_hand(3)
