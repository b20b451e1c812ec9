import pytest
import torch

from lecture13.dissection.removal import remove_in_steps

LAYER = "net.relu"


def test_a_hand_made_unit_is_the_concept_and_the_others_are_not(world, unchanged):
    """Unit 1 draws the doors: a ranking removes them as soon as it comes to it, a random draw if it holds it."""
    _, pictures = world["draw"](12, density=0.3)
    G, z = world["generator"], pictures.flatten(1)
    check, rankings = unchanged(G), {"good": torch.tensor([1, 0, 3, 2]), "bad": torch.tensor([0, 2, 1, 3])}
    chance = torch.Generator().manual_seed(0)
    rows = remove_in_steps(
        G,
        LAYER,
        rankings,
        (0, 1, 2, 3),
        z,
        world["segment"],
        world["names"],
        "door",
        outside=[1],
        draws=4,
        generator=chance,
    )
    check()
    assert [row.count for row in rows] == [0, 1, 2, 3]
    assert [row.ranked["good"].value for row in rows] == [0, 1, 1, 1]
    assert [row.ranked["bad"].value for row in rows] == [0, 0, 0, 1]
    for row in rows:
        assert [share.value for share in row.random] == row.held and set(row.held) <= {0, 1}
        assert [share.value for share in row.elsewhere] == [0] * 4
    with pytest.raises(ValueError, match=r"4 units of 3 \(of 4, 1 are ruled out\)"):
        remove_in_steps(G, LAYER, rankings, (4,), z, world["segment"], world["names"], "door", outside=[1])
