import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from lecture13.dissection import KINDS, SceneJudge
from lecture13.gan.images import to_signed, to_unit
from lecture13.render import scenes


class Knows(nn.Module):
    """A segmenter that is right about some scenes, and keeps what it was shown."""

    def __init__(self, drawn):
        super().__init__()
        self.surfaces, self.shown = drawn.maps["surface"], None

    def forward(self, images):
        self.shown = images
        return one_hot(self.surfaces.long(), len(scenes.CONCEPTS["surface"])).movedim(-1, 1).float()


@pytest.fixture(scope="module")
def drawn():
    return scenes.draw(48, size=32, seed=3)


def names(maps, of):
    return [[of[number] for number in row] for row in maps.flatten(1).tolist()]


def test_surfaces_become_the_objects_and_parts_that_the_scenes_know(drawn):
    found = SceneJudge(Knows(drawn))(drawn.images)
    exact = {kind: names(drawn.maps[kind], scenes.CONCEPTS[kind]) for kind in ("object", "part", "colour")}
    told = {kind: names(found[kind], KINDS[kind]) for kind in KINDS}
    assert told["colour"] == exact["colour"]
    # a surface does not tell the sun from the sky, nor a path from a road: those objects keep the surface's name
    same = set(KINDS["object"]) & set(scenes.CONCEPTS["object"]) - {"sky", "hill", "grass", "road"}
    assert {"building", "tree", "cloud", "car", "boat", "water", "pavement"} <= same
    for kind, shared in (("object", same), ("part", {"wall", "window", "door"})):
        for row, truth in zip(told[kind], exact[kind], strict=True):
            assert [a if a in shared else "" for a in row] == [b if b in shared else "" for b in truth]
    chimneys = {("roof", "roof"), ("roof", "chimney")}  # a chimney's surface is a roof's
    pairs = {
        (a, b)
        for row, truth in zip(told["part"], exact["part"], strict=True)
        for a, b in zip(row, truth, strict=True)
        if a == "roof"
    }
    assert pairs <= chimneys and ("roof", "roof") in pairs


def test_pictures_are_brought_to_the_scale_that_the_segmenter_knows(drawn):
    segmenter = Knows(drawn)
    judge = SceneJudge(segmenter, to_unit)
    found = judge(to_signed(drawn.images))
    torch.testing.assert_close(segmenter.shown, drawn.images)
    assert all(maps.dtype == torch.uint8 and maps.shape == (48, 32, 32) for maps in found.values())
    assert set(found) == set(KINDS)


def test_another_segmenter_is_refused():
    with pytest.raises(ValueError, match="expected logits"):
        SceneJudge(nn.Conv2d(3, 4, 1))(torch.rand(1, 3, 8, 8))
