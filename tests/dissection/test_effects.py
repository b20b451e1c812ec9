import math

import numpy as np
import pytest
import torch

from lecture13.dissection import Effect, against_random, areas, effect, random_units, rank_by_effect

LAYER = "net.relu"


@pytest.fixture
def scene(world):
    maps, pictures = world["draw"](40, density=0.3)
    return world["generator"], pictures.flatten(1), world["segment"], world["names"], maps


def counts(maps, names):
    return torch.stack([(maps == number).sum((1, 2)) for number in range(len(names))], dim=1)


def test_areas_are_pixel_counts(scene, unchanged):
    G, z, segment, names, maps = scene
    check = unchanged(G)
    assert torch.equal(areas(G, LAYER, z, segment, names, batch_size=7), counts(maps, names))
    check()


def test_removing_a_hand_made_unit_removes_exactly_its_concept(scene, unchanged):
    G, z, segment, names, maps = scene
    check = unchanged(G)
    found = effect(G, LAYER, [1], z, segment, names, batch_size=9)
    check()
    gone = found.removed("door")
    assert gone.value == gone.low == gone.high == 1 and found.change("door").value == -1
    assert found.change("tree").value == found.change("cloud").value == 0
    assert found.gained("none", pixels=5).value == ((maps == 2).sum((1, 2)) >= 5).float().mean()
    known = effect(G, LAYER, [1], z, segment, names, before=found.before)
    assert torch.equal(known.after, found.after)


def test_inserting_where_and_only_there(scene):
    G, z, segment, names, maps = scene
    where = torch.zeros(40, 8, 8, dtype=torch.bool)
    where[torch.arange(40), torch.arange(40) % 8, 0] = True  # another cell in each
    found = effect(G, LAYER, [0], z, segment, names, where=where, value=2.0, batch_size=11)
    free = maps[torch.arange(40), torch.arange(40) % 8, 0] != 1
    assert torch.equal((found.after - found.before)[:, 1], free.long())
    assert found.among(free).gained("tree").value == 1 and found.among(~free).gained("tree").value == 0
    everywhere = effect(G, LAYER, [0], z, segment, names, where=where[0], value=2.0)
    assert torch.equal((everywhere.after - everywhere.before)[:, 1], (maps[:, 0, 0] != 1).long())


def test_the_interval_is_that_of_the_ratio():
    """Against the delta method: the change is a ratio of means over pictures."""
    chance = np.random.default_rng(0)
    before = chance.integers(0, 50, 500)
    after = chance.binomial(before, 0.4)
    found = Effect(("a",), torch.tensor(before)[:, None], torch.tensor(after)[:, None]).change("a")
    ratio = after.sum() / before.sum()
    deviation = (after - ratio * before).std() / before.mean() / 500**0.5
    assert found.value == pytest.approx(ratio - 1)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * deviation, rel=0.1)
    assert found.low < found.value < found.high


def test_a_concept_that_never_appears_has_no_share():
    nothing = Effect(("a", "b"), torch.zeros(3, 2).long(), torch.ones(3, 2).long())
    assert math.isnan(nothing.change("a").value) and nothing.gained("b").value == 1
    with pytest.raises(ValueError, match="no concept 'c'; known: a, b"):
        nothing.removed("c")
    with pytest.raises(ValueError, match="pixels=0"):
        nothing.gained("a", 0)


def test_random_units():
    chance = torch.Generator().manual_seed(0)
    drawn = random_units(5, 9, outside=[0, 8], generator=chance)
    assert (
        len(set(drawn.tolist())) == 5 and not {0, 8} & set(drawn.tolist()) and drawn.tolist() == sorted(drawn.tolist())
    )
    assert random_units(7, 9, outside=torch.tensor([0, 8])).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert random_units(0, 3).tolist() == []
    with pytest.raises(ValueError, match=r"8 units of 7 \(of 9, 2 are ruled out\)"):
        random_units(8, 9, outside=[0, 8])


def test_beside_random_units(scene):
    G, z, segment, names, _ = scene
    found = against_random(G, LAYER, [1], z, segment, names, outside=[0, 1, 2], draws=4)
    assert found.chosen.removed("door").value == 1
    assert [other.removed("door").value for other in found.elsewhere] == [0] * 4  # unit 3 does nothing
    assert len(found.random) == len(found.held) == 4 and set(found.held) <= {0, 1}
    for held, other in zip(found.held, found.random, strict=True):
        assert held == sum(other.removed(name).value for name in ("tree", "door", "cloud"))


def test_ranking_by_effect_finds_the_unit(scene, unchanged):
    G, z, segment, names, _ = scene
    check = unchanged(G)
    found = rank_by_effect(G, LAYER, z, segment, names, "cloud")
    check()
    assert found.units.tolist() == [2, 0, 1, 3] and found.effects.tolist() == [1, 0, 0, 0]
    some = rank_by_effect(G, LAYER, z, segment, names, "cloud", units=[3, 2])
    assert some.units.tolist() == [2, 3] and some.effects.tolist() == [1, 0]


def test_what_is_wrong_is_said(scene, unchanged):
    G, z, segment, names, _ = scene
    check, none = unchanged(G), torch.zeros_like(z)
    for make, said in (
        (lambda: effect(G, LAYER, [4], z, segment, names), "unit 4 of layer 'net.relu'"),
        (lambda: effect(G, "x", [1], z, segment, names), "no layer 'x'"),
        (lambda: effect(G, LAYER, [1], z, segment, names[:2]), "gave the number 3; expected those of 2 names"),
        (lambda: effect(G, LAYER, [1], z, segment, names, where=torch.ones(3, 8, 8).bool()), "where is of 3 inputs"),
        (lambda: effect(G, LAYER, [1], z, segment, names, before=torch.zeros(2, 2)), r"expected \(40, 4\)"),
        (lambda: effect(G, LAYER, [1], z[:0], segment, names), "no inputs"),
        (lambda: rank_by_effect(G, LAYER, z, segment, names, "car"), "no concept 'car'"),
        (lambda: rank_by_effect(G, LAYER, none, segment, names, "door"), "no picture of 40 shows 'door'"),
        (lambda: against_random(G, LAYER, [0, 1], z, segment, names, outside=[0, 1, 2]), "2 units of 1"),
    ):
        with pytest.raises(ValueError, match=said):
            make()
        check()
