import math

import numpy as np
import pytest
import torch

from lecture13.dissection.replacing import replaced, seen

NAMES = ("none", "tree", "door", "cloud")


def test_what_is_seen_and_what_is_left_without_a_unit(world, unchanged):
    maps, pictures = world["draw"](21, density=0.3)
    G, z = world["generator"], pictures.flatten(1)
    check = unchanged(G)
    assert torch.equal(seen(G, "net.relu", z, world["segment"], NAMES, batch_size=8), maps)
    found = seen(G, "net.relu", z, world["segment"], NAMES, without=[1])
    assert torch.equal(found, torch.where(maps == 2, 0, maps))
    check()


def test_shares_against_a_count_by_hand():
    before = torch.tensor([[[1, 1, 1, 1, 0]], [[1, 1, 2, 2, 0]]])
    after = torch.tensor([[[1, 3, 3, 0, 1]], [[2, 3, 1, 2, 0]]])
    found = replaced(before, after, NAMES, "tree")  # gone are five: to cloud 3, none 1, door 1
    assert {name: share.value for name, share in found.items()} == pytest.approx(
        {"cloud": 0.6, "none": 0.2, "door": 0.2}
    )
    assert next(iter(found)) == "cloud" and found["cloud"].low <= 0.6 <= found["cloud"].high


def test_the_interval_is_that_of_a_ratio():
    chance = np.random.default_rng(0)
    before = torch.ones(400, 4, 5).long()
    after = torch.tensor(chance.choice([1, 2, 3], p=[0.2, 0.6, 0.2], size=(400, 4, 5)))
    share = replaced(before, after, NAMES, "tree")["door"]
    assert share.value == pytest.approx(0.75, abs=0.02)
    assert (share.high - share.low) / 2 == pytest.approx(1.96 * (0.75 * 0.25 / 6400) ** 0.5, rel=0.15)


def test_nothing_gone_and_bad_calls():
    maps = torch.ones(2, 3, 3).long()
    assert all(math.isnan(share.value) for share in replaced(maps, maps, NAMES, "tree").values())
    with pytest.raises(ValueError, match="no concept 'car'; known: none, tree"):
        replaced(maps, maps, NAMES, "car")
    with pytest.raises(ValueError, match=r"maps of \(2, 3, 3\) and \(1, 3, 3\)"):
        replaced(maps, maps[:1], NAMES, "tree")
