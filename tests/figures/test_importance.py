import pytest

from lecture13.estimates import Estimate
from lecture13.figures import importance as plots


def test_a_line_for_each_class_with_its_intervals():
    rows = {
        name: {"intact": Estimate(0.9, 0.8, 0.95), "removed": Estimate(0.5, 0.4, 0.6)} for name in ("city", "coast")
    }
    figure = plots.by_class(rows, xlabel="balanced accuracy (%)", guess=0.5, title="t")
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["city", "coast"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["intact", "removed"]
    intact = axis.containers[0]
    assert intact[0].get_xdata() == pytest.approx([90, 90])
    assert intact[2][0].get_segments()[0][:, 0] == pytest.approx([80, 95])
    for wrong in ({}, {"city": rows["city"], "coast": {"intact": Estimate(1, 1, 1)}}):
        with pytest.raises(ValueError, match="expected one or more, all with the same series"):
            plots.by_class(wrong, xlabel="x")
