import numpy as np
import pytest

from lecture13.figures.matrices import share_matrix

NAMES = {"rows": ["a", "b"], "columns": ["a", "b", "c"], "row_label": "made on", "column_label": "tested on"}


def test_every_cell_says_its_share_in_its_place():
    figure = share_matrix([[0.5, 1, 0.004], [0, np.nan, 0.25]], **NAMES, what="fooled", title="Matrix")
    axis = figure.axes[0]
    assert {(*text.get_position(), text.get_text()) for text in axis.texts} == {
        (0, 0, "50"),
        (1, 0, "100"),
        (2, 0, "0"),
        (0, 1, "0"),
        (2, 1, "25"),
    }
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["a", "b"]
    assert figure.axes[1].get_ylabel() == "fooled (%)"


@pytest.mark.parametrize(
    ("shares", "message"), [([[0.5, 0.5]], r"shape \(1, 2\)"), ([[0.5, 1.5, 0], [0, 0, 0]], r"\[0, 1\.5\]")]
)
def test_what_is_no_share_is_refused(shares, message):
    with pytest.raises(ValueError, match=message):
        share_matrix(shares, **NAMES, what="fooled")


def test_long_names_of_many_columns_lean():
    names = [f"rubber duck {number}" for number in range(10)]
    options = {"rows": names, "columns": names, "row_label": "r", "column_label": "c", "what": "w"}
    axis = share_matrix(np.eye(10), **options).axes[0]
    assert all(label.get_rotation() == 35 and label.get_ha() == "right" for label in axis.get_xticklabels())
    axis = share_matrix([[0.5]], **NAMES | {"rows": ["a"], "columns": ["a"]}, what="w").axes[0]
    assert axis.get_xticklabels()[0].get_rotation() == 0
