import pytest
import torch

from lecture13.defenses import polytope
from lecture13.defenses.separated import fully_connected
from lecture13.figures import polytope as plots


@pytest.fixture
def drawn():
    net, x = fully_connected(2, 6, 2, seed=1).double(), torch.tensor([[0.2, -0.1]], dtype=torch.float64)
    return net, x


def test_the_shadow_draws_every_output_and_every_outline(drawn):
    net, x = drawn
    outlines = {"hull": polytope.outline(net, x, 0.3, method="exact", directions=8)}
    figure = plots.shadow(net, x, 0.3, outlines, title="t", grid=20)
    left, right = figure.axes
    square = left.patches[0]
    assert (square.get_x(), square.get_y()) == pytest.approx((-0.1, -0.4)) and square.get_width() == pytest.approx(0.6)
    quads = right.collections[0].get_paths()
    assert len(quads) == 19 * 19
    with torch.no_grad():
        corner = net(x + torch.tensor([-0.3, -0.3], dtype=torch.float64))[0]
    assert quads[0].vertices[0].tolist() == pytest.approx(corner.tolist())
    line = next(line for line in right.lines if line.get_label() == "hull")
    assert line.get_xydata()[:-1] == pytest.approx(outlines["hull"].numpy())
    (low, high), _ = right.get_xlim(), right.get_ylim()
    assert low < outlines["hull"][:, 0].min() and high > outlines["hull"][:, 0].max()


def test_limits_and_reach_are_as_asked(drawn):
    net, x = drawn
    figure = plots.shadow(net, x, 0.1, {}, title="t", grid=5, reach=1.0, limits=((-2, 2), (-3, 3)))
    left, right = figure.axes
    assert right.get_xlim() == (-2, 2) and right.get_ylim() == (-3, 3)
    assert left.get_xlim() == pytest.approx((-0.8, 1.2))


def test_triangles_fill_the_hull_of_the_relu_where_it_bends():
    figure = plots.triangles([(-2, -0.5), (-1, 2), (0.5, 2)], title="t")
    off, bent, on = figure.axes
    assert not off.patches and not on.patches
    assert bent.patches[0].get_xy()[:3].tolist() == [[-1, 0], [0, 0], [2, 2]]
    assert [axis.get_title().split(":")[0] for axis in figure.axes] == ["always off", "unstable", "always on"]
    assert off.lines[0].get_ydata().max() == 0 and on.lines[0].get_ydata().min() == 0.5


def test_intervals_stand_side_by_side():
    low, high = torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 0.5])
    figure = plots.intervals({"exact": (low, high), "bound": (low - 1, high + 1)}, names=["a", "b"], title="t")
    (axis,) = figure.axes
    exact, bound = axis.collections
    assert [segment[:, 1].tolist() for segment in exact.get_segments()] == [[-1, 1], [0, 0.5]]
    assert bound.get_segments()[0][0, 0] > exact.get_segments()[0][0, 0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["a", "b"]
    with pytest.raises(ValueError, match="2 and 2 bounds of 1 units"):
        plots.intervals({"exact": (low, high)}, names=["a"], title="t")
