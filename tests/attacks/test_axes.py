"""Axes whose middle is zero."""

import pytest
import torch

from lecture13.attacks.axes import centred


@pytest.mark.parametrize("count", [3, 5, 31, 101])
@pytest.mark.parametrize("extent", [1.0, 0.1, 30.0])
def test_ends_middle_and_spacing(count, extent):
    axis = centred(count, extent)
    assert axis[0] == -extent and axis[-1] == extent and axis[count // 2] == 0
    torch.testing.assert_close(axis, torch.linspace(-extent, extent, count, dtype=torch.float64))


def test_one_value_is_zero_and_two_are_the_ends():
    assert centred(1, 7.0).tolist() == [0.0] and centred(2, 7.0).tolist() == [-7.0, 7.0]
