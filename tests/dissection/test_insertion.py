import math

import pytest
import torch

from lecture13.dissection import Effect
from lecture13.dissection.insertion import PLACES, added, insert_at, places, rank_by_insertion
from lecture13.render.scenes import CONCEPTS

NAMES = CONCEPTS["surface"]
LAYER = "net.relu"


def scene(*rows):
    """A map of 4×4 cells of 4×4 pixels, by the names of its cells."""
    small = torch.tensor([[NAMES.index(name) for name in row.split()] for row in rows])
    return small.repeat_interleave(4, 0).repeat_interleave(4, 1)


def found(maps):
    return {
        place: {tuple(cell) for cell in cells[0].nonzero().tolist()}
        for place, cells in places(maps[None], NAMES, (4, 4)).items()
        if cells.any()
    }


def test_places_of_a_scene():
    maps = scene(
        "sky roof cloud sky", "sky building window sky", "tree building building sky", "grass road grass grass"
    )
    assert found(maps) == {
        "roof": {(0, 1)},
        "cloud": {(0, 2)},
        "window": {(1, 2)},
        "upper wall": {(1, 1)},
        "foot of a building": {(2, 1), (2, 2)},
        "ground before a house": {(3, 1), (3, 2)},
        "road": {(3, 1)},
        "tree before a house": {(2, 0)},
    }


def test_what_has_no_house_near():
    maps = scene("sky sky sky sky", "sky sky sky sky", "tree grass grass sand", "grass grass grass sand")
    assert found(maps) == {
        "sky": {(row, column) for row in (0, 1) for column in range(4)},
        "tree": {(2, 0)},
        "grass": {(2, 1), (2, 2), (3, 0), (3, 1), (3, 2)},
    }


def test_a_door_counts_from_a_quarter_and_shuts_out_the_others():
    maps = scene("sky sky sky sky", "building building building building", *["grass grass grass grass"] * 2)
    feet = {(1, column) for column in range(4)}
    assert found(maps)["foot of a building"] == feet
    maps[4, 4] = NAMES.index("door")  # a pixel of the second
    assert found(maps)["foot of a building"] == feet - {(1, 1)} and "existing door" not in found(maps)
    maps[4, 4:8] = NAMES.index("door")
    assert found(maps)["existing door"] == {(1, 1)}


def test_every_place_is_explained_and_given():
    assert set(places(torch.zeros(2, 8, 8).long(), NAMES, (4, 4))) == set(PLACES)
    with pytest.raises(ValueError, match="no 'grass' among the names"):
        places(torch.zeros(2, 8, 8).long(), ("none", "tree"), (4, 4))


@pytest.fixture
def world_scene(world):
    maps, pictures = world["draw"](30, density=0.3)
    return world["generator"], pictures.flatten(1), world["segment"], world["names"], maps


def test_one_cell_of_each_scene_that_has_one(world_scene, unchanged):
    G, z, segment, names, maps = world_scene
    check, cells = unchanged(G), maps == 0  # 8×8 cells of one pixel: where nothing stands
    cells[4:6] = False
    result = insert_at(G, LAYER, [1], 2.0, z, segment, names, cells, generator=torch.Generator().manual_seed(0))
    check()
    assert torch.equal((result.after - result.before)[:, 2], torch.ones(28).long())  # a door each
    few = insert_at(G, LAYER, [1], 2.0, z, segment, names, cells, trials=3, before=torch.arange(120).view(30, 4))
    assert few.before.tolist() == torch.arange(120).view(30, 4)[:3].tolist()
    none = insert_at(G, LAYER, [1], 2.0, z, segment, names, torch.zeros_like(cells))
    assert len(none.before) == 0 and math.isnan(added(none, "door", 1.0).value)
    assert math.isnan(none.gained("door").value)


def test_added_area_is_a_share_of_what_a_scene_has():
    before = torch.tensor([[0, 4], [0, 2], [0, 0], [0, 2]])
    after = torch.tensor([[0, 6], [0, 2], [0, 1], [0, 3]])
    share = added(Effect(("none", "door"), before, after), "door", 2.0)
    assert share.value == 0.5 and share.low <= 0.5 <= share.high


def test_ranking_finds_the_unit_that_draws(world_scene, unchanged):
    G, z, segment, names, maps = world_scene
    check = unchanged(G)
    arguments = (G, LAYER, torch.full((4,), 2.0), z, segment, names, "cloud", maps == 0)
    ranking = rank_by_insertion(*arguments, trials=9, generator=torch.Generator().manual_seed(0))
    check()
    assert ranking.units.tolist() == [2, 0, 1, 3] and ranking.effects.tolist() == [1, 0, 0, 0]
    with pytest.raises(ValueError, match="none of 30 scenes has such a cell"):
        rank_by_insertion(G, LAYER, torch.full((4,), 2.0), z, segment, names, "cloud", maps > 9)
