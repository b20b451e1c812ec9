import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.quiver import Quiver

from lecture13.figures import transport as plots
from lecture13.gan import densities, transport

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(12, 2, generator=GENERATOR)
Y = torch.randn(12, 2, generator=GENERATOR) + 1
PLAN = transport.plan(X, Y)


def arrows(axis):
    """(start, end) of all arrows of an axis, each (N, 2)."""
    (quiver,) = [part for part in axis.collections if isinstance(part, Quiver)]
    return quiver.XY, quiver.XY + np.stack([quiver.U, quiver.V], axis=1)


def test_lines_training_shows_place_and_size_of_the_gradient():
    runs = {"minimax": ([0, 1], [1.0, 0.9], [0.5, -1e-3]), "Wasserstein": ([0, 1], [1.0, 0.5], [1.0, 1.0])}
    left, right = plots.lines_training(runs, title="Lines").axes
    np.testing.assert_allclose(left.lines[0].get_ydata(), [1.0, 0.9])
    np.testing.assert_allclose(right.lines[0].get_ydata(), [0.5, 1e-3])
    assert right.get_yscale() == "log" and left.get_xlabel() == right.get_xlabel() == "iteration"
    assert "θ" in left.get_ylabel() and "θ" in right.get_ylabel()


def test_arrows_of_a_plan_start_at_y_and_end_at_x():
    curves = {"W₁": [1.0, 0.0, 1.0], "JSD": [0.7, 0.0, 0.7]}
    left, right = plots.lines_apart(PLAN, [-1.0, 0.0, 1.0], curves, 2, title="θ = 1").axes
    start, end = arrows(left)
    np.testing.assert_allclose(start, Y[PLAN.matching], rtol=1e-5)
    np.testing.assert_allclose(end, X, rtol=1e-5)
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in right.lines if len(line.get_xdata()) == 1]
    assert marks == [(1.0, 1.0), (1.0, 0.7)]
    assert "nats" in right.get_ylabel()


def test_plan_on_potential_has_map_arrows_and_colour_bar():
    axis, bar = plots.plan_on_potential(PLAN, extent=3, title="Plan", cells=10).axes
    np.testing.assert_allclose(arrows(axis)[1], X, rtol=1e-5)
    assert axis.get_xlim() == (-3, 3) and "f*" in bar.get_ylabel()


def test_decoder_shows_where_noise_goes_and_what_is_left():
    z = torch.zeros(12, 2)
    left, right = plots.decoder(z, Y, PLAN, extent=4, title="Decoder").axes
    start, end = arrows(left)
    np.testing.assert_allclose(start, z)
    np.testing.assert_allclose(end, Y, rtol=1e-5)
    np.testing.assert_allclose(arrows(right)[1], X, rtol=1e-5)


def test_surfaces_are_the_right_way_up():
    points, _ = densities.plane(2.0, 8)
    rising = points[..., 1]  # along x₂
    figure = plots.surfaces({"clip": [rising], "exact": [-rising]}, {"toy": X}, extent=2.0, title="Maps")
    above, below = figure.axes
    assert above.get_title() == "toy" and above.get_ylabel() == "clip\nx₂" and below.get_xlabel() == "x₁"
    for axis, sign in ((above, 1), (below, -1)):
        filled = axis.collections[0]
        heights = [path.vertices[:, 1].mean() for path in filled.get_paths() if len(path.vertices)]
        assert np.all(np.diff(heights) * sign > 0)


def test_weights_and_layers_draw_every_weight_and_layer():
    figure = plots.weights_and_layers(
        {"clip": torch.tensor([-0.1, 0.1, 0.1]), "penalty": torch.linspace(-1, 1, 5)},
        {"clip": [1e-9, 1e-3, 1.0], "penalty": [0.5, 0.6, 0.7]},
        title="Deep",
        reach=(1e-12, 1e3),
    )
    clip, penalty, layers = figure.axes
    assert [sum(bar.get_height() for bar in axis.patches) for axis in (clip, penalty)] == [3, 5]
    assert layers.get_yscale() == "log" and layers.get_ylim() == (1e-12, 1e3)
    np.testing.assert_allclose(layers.lines[0].get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(layers.lines[0].get_ydata(), [1e-9, 1e-3, 1.0])


@pytest.mark.parametrize("count", [1, 2, 4])
def test_progress_has_a_panel_for_each_run_and_one_line_for_each_label(count):
    runs = {f"run {i}": ([1, 2], {"exact": [1.0, 0.5], f"said {i % 2}": [2.0, 0.7 + i]}) for i in range(count)}
    figure = plots.progress(runs, ylabel="distance (units of x)", title="Progress")
    assert [axis.get_title() for axis in figure.axes] == list(runs)
    assert figure.axes[0].get_ylabel() == "distance (units of x)"
    for i, axis in enumerate(figure.axes):
        drawn = {line.get_label(): line for line in axis.lines}
        np.testing.assert_allclose(drawn[f"said {i % 2}"].get_ydata(), [2.0, 0.7 + i])
        assert drawn["exact"].get_color() == figure.axes[0].lines[0].get_color()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["exact", "said 0", "said 1"][: 2 + (count > 1)]


def test_progress_may_have_a_label_and_a_scale_for_each_panel():
    runs = {"distance": ([1, 2], {"exact": [8.0, 0.1]}), "divergence": ([1, 2], {"JSD": [0.7, 0.2]})}
    left, right = plots.progress(runs, ylabel=["W₁", "nats"], logy=["distance"], title="Line").axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("W₁", "nats")
    assert (left.get_yscale(), right.get_yscale()) == ("log", "linear")


def test_figures_are_closed():
    assert not plt.get_fignums()
