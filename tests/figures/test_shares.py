import numpy as np
import pytest

from lecture13.estimates import share
from lecture13.figures.shares import share_curves


def test_shares_are_drawn_in_per_cent_with_their_intervals():
    row = [share(1, 10), share(9, 10)]
    figure = share_curves([1, 2], {"one": row}, xlabel="n", ylabel="hits (%)")
    axis = figure.axes[0]
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [10, 90])
    heights = axis.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(100 * row[0].low) and heights.max() == pytest.approx(100 * row[1].high)
    assert axis.get_ylim() == (-2, 102) and axis.get_ylabel() == "hits (%)"


def test_a_share_of_nothing_is_named():
    with pytest.raises(ValueError, match="NaN"):
        share_curves([1], {"one": [share(0, 0)]}, xlabel="n", ylabel="hits (%)")
