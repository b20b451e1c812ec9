import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture13.dissection import Concept, Masks
from lecture13.dissection.concepts import index_of, iou, label_maps, vocabulary
from lecture13.render import scenes

NAMES = {"object": ("none", "tree", "house"), "colour": ("red", "green")}


def maps(count=3, height=4, width=5):
    chance = torch.Generator().manual_seed(0)
    return {
        kind: torch.randint(len(names), (count, height, width), generator=chance, dtype=torch.uint8)
        for kind, names in NAMES.items()
    }


def test_planes_hold_each_concept_once():
    masks = Masks(found := maps(), NAMES)
    assert [str(concept) for concept in masks.concepts] == [
        "tree (object)", "house (object)", "red (colour)", "green (colour)"
    ]  # fmt: skip
    planes = masks.planes(slice(1, 3))
    assert planes.shape == (4, 2 * 20) and planes.dtype == torch.float32
    for plane, (kind, number) in zip(planes, [("object", 1), ("object", 2), ("colour", 0), ("colour", 1)], strict=True):
        assert torch.equal(plane, (found[kind][1:] == number).flatten().float())
    assert torch.equal(masks.planes(torch.tensor([2, 1])), planes.view(4, 2, 20).flip(1).flatten(1))
    areas = masks.areas(batch_size=2)
    assert areas.dtype == torch.int64 and torch.equal(areas[1], planes.view(4, 2, 20)[:, 0].sum(1).long())
    assert len(masks) == 3 and masks.size == (4, 5)


def test_masks_of_concepts_that_overlap():
    found = torch.rand(3, 3, 4, 5) > 0.5
    masks = Masks({"object": found, "ignored": torch.zeros(9, 1, 1)}, {"object": NAMES["object"]})
    assert torch.equal(masks.planes(slice(0, 3)), found[:, 1:].transpose(0, 1).flatten(1).float())


def test_the_scenes_fit():
    scene = scenes.draw(4, size=16)
    masks = Masks(scene.maps, scenes.CONCEPTS)
    kinds = {concept.kind for concept in masks.concepts}
    assert kinds == set(scenes.CONCEPTS) and Concept("none", "part") not in masks.concepts
    sky = index_of(masks.concepts, "sky", "object")
    assert torch.equal(masks.areas()[:, sky], (scene.maps["object"] == 0).sum((1, 2)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), density=st.sampled_from([0, 0.01, 0.5, 1]))
def test_iou_is_that_of_whole_arrays(seed, density):
    chance = np.random.default_rng(seed)
    units, concepts = chance.random((4, 300)) < 0.3, chance.random((5, 300)) < density
    both = torch.from_numpy((units[:, None] & concepts).sum(2))
    found = iou(both, torch.from_numpy(units.sum(1))[:, None], torch.from_numpy(concepts.sum(1)))
    union = (units[:, None] | concepts).sum(2)
    assert np.allclose(found, both.numpy() / np.maximum(union, 1), atol=1e-7)


@pytest.mark.parametrize(
    ("change", "names", "error", "said"),
    [
        ({}, {}, ValueError, "no concepts"),
        ({}, {"object": ("none",)}, ValueError, "no concepts"),
        ({}, {"object": ("tree", "tree", "none")}, ValueError, r"tree \(object\) is there twice"),
        ({}, {"part": ("door",)}, ValueError, "no maps of 'part'; there are maps of 'object', 'colour'"),
        ({}, {"object": ("none", "tree")}, ValueError, "maps of 'object' hold 2; expected indices into its 2 names"),
        ({"colour": -torch.ones(3, 4, 5).int()}, NAMES, ValueError, "maps of 'colour' hold -1"),
        ({"colour": torch.zeros(3, 4, 5)}, NAMES, TypeError, "maps of 'colour' are torch.float32"),
        ({"colour": torch.zeros(4, 5).int()}, NAMES, ValueError, r"have shape \(4, 5\); expected \(N, H, W\)"),
        ({"colour": torch.zeros(3, 1, 4, 5).bool()}, NAMES, ValueError, r"expected \(N, 2, H, W\), one a name"),
        ({"colour": torch.zeros(3, 5, 5).int()}, NAMES, ValueError, r"object \(3, 4, 5\), colour \(3, 5, 5\)"),
        ({"colour": torch.zeros(2, 4, 5).int()}, NAMES, ValueError, "maps of different"),
    ],
)
def test_masks_say_what_is_wrong(change, names, error, said):
    with pytest.raises(error, match=said):
        Masks(maps() | change, names)


def test_concepts_are_found_by_name():
    concepts = vocabulary(NAMES | {"part": ("tree",)})
    assert index_of(concepts, "tree") == 0 and index_of(concepts, "tree", "part") == 4
    assert index_of(concepts, Concept("green", "colour")) == 3
    with pytest.raises(ValueError, match=r"no concept 'red \(part\)'; known: tree \(object\), house"):
        index_of(concepts, "red", "part")


def test_segmenters_give_numbers_logits_or_kinds():
    numbers = maps()["object"]
    logits = torch.nn.functional.one_hot(numbers.long(), 3).movedim(-1, 1).float()
    names = {"object": NAMES["object"]}
    for found in (numbers, numbers.long(), logits, {"object": logits}):
        given = label_maps(found, names, 3)["object"]
        assert given.dtype == torch.uint8 and torch.equal(given, numbers)
    wide = label_maps(torch.full((3, 4, 5), 999), {"object": [str(n) for n in range(1000)]}, 3)["object"]
    assert wide.dtype == torch.int64 and wide.max() == 999
    for found, error, said in (
        (numbers[:2], ValueError, r"torch.uint8 of shape \(2, 4, 5\) for 3 images"),
        (numbers.float(), ValueError, "expected numbers"),
        ([numbers], TypeError, "gave a list"),
        (torch.full((3, 4, 5), 256), ValueError, "numbers up to 256"),
    ):
        with pytest.raises(error, match=said):
            label_maps(found, names, 3)
    with pytest.raises(ValueError, match="one map for the kinds object, colour"):
        label_maps(numbers, NAMES, 3)
