import pytest
import torch

from lecture13.figures.concepts import concept_map

NAMES = ("none", "sky", "tree")


def test_the_legend_gives_each_concept_there_with_its_share():
    concepts = torch.tensor([[1, 1, 1, 2]], dtype=torch.uint8).repeat(4, 1)
    figure = concept_map(torch.rand(3, 4, 4), concepts, NAMES)
    legend = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert legend == ["sky 75 %", "tree 25 %"]


def test_each_concept_has_its_own_colour_where_it_stands():
    concepts = torch.tensor([[1, 1, 1, 2]], dtype=torch.uint8).repeat(4, 1)
    drawn = concept_map(torch.rand(3, 4, 4), concepts, NAMES).axes[1].get_images()[0].get_array()
    assert (drawn[:, :3] == drawn[0, 0]).all() and (drawn[:, 3] == drawn[0, 3]).all()
    assert (drawn[0, 0] != drawn[0, 3]).any()


def test_a_map_that_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match=r"map \(2, 2\)"):
        concept_map(torch.rand(3, 4, 4), torch.zeros(2, 2, dtype=torch.uint8), NAMES)
    with pytest.raises(ValueError, match="index 3"):
        concept_map(torch.rand(3, 4, 4), torch.full((4, 4), 3, dtype=torch.uint8), NAMES)
