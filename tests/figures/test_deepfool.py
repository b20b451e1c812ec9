"""Chapter 10's charts show the numbers that they are given."""

import numpy as np
import pytest

from lecture13.estimates import Estimate
from lecture13.figures import deepfool as plots


def test_iterations_are_shares_of_each_classifiers_points():
    figure = plots.iterations({"LeNet": [1, 2, 2, 3], "FC": [1, 1]}, title="iterations")
    (axis,) = figure.axes
    heights = [[bar.get_height() for bar in bars] for bars in axis.containers]
    assert heights == [[25, 50, 25], [100, 0, 0]]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["1", "2", "3"]
    with pytest.raises(ValueError, match="at least one count"):
        plots.iterations({"LeNet": []}, title="")


def test_an_approach_ends_in_a_cross_where_the_class_is_left():
    figure = plots.approach({"across": [3.0, 0.1, -0.05], "stuck": [3.0, 1.5, 0.75]}, ylabel="lead", title="")
    (axis,) = figure.axes
    across, cross, stuck = axis.lines
    np.testing.assert_allclose(across.get_ydata()[:2], [3.0, 0.1])
    np.testing.assert_allclose(stuck.get_ydata(), [3.0, 1.5, 0.75])
    assert cross.get_marker() == "x" and cross.get_xdata()[0] == 2
    assert cross.get_ydata()[0] == axis.get_ylim()[0] < 0.1
    assert axis.get_yscale() == "log"
    tied = plots.approach({"tied": [1.0, 0.0, 0.5]}, ylabel="lead", title="").axes[0].lines[0].get_ydata()
    assert 0 < tied[1] < 0.5


@pytest.mark.parametrize("gaps", [{}, {"never ahead": [0.0, -1.0]}])
def test_approaches_that_are_none_are_refused(gaps):
    with pytest.raises(ValueError, match="one walk or more"):
        plots.approach(gaps, ylabel="lead", title="")


def test_pairs_stand_against_each_other_on_equal_axes():
    figure = plots.against({"LeNet": ([0.1, 0.2], [0.3, 0.1])}, xlabel="FGSM", ylabel="DeepFool", title="pairs")
    (axis,) = figure.axes
    diagonal, marks = axis.lines
    np.testing.assert_allclose(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_allclose(marks.get_xydata(), [[0.1, 0.3], [0.2, 0.1]])
    assert axis.get_xlim() == axis.get_ylim()
    with pytest.raises(ValueError, match="as many values"):
        plots.against({"LeNet": ([0.1], [0.3, 0.1])}, xlabel="", ylabel="", title="")


def test_sizes_have_whiskers_or_are_hollow():
    figure = plots.sizes(
        {"ours": {"DeepFool": Estimate(0.12, 0.11, 0.13), "FGSM": Estimate(0.3, 0.29, 0.31)}, "paper": {"FGSM": 1.0}},
        title="sizes",
    )
    (axis,) = figure.axes
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["ours", "paper"]
    assert [text.get_text() for text in axis.texts] == ["0.12", "0.3", "1"]
    hollow = [line for line in axis.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata()[0] for line in hollow] == [1.0]
    whiskers = [bars.get_segments()[0][:, 0].tolist() for bars in axis.collections]
    np.testing.assert_allclose(whiskers, [[0.11, 0.13], [0.29, 0.31]])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["DeepFool", "FGSM", "no interval"]
    with pytest.raises(ValueError, match="at least one attack"):
        plots.sizes({"ours": {}}, title="")
