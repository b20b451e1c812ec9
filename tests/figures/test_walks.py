"""The plane as DeepFool sees it: the balls, faces and steps that are drawn are those of the closed forms."""

import numpy as np
import pytest
import torch
from matplotlib.patches import Circle, Rectangle
from torch import nn

from lecture13 import attacks
from lecture13.figures.walks import View, views


@pytest.fixture
def affine():
    model = nn.Linear(2, 3).requires_grad_(False)
    model.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.1], [-1.0, 0.9]]))
    model.bias.copy_(torch.tensor([0.0, -0.62, -1.0]))
    return model


def path(model, norm):
    start = torch.zeros(1, 2)
    return torch.cat([start, attacks.deepfool(model, start, norm=norm)])


def test_the_ball_of_each_norm_has_the_radius_of_the_closed_form(affine):
    panels = {norm: View(path(affine, norm), 0, norm) for norm in ("l2", "linf")}
    figure = views(affine, panels, extent=1.5, title="balls")
    circle = next(patch for patch in figure.axes[0].patches if isinstance(patch, Circle))
    square = next(patch for patch in figure.axes[1].patches if isinstance(patch, Rectangle))
    w, f = affine.weight[1:], affine.bias[1:].abs()
    assert circle.radius == pytest.approx(float((f / w.norm(dim=1)).min()), rel=1e-5)
    assert square.get_width() / 2 == pytest.approx(float((f / w.abs().sum(1)).min()), rel=1e-5)
    assert [axis.get_title() for axis in figure.axes] == ["l2", "linf"]


def test_the_walk_and_its_next_step_are_drawn(affine):
    way = torch.tensor([[-0.5, 0.0], [0.2, 0.1], [0.9, 0.2]])
    figure = views(affine, {"i = 1": View(way, 1, nearest=torch.tensor([0.7, -0.3]))}, extent=1.5, title="walk")
    (axis,) = figure.axes
    drawn = [line.get_xydata() for line in axis.lines]
    np.testing.assert_allclose(drawn[0], way[:2])
    np.testing.assert_allclose(drawn[-1], [[0.7, -0.3]], atol=1e-6)  # the star
    (arrow,) = [text for text in axis.texts if getattr(text, "arrow_patch", None)]
    np.testing.assert_allclose(arrow.xy, way[2])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "truly nearest" in labels and "ℓ₂ ball to the nearest" in labels


def test_after_the_class_is_left_nothing_is_linearised(affine):
    way = path(affine, "l2")
    before, after = (views(affine, {"": View(way, i)}, extent=1.5, title="").axes[0] for i in (0, 1))
    assert len(before.patches) == 1 and not after.patches
    assert len(before.collections) > len(after.collections)


def test_regions_are_the_models_classes(affine):
    figure = views(affine, {"": View(path(affine, "l2"), 0)}, extent=1.5, title="", resolution=31)
    names = {text.get_text(): text.get_position() for text in figure.axes[0].texts if text.get_text()}
    assert set(names) == {"0", "1", "2"}
    for name, place in names.items():
        assert int(affine(torch.tensor([place], dtype=torch.float32)).argmax()) == int(name)


def test_three_panels_a_row_around_a_centre(affine):
    view = View(path(affine, "l2"), 0)
    figure = views(affine, {f"{i}": view for i in range(4)}, extent=0.5, centre=(0.2, -0.1), title="")
    seen = [axis for axis in figure.axes if axis.get_visible()]
    assert len(figure.axes) == 6 and len(seen) == 4
    assert seen[0].get_xlim() == pytest.approx((-0.3, 0.7)) and seen[0].get_ylim() == pytest.approx((-0.6, 0.4))


def test_bad_views_are_named(affine):
    with pytest.raises(ValueError, match="panels is empty"):
        views(affine, {}, extent=1.0, title="")
    with pytest.raises(ValueError, match=r"here: iteration=2; its path has 0 … 1"):
        views(affine, {"here": View(path(affine, "l2"), 2)}, extent=1.0, title="")
