import json

import pytest
import torch
from torch import nn

from lecture13 import papers
from lecture13.dissection.insertion import PLACES
from lecture13.papers import records
from lecture13.papers.runs import editing, store
from lecture13.profile import SIZES, use

SURFACES = editing.SURFACES
TREE, DOOR = SURFACES.index("tree"), SURFACES.index("door")
TINY = {"ranked": 40, "effect": 10, "tested": 12, "placed": 60, "draws": 2, "trials": 5, "single": 4}


class Painter(nn.Module):
    """Unit k of 30 draws surface k wherever it is the strongest of the first 15; doors are rare, and strong then."""

    def __init__(self):
        super().__init__()
        self.noise, self.layer = 64, nn.Identity()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, z):
        chance = torch.Generator().manual_seed(0)
        r = (z @ torch.randn(64, 30 * 64, generator=chance) / 8).view(-1, 30, 8, 8)
        r = torch.cat([r[:, :DOOR], 10 * (r[:, DOOR : DOOR + 1] - 2.2), r[:, DOOR + 1 :]], dim=1)
        labels = self.layer(r.relu())[:, : len(SURFACES)].argmax(1)
        shade = labels.float() / (len(SURFACES) - 1) * 2 - 1
        return nn.functional.interpolate(shade[:, None].expand(-1, 3, -1, -1), scale_factor=2)


class Reader(nn.Module):
    """The shade's surface."""

    def forward(self, images):
        number = torch.arange(len(SURFACES))[:, None, None]
        return -(images[:, :1] * (len(SURFACES) - 1) - number).square()


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setitem(SIZES, "edit.recorded", (TINY,) * 3)
    nets = {"scene-segmenter": Reader()}
    monkeypatch.setattr(editing.zoo, "load", lambda name, device: nets.get(name) or Painter())
    monkeypatch.setattr(editing, "CUTS", {("dcgan-scenes", "layer"): "one", ("another", "layer"): "two"})
    monkeypatch.setattr(editing, "BESIDE", ("dcgan-scenes", "layer"))
    monkeypatch.setattr(records, "FOLDER", tmp_path / "recorded")
    return use("full", device="cpu")


def test_the_unit_that_draws_is_found_removed_and_inserted(run):
    found = editing.measure("dcgan-scenes", "layer", TINY, seed=0, device=run.device)
    assert (found.units, found.tested, found.trees) == (30, 12, 1)
    assert [row.count for row in found.removed] == list(editing.COUNTS)
    for row in found.removed:
        assert row.ranked["IoU"].value == row.ranked["effect"].value == 1  # the tree unit comes first in both
        assert [share.value == 1 for share in row.random] == [held == 1 for held in row.held]
        assert all(share.value <= 0 for share in row.elsewhere)  # of what is left, trees take more
    assert found.changed["tree"].value == -1
    assert sum(share.value for share in found.behind.values()) == pytest.approx(1)
    for by_place in found.places.values():
        assert set(by_place) <= set(PLACES) and by_place["foot of a building"].trials == 5
        assert all(
            one.appears.value == 1 and one.added.value > 0 for place, one in by_place.items() if "door" not in place
        )


def test_a_run_is_recorded_beside_the_paper_and_read(run, tmp_path):
    with pytest.raises(ValueError, match="no generator's result in"):
        editing.record(run, tmp_path)
    store.write("editing--another--layer", store.Origin.here(run, "d"), {"net": "another"}, folder=tmp_path)
    editing.train(run, tmp_path)  # what is there stays
    assert json.loads((tmp_path / "editing--another--layer.json").read_text())["net"] == "another"
    (tmp_path / "editing--another--layer.json").unlink()
    (tmp_path / "recorded").mkdir()
    editing.record(run, tmp_path, into=tmp_path / "recorded")
    origin, nets = editing.load(folder=tmp_path / "recorded")
    assert list(nets) == [("dcgan-scenes", "layer")] and origin.profile == "full"
    measured = editing.measure("dcgan-scenes", "layer", TINY, seed=0, device=run.device)
    assert nets["dcgan-scenes", "layer"] == measured
    trees, doors = (papers.recorded(table) for table in (editing.TREES, editing.DOORS))
    assert {row for row, _ in trees} == {"2", "4", "8", "20"} and trees["20", "tree pixels removed"].value == 100
    assert doors["sky", "added door area"].value == pytest.approx(100 * measured.places["20 by IoU"]["sky"].added.value)
    assert trees["2", "tree pixels removed"].data == "12 scenes drawn by dcgan-scenes, units of layer"


def test_a_door_has_as_many_pixels_as_its_picture_allows():
    assert [editing.door_size(side) for side in (8, 32, 64)] == [1, 3, 12]


def test_the_recorded_run():
    """What chapter 08 says of it holds: half of the trees, five times as many doors."""
    origin, found = editing.load()
    assert origin.profile == "full" and set(found) == set(editing.CUTS)
    best = {}
    for (net, _), each in found.items():
        last = each.removed[-1]
        assert each.tested >= 1000 and last.count == 20
        assert last.ranked["effect"].low > 0.5
        assert sum(share.value for share in last.elsewhere) / len(last.elsewhere) < 0.1  # the mean of its draws
        best[net] = max(best.get(net, 0), last.ranked["IoU"].low)
        for by_place in each.places.values():
            foot, sky = by_place["foot of a building"], by_place["sky"]
            assert min(foot.trials, sky.trials) >= 1000 and foot.appears.low > 5 * sky.appears.high
    assert min(best.values()) > 0.5
    assert (store.FOLDER / "editing.json").stat().st_size < 200_000
