import math

import numpy as np
import pytest
import torch

from lecture13.dissection.removal import Removed
from lecture13.estimates import Estimate
from lecture13.figures import editing as plots


def estimate(value):
    return Estimate(value, value - 0.1, value + 0.1)


ROWS = [
    Removed(
        count, {"IoU": estimate(0.03 * count), "effect": estimate(0.04 * count)}, [estimate(0.01)], [1], [estimate(0.0)]
    )
    for count in (1, 4, 20)
]


def test_rows_of_images_with_their_cells_framed():
    images, cells = torch.rand(3, 3, 16, 16), torch.zeros(3, 4, 4, dtype=torch.bool)
    cells[1, 2, 3] = True
    figure = plots.framed(
        {"as drawn": (images, cells), "edited": (1 - images, None)}, captions=["a", "b", "c"], title="t"
    )
    assert len(figure.axes) == 6 and [len(axis.patches) for axis in figure.axes] == [0, 2, 0, 0, 0, 0]
    frame = figure.axes[1].patches[0]
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (11.5, 7.5, 4, 4)
    np.testing.assert_allclose(figure.axes[5].images[0].get_array(), (1 - images[2]).movedim(0, -1))
    assert [axis.get_xlabel() for axis in figure.axes[3:]] == ["a", "b", "c"]
    assert [axis.get_ylabel() for axis in figure.axes[::3]] == ["as drawn", "edited"]


def test_units_by_two_measures():
    iou, effects = torch.tensor([0.3, 0.2, 0.05]), torch.tensor([0.1, -0.02, 0.0])
    axis = plots.agreement(iou, effects, "tree", baseline=torch.tensor([0.1, 0.18, 0.04]), title="t").axes[0]
    chance, beyond = axis.lines[:2]
    np.testing.assert_allclose(beyond.get_xydata(), [[0.3, 10]], rtol=1e-6)
    np.testing.assert_allclose(chance.get_xydata(), [[0.2, -2], [0.05, 0]], rtol=1e-6)
    assert "tree" in axis.get_xlabel() and "%" in axis.get_ylabel()


@pytest.mark.parametrize("names", [["one"], ["a", "b", "c"], ["a", "b", "c", "d", "e"]])
def test_a_panel_for_each_net(names):
    figure = plots.removal(dict.fromkeys(names, ROWS), "tree", title="t")
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert len(shown) == len(names)
    for axis in shown:
        by_iou, by_effect, elsewhere, plain = axis.lines[:4]
        np.testing.assert_allclose(by_iou.get_xydata(), [[1, 3], [4, 12], [20, 60]])
        np.testing.assert_allclose(by_effect.get_ydata(), [4, 16, 80])
        assert elsewhere.get_ydata().tolist() == [0] * 3 and plain.get_ydata().tolist() == [1] * 3
        band = axis.collections[0].get_paths()[0].vertices
        assert band[:, 1].min() == pytest.approx(-7) and band[:, 1].max() == pytest.approx(70)
    legend = (figure.legends or [figure.axes[0].get_legend()])[0]
    assert len(legend.get_texts()) == 4


def test_shares_of_several_series():
    series = {
        "ours": {"foot": estimate(0.5), "sky": estimate(0.0)},
        "theirs": {"foot": estimate(0.2), "sky": Estimate(math.nan, math.nan, math.nan), "roof": estimate(0.1)},
    }
    axis = plots.shares(series, xlabel="doors (%)", title="t").axes[0]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["foot", "sky", "roof"]
    ours, theirs = (container.lines[0] for container in axis.containers)
    assert ours.get_xdata().tolist() == [50, 0] and theirs.get_xdata().tolist() == [20, 10]
    assert [round(y) for y in theirs.get_ydata()] == [0, 2]
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # the first on top
    assert len(axis.get_legend().get_texts()) == 2


IMAGES = torch.rand(2, 3, 8, 8)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.framed({}),
        lambda: plots.framed({"a": (IMAGES, None), "b": (IMAGES[:1], None)}),
        lambda: plots.framed({"a": (IMAGES, None)}, captions=["one"]),
        lambda: plots.framed({"a": (IMAGES, torch.zeros(3, 2, 2).bool())}),
        lambda: plots.agreement(torch.rand(3), torch.rand(2), "tree", baseline=torch.rand(3), title=""),
        lambda: plots.removal({}, "tree", title=""),
        lambda: plots.removal({"a": []}, "tree", title=""),
        lambda: plots.shares({"a": {}}, xlabel="", title=""),
    ],
)
def test_what_does_not_fit_is_refused(draw):
    with pytest.raises(ValueError, match=r"expected|nothing to draw"):
        draw()
