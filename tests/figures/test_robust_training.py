import numpy as np
import pytest
import torch
from torch import nn

from lecture13.figures import robust_training as plots


class Vertical(nn.Module):
    """Class 1 to the right of ``at``."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def forward(self, x):
        return torch.stack([self.at - x[:, 0], x[:, 0] - self.at], 1)


def test_squares_that_a_boundary_cuts_are_dashed_and_counted():
    points, labels = torch.tensor([[0.2, 0.5], [0.55, 0.5], [0.9, 0.5]]), torch.tensor([0, 1, 1])
    figure = plots.regions({"cut": Vertical(0.5), "whole": Vertical(0.4)}, points, labels, 0.1, title="t")
    assert [axis.get_title() for axis in figure.axes] == [
        "cut\n2 of 3 squares seen whole",
        "whole\n3 of 3 squares seen whole",
    ]
    cut, whole = ([patch.get_linestyle() for patch in axis.patches] for axis in figure.axes)
    assert [style == "-" or style == "solid" for style in cut] == [True, False, True]
    assert all(style in ("-", "solid") for style in whole)
    first = figure.axes[0].patches[0]
    assert (first.get_x(), first.get_y(), first.get_width()) == pytest.approx((0.1, 0.4, 0.2))


def test_the_course_is_a_moving_mean_and_epsilon_as_it_was():
    history = {"loss": [4.0, 2.0, 0.0, 2.0], "robust error": [1.0, 1.0, 0.5, 0.0], "epsilon": [0.05, 0.1, 0.1, 0.1]}
    figure = plots.course({"a": history}, chance=2.3, title="t", window=2)
    loss, error, epsilon = figure.axes
    np.testing.assert_allclose(loss.lines[0].get_ydata(), [4, 3, 1, 1])
    np.testing.assert_allclose(error.lines[0].get_ydata(), [100, 100, 75, 25])
    np.testing.assert_allclose(epsilon.lines[0].get_ydata(), history["epsilon"])
    assert loss.lines[1].get_ydata()[0] == 2.3


def test_a_drawing_shows_all_three_on_scales_that_do_not_move():
    x = torch.rand(1, 1, 4, 4)
    delta = 0.1 * torch.ones_like(x)
    figure = plots.drawing(x, delta, x + delta, ["one net: 3", "other net: 5, wrong"], title="t")
    shown = [axis.images[0] for axis in figure.axes]
    assert [picture.get_clim() for picture in shown] == [(0, 1), (-0.3, 0.3), (0, 1)]
    np.testing.assert_allclose(shown[1].get_array(), 0.1, rtol=1e-6)
    assert figure.get_supxlabel() == "one net: 3\nother net: 5, wrong"
