import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from lecture13.figures import densities as plots
from lecture13.gan import densities

X = torch.linspace(-3, 3, 31)
BELL = torch.exp(-X.square())


def labels(figure):
    return [(axis.get_xlabel(), axis.get_ylabel()) for axis in figure.axes]


def test_frames_show_every_sample_below_its_title():
    ring = densities.ring(8)
    rows = {"k = 1": [torch.zeros(3, 2), torch.ones(4, 2)], "k = 5": [torch.ones(5, 2), torch.zeros(6, 2)]}
    figure = plots.frames(rows, ["iteration 0", "iteration 9"], ring, title="Frames")
    assert [axis.get_title() for axis in figure.axes] == ["iteration 0", "iteration 9", "", ""]
    assert [len(axis.lines[0].get_xdata()) for axis in figure.axes] == [3, 4, 5, 6]
    assert all(len(axis.patches) == 8 for axis in figure.axes)
    assert figure.axes[0].get_ylabel().startswith("k = 1") and figure.axes[2].get_ylabel().startswith("k = 5")
    assert figure.axes[0].patches[0].radius == pytest.approx(3 * 0.05)


def test_frames_that_do_not_fit_their_titles_are_refused():
    with pytest.raises(ValueError, match=r"\[1\] frames in the rows; expected 2"):
        plots.frames({"": [torch.zeros(3, 2)]}, ["a", "b"], densities.ring(), title="Frames")


def test_critic_on_the_line_draws_what_it_is_given():
    critic, best = torch.sigmoid(X), torch.sigmoid(2 * X)
    above, below = plots.critic_on_line(X, BELL, BELL / 2, critic, best, title="Critic").axes
    np.testing.assert_allclose(above.lines[1].get_ydata(), BELL / 2)
    drawn = {line.get_label(): line.get_ydata() for line in below.lines}
    np.testing.assert_allclose(drawn["D, trained"], critic)
    np.testing.assert_allclose(drawn["D* = p_data / (p_data + p_g)"], best)
    assert below.get_xlabel() == "x" and above.get_ylabel() == "density (per unit of x)"


def test_critic_on_the_plane_shows_the_difference_the_right_way_up():
    critic, best = torch.zeros(4, 4), torch.zeros(4, 4)
    critic[0, 3] = 0.5  # lowest row of x₂, largest x₁
    figure = plots.critic_on_plane(2.0, critic, best, title="Plane")
    picture = figure.axes[2].images[0]
    assert picture.get_array()[0, 3] == 0.5
    assert picture.origin == "lower" and list(picture.get_extent()) == [-2, 2, -2, 2]


def test_values_below_the_usual_range_are_not_cut():
    runs = {"k = 1": ([0, 10], [-0.1, -1.2], [-1.4, -3.0]), "k = 5": ([0, 10], [-0.1, -1.2], [-1.4, -1.3])}
    figure = plots.value_while_training(runs, title="Value")
    assert figure.axes[0].get_ylim()[0] < -3
    assert labels(figure) == [("iteration", "value of the game (nats)"), ("iteration", "")]
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), [-1.4, -3.0])


def test_gradient_by_logit_has_formula_and_autograd():
    a = torch.linspace(-10, 5, 151)
    figure = plots.gradient_by_logit(a, {"minimax": (a.sigmoid(), a.sigmoid())}, title="Slopes")
    line, dots = figure.axes[0].lines
    assert len(line.get_xdata()) == 151 and len(dots.get_xdata()) == 16
    assert figure.axes[0].get_yscale() == "log"


def test_saturation_and_collapse_are_labelled_with_units():
    run = {"step": [0, 1], "divergence": [0.6, 0.5], "gradient": [1.0, 0.5]}
    figure = plots.saturation({"minimax": run, "non-saturating": run}, title="Saturation")
    assert labels(figure) == [("iteration", "exact JSD (nats)"), ("iteration", "norm of the generator's gradient")]
    figure = plots.collapse({"k = 1": [([0, 1], [0, 3], [0.1, 0.5])] * 2}, modes=8, title="Collapse")
    assert labels(figure) == [("iteration", "modes covered, of 8"), ("iteration", "samples of high quality (%)")]
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), [10, 50])
    assert len(figure.axes[0].get_legend().get_texts()) == 1  # one entry for two seeds


def test_shifted_marks_the_chosen_shift():
    lines = {"JSD": [0.1, 0.2], "minimax gradient": [0.3, 0.1], "non-saturating gradient": [1.0, 2.0]}
    figure = plots.shifted(X, BELL, BELL, BELL, [1.0, 2.0], lines, at=1)
    assert isinstance(figure, Figure)
    marks = [line for line in figure.axes[1].lines if len(line.get_xdata()) == 1]
    assert [(mark.get_xdata()[0], mark.get_ydata()[0]) for mark in marks] == [(2.0, 0.2), (2.0, 0.1), (2.0, 2.0)]
    assert figure.get_suptitle().startswith("Δ = 2: JSD 0.2")
