import pytest
import torch
from torch import nn

from lecture13 import papers, roadside
from lecture13.render.snapshots import Snapshots

SIGN = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))


def by_brightness(images):
    """Class 1 where a picture is brighter than .5."""
    level = 20 * (images.mean((1, 2, 3)) - 0.5)
    return torch.stack([-level, level], 1)


def test_a_reading_counts_what_the_model_says_of_the_very_pictures():
    snapshots = Snapshots(size=8)
    places = [(5.0, 0.0), (40.0, 60.0)]
    found = roadside.read_from(
        by_brightness, SIGN, places, snapshots=snapshots, count=30, generator=torch.Generator().manual_seed(3)
    )
    shots = snapshots.draw(30, torch.Generator().manual_seed(3))
    for place, reading in zip(places, found, strict=True):
        images = snapshots.take(SIGN.expand(30, -1, -1, -1), shots.moved(distance=place[0], angle=place[1]))
        right = (images.mean((1, 2, 3)) > 0.5).long()
        assert reading.place == place and torch.equal(reading.classes, right)
        assert reading.success(1).value == pytest.approx(right.double().mean().item())
        assert reading.confidence.sum() == pytest.approx(1.0)
        assert reading.ranking == ([1, 0] if reading.confidence[1] > 0.5 else [0, 1])
    both = roadside.overall(found, 1)
    assert both.value == pytest.approx(sum(each.success(1).value for each in found) / 2)


def test_the_model_is_in_eval_mode_and_left_as_it_was():
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 3), nn.Dropout(0.9)).train()
    readings = [
        roadside.read_from(net, SIGN, [(5.0, 0.0)], snapshots=Snapshots(size=8), count=5)[0].confidence
        for _ in range(2)
    ]
    assert torch.equal(*readings) and net.training


def test_rows_of_table_5_are_places():
    places = [roadside.place_of(row) for row in papers.table("graffiti-table-5").rows]
    assert places[0] == (5.0, 0.0) and places[4] == (5.0, 60.0) and places[-1] == (40.0, 0.0) and len(places) == 15
    with pytest.raises(ValueError, match="'5 feet'; expected feet and degrees"):
        roadside.place_of("5 feet")
