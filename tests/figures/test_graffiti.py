import numpy as np
import pytest
import torch

from lecture13.estimates import share
from lecture13.figures import graffiti as plots


def test_the_search_shows_sign_heat_and_paint():
    sign, heat = torch.full((1, 3, 4, 4), 0.5), torch.eye(4)
    figure = plots.search(sign, heat, {"two stickers": sign / 2}, title="t")
    first, second, third = figure.axes[:3]
    assert [axis.get_title() for axis in (first, second, third)] == ["the sign", "paint that ℓ1 leaves", "two stickers"]
    assert second.images[0].get_array()[1, 1] == 1 and third.images[0].get_array().max() == 0.25
    with pytest.raises(ValueError, match=r"expected \(4, 4\) in all"):
        plots.search(sign, torch.eye(3), {})


@pytest.mark.parametrize("count", [1, 2, 3])
def test_maps_hold_their_shares_and_are_named(count):
    values = np.array([[0.0, 0.5, 1.0], [0.25, 0.75, 1.0]])
    figure = plots.by_place({f"map {k}": values for k in range(count)}, [5, 40], [0, 15, 60], what="read as 80")
    axis = figure.axes[0]
    assert axis.get_title() == "map 0" and axis.images[0].get_array().tolist() == (100 * values).tolist()
    assert [text.get_text() for text in axis.texts] == ["0", "50", "100", "25", "75", "100"]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["0", "15", "60"]


@pytest.mark.parametrize("values", [np.zeros((3, 2)), np.full((2, 3), 1.5)])
def test_maps_of_another_shape_or_range(values):
    with pytest.raises(ValueError, match=r"expected \(2, 3\) shares"):
        plots.by_place({"a": values}, [5, 40], [0, 15, 60], what="read as 80")


def test_curves_by_angle_are_in_per_cent_and_named_below():
    lines = {"RP2": [share(10, 10), share(5, 10)], "one picture": [share(10, 10), share(0, 10)]}
    figure = plots.by_angle([0, 15], lines, what="read as 80", title="t")
    axis = figure.axes[0]
    assert axis.lines[0].get_ydata().tolist() == [100, 50] and axis.get_ylabel() == "read as 80 (%)"
    assert axis.get_legend() is None
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["RP2", "one picture"]
