"""Chapter 14's figures show what the numbers say."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from lecture13.figures import solids as plots

CLASSES = ("sea turtle", "rifle", "car")


def test_renders_of_the_target_are_framed():
    rows = {"as painted": torch.full((2, 3, 8, 8), 0.25), "attacked": torch.full((2, 3, 8, 8), 0.75)}
    found = {"as painted": torch.tensor([0, 0]), "attacked": torch.tensor([1, 2])}
    figure = plots.in_poses(rows, found, CLASSES, target=1, title="t")
    assert [axis.get_title() for axis in figure.axes] == ["sea\nturtle", "sea\nturtle", "rifle", "car"]
    assert [axis.spines["left"].get_visible() for axis in figure.axes] == [False, False, True, False]
    assert [axis.title.get_fontweight() for axis in figure.axes] == ["normal", "normal", "bold", "normal"]
    assert [axis.images[0].get_array().max() for axis in figure.axes] == [0.25, 0.25, 0.75, 0.75]
    assert [axis.get_ylabel() for axis in figure.axes] == ["as painted", "", "attacked", ""]


@pytest.mark.parametrize("found", [{}, {"a": torch.tensor([0])}, {"b": torch.tensor([0, 1])}])
def test_rows_without_their_classes_are_named(found):
    with pytest.raises(ValueError, match="expected one number of both in every row"):
        plots.in_poses({"a": torch.zeros(2, 3, 8, 8)}, found, CLASSES, target=1)


def test_a_map_has_its_cells_where_the_camera_stood():
    shares = np.zeros((3, 4))
    shares[2, 1] = 1  # elevation 60, azimuth −90
    figure = plots.sphere(
        {"one": shares, "two": 1 - shares},
        [-180, -90, 0, 90],
        [-60, 0, 60],
        what="rifle",
        marks={"one": (-90, 60)},
        title="t",
    )
    one, two, bar = figure.axes
    picture = one.images[0]
    left, right, low, high = picture.get_extent()
    assert (left, right, low, high) == (-225, 135, -90, 90) and picture.origin == "lower"
    column, row = int((-90 - left) / 90), int((60 - low) / 60)
    assert picture.get_array()[row, column] == 100 and picture.get_array().sum() == 100
    assert two.images[0].get_array().sum() == 1100
    assert one.lines[0].get_xydata().tolist() == [[-90, 60]] and not two.lines
    assert bar.get_ylabel() == "rifle (%)" and one.get_title(loc="left") == "one"


def test_maps_that_are_none_are_named():
    with pytest.raises(ValueError, match=r"shape \(2, 2\); expected \(1, 2\)"):
        plots.sphere({"a": np.zeros((2, 2))}, [0, 1], [0], what="x")
    with pytest.raises(ValueError, match="outside"):
        plots.sphere({"a": np.full((1, 2), np.nan)}, [0, 1], [0], what="x")
    with pytest.raises(ValueError, match=r"marks on \['b'\]; the maps are \['a'\]"):
        plots.sphere({"a": np.zeros((1, 2))}, [0, 1], [0], what="x", marks={"b": (0, 0)})


def test_a_view_shows_both_sizes_and_every_class():
    large, small = torch.full((3, 16, 16), 0.5), torch.full((3, 4, 4), 0.25)
    figure = plots.view(large, small, torch.tensor([0.2, 0.7, 0.1]), CLASSES, label=0, target=1, title="t")
    left, middle, right = figure.axes
    assert left.images[0].get_array().shape == (16, 16, 3) and middle.images[0].get_array().shape == (4, 4, 3)
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], [20, 70, 10], rtol=1e-6)
    assert [text.get_text() for text in right.get_yticklabels()] == list(CLASSES)
    colours = [bar.get_facecolor() for bar in right.patches]
    assert len(set(colours)) == 3


def test_many_classes_have_a_line_each():
    names, picture = [f"speed limit {number}" for number in range(17)], torch.zeros(3, 4, 4)
    figure = plots.view(picture, picture, torch.full((17,), 1 / 17), names, label=0, target=1, title="t")
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[2].get_yticklabels()]
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
