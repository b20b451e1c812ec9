import matplotlib.colors
import pytest
import torch

from lecture13.render.concepts import COLOURS, CONCEPTS, REGIONS, maps, name_colours


def test_every_kind_has_its_names_once():
    for names in CONCEPTS.values():
        assert len(set(names)) == len(names)
    assert CONCEPTS["surface"][0] == "sky"
    assert CONCEPTS["part"][0] == CONCEPTS["material"][0] == "none"
    assert {"sky", "cloud", "tree", "building", "window", "door", "grass", "road", "water", "car"} <= set(
        CONCEPTS["surface"]
    )


def test_maps_look_up_the_regions_concepts():
    regions = torch.arange(len(REGIONS), dtype=torch.uint8)[None, None]
    found = maps(regions, torch.zeros(1, 3, 1, len(REGIONS)))
    for number, region in enumerate(REGIONS.values()):
        named = [CONCEPTS[kind][found[kind][0, 0, number]] for kind in ("surface", "object", "part", "material")]
        assert tuple(named) == region


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ("black", "black"),
        ("dimgrey", "grey"),
        ("darkgrey", "grey"),
        ("white", "white"),
        ("red", "red"),
        ("crimson", "red"),
        ("darkorange", "orange"),
        ("gold", "yellow"),
        ("forestgreen", "green"),
        ("lime", "green"),
        ("royalblue", "blue"),
        ("skyblue", "blue"),
        ("blueviolet", "purple"),
        ("hotpink", "pink"),
        ("saddlebrown", "brown"),
        ("sienna", "brown"),
    ],
)
def test_the_webs_colours_get_their_basic_terms(colour, name):
    rgb = torch.tensor(matplotlib.colors.to_rgb(colour)).view(1, 3, 1, 1)
    assert COLOURS[name_colours(rgb).item()] == name
