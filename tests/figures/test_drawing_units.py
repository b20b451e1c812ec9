import pytest

from lecture13.dissection.agreement import Line
from lecture13.estimates import Estimate
from lecture13.figures import drawing_units as plots

LAYERS = ("block4.0", "block8.0", "block16.0")
FOUND = {
    "door": {"ceiling": [0.1, 0.2, 0.4], "best unit": [0.02, 0.03, 0.01]},
    "tree": {"ceiling": [0.4, 0.6, 0.8], "best unit": [0.1, 0.2, 0.3]},
}


def test_a_panel_for_each_concept_a_line_for_each_way():
    figure = plots.limits(FOUND, LAYERS, title="why")
    assert [axis.get_title() for axis in figure.axes] == list(FOUND)
    for axis, lines in zip(figure.axes, FOUND.values(), strict=True):
        assert [line.get_ydata().tolist() for line in axis.lines] == list(lines.values())
        assert [label.get_text() for label in axis.get_xticklabels()] == list(LAYERS)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ceiling", "best unit"]


@pytest.mark.parametrize(
    "found",
    [{}, FOUND | {"car": {"ceiling": [0.1, 0.2, 0.4]}}, {"car": {"best unit": [0.1]}}],
)
def test_limits_that_do_not_fit_are_refused(found):
    with pytest.raises(ValueError, match="expected"):
        plots.limits(found, LAYERS)


def test_the_error_is_read_off_the_line():
    line = Line.through({"as drawn": (0.05, 0.05), "soft": (0.1, 0.12), "bent": (0.2, 0.22), "both": (0.3, 0.35)})
    generated = {"a GAN": Estimate(0.15, 0.14, 0.16)}
    (axis,) = plots.agreement(line, generated, title="judges").axes
    known, fit, equal, read_off = axis.lines[:4]
    assert known.get_xdata() == pytest.approx([5, 10, 20, 30]) and known.get_ydata() == pytest.approx([5, 12, 22, 35])
    x, y = fit.get_xdata(), fit.get_ydata()
    assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(line.slope)
    assert equal.get_xdata() == pytest.approx(equal.get_ydata())
    assert (read_off.get_xdata(), read_off.get_ydata()) == (
        pytest.approx([15]),
        pytest.approx([100 * line.at(generated["a GAN"]).value]),
    )
    assert {text.get_text() for text in axis.texts} == {"as drawn", "both"}
    assert "%" in axis.get_xlabel() and "%" in axis.get_ylabel()
