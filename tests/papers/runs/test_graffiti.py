from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torch import nn

from lecture13 import papers
from lecture13.data.files import MissingData
from lecture13.papers.runs import graffiti
from lecture13.profile import SIZES, use


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Six photographs, red and bright, and a net that takes brightness for a class."""
    folder = tmp_path / "data" / "stop-signs" / "road"
    folder.mkdir(parents=True)
    for number in range(6):
        Image.new("RGB", (80, 80), (200, 20 + number, 20)).save(folder / f"{number}.png")
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path / "data"))
    torch.manual_seed(0)
    net = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 43)).eval()
    with torch.no_grad():
        net[2].weight *= 0.1
        net[2].bias[graffiti.STOP] = 2.0
        net[2].weight[graffiti.TARGET] = 1.5  # the brighter, the more a speed limit
        net[2].bias[graffiti.TARGET] = -9.0
    monkeypatch.setattr(graffiti.zoo, "load", lambda *a, **k: net)
    card = {
        "value": 0.97,
        "n": 12630,
        "steps": 7,
        "seconds": 3.2,
        "device": "cpu",
        "precision": "32-true",
        "date": "today",
    }
    monkeypatch.setattr(graffiti.zoo, "card", lambda *a, **k: SimpleNamespace(**card))
    return use("smoke", device="cpu")


def test_photographs_come_in_the_order_of_their_numbers(run, monkeypatch, tmp_path):
    found = graffiti.photographs(16)
    assert found.shape == (6, 3, 16, 16)
    assert (found[:, 1, 8, 8] * 255).round().int().tolist() == [20 + number for number in range(6)]
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    with pytest.raises(MissingData, match=r"stop-signs/road/ there, or set LECTURE13_DATA"):
        graffiti.photographs()


def test_stickers_are_black_or_white_and_cover_a_quarter(run):
    net = graffiti.zoo.load()
    images, region = graffiti.photographs(), torch.zeros(64, 64)
    region[8:56, 8:56] = 1
    delta = graffiti.attack(net, images, region, graffiti.AGAIN, run["graffiti.recorded"], 0)
    painted = images.mean(0, keepdim=True) + delta
    touched = (delta != 0).any(1)[0]
    assert touched.sum() <= 48 * 48 // 4 and (touched * (1 - region)).sum() == 0
    inks = painted[0, :, touched].unique().tolist()
    assert all(min(abs(ink - known) for known in (0.06, 0.95)) < 1e-5 for ink in inks)


def test_a_run_is_measured_recorded_and_read(run, tmp_path):
    with pytest.raises(ValueError, match="no results in"):
        graffiti.record(run, tmp_path)
    graffiti.train(run, tmp_path)
    written = (tmp_path / "graffiti.json").read_text(encoding="utf-8")
    graffiti.train(run, tmp_path)  # is not done twice
    assert (tmp_path / "graffiti.json").read_text(encoding="utf-8") == written
    into = tmp_path / "kept"
    into.mkdir()
    graffiti.record(run, tmp_path, into=into)
    kept = graffiti.load(folder=into)
    assert (kept.made, kept.tested, kept.accuracy, kept.tests) == (3, 3, 0.97, 12630)
    assert kept.trained == "7 steps, 3 s, cpu, 32-true, today"
    assert len(kept.places) == 15 and kept.places[4].row == "5′ 60°"
    assert kept.shares["photographs as they are"]["stop"].value == 1.0
    assert set(kept.shares["photographs with stickers, 2 views of each"]) == {"stop", "speed limit 80"}
    assert "97.0 % on 12630 test images" in kept._repr_markdown_() and "commit" in kept._repr_html_()


def test_a_full_run_stands_beside_table_5_too(run, tmp_path, monkeypatch):
    monkeypatch.setattr("lecture13.papers.records.FOLDER", tmp_path)
    monkeypatch.setitem(SIZES, "graffiti.recorded", (SIZES["graffiti.recorded"][0],) * 3)
    full = use("full", device="cpu")
    graffiti.train(full, tmp_path / "cells")
    graffiti.record(full, tmp_path / "cells", into=tmp_path)
    kept, table = graffiti.load(folder=tmp_path), papers.recorded("graffiti-table-5")
    assert table["5′ 60°", "top class"].value == kept.places[4].first and len(table) == 60
    (success,) = papers.recorded("graffiti-success").values()
    hits = kept.shares["drawn sign with stickers, Table 5's places"]["speed limit 80"].value
    assert success.value == pytest.approx(100 * hits)
