"""Chapter 11's figures show what the numbers say."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from lecture13 import attacks, evaluation
from lecture13.attacks import ascent
from lecture13.figures import spatial as plots

NAMES = ("stop", "yield", "no entry")
ANGLES, SHIFTS = torch.linspace(-30, 30, 9), torch.linspace(-2, 2, 7)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3))


@pytest.fixture
def images():
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def loss(model, images):
    return attacks.loss_landscape(model, images[:1], torch.tensor([1]), ANGLES, SHIFTS)[0]


def shown(axis):
    return np.asarray(axis.get_images()[0].get_array())


def test_pairs_stand_above_each_other_with_class_and_motion(model, images):
    found = attacks.SpatialAttack(images.flip(-1), torch.tensor([12.4, -30.0]), torch.tensor([[0.0, 1.5], [-2.0, 3.0]]))
    axes = np.array(plots.pairs(model, images, found, torch.tensor([1, 0]), NAMES).axes).reshape(2, 2)[:, ::-1]
    for row, batch in zip(axes, (images, found.images), strict=True):
        classes, confidence = evaluation.predict(model, batch)
        for axis, image, k, p in zip(row, batch, classes, confidence, strict=True):
            np.testing.assert_allclose(shown(axis), image.permute(1, 2, 0), atol=1e-6)
            assert axis.get_title().startswith(f"{NAMES[k]}\n{100 * p:.1f} %")
    assert axes[1, 0].get_title().endswith("+12°\n(+0.0, +1.5) px")
    assert axes[1, 1].get_title().endswith("−30°\n(−2.0, +3.0) px")


def test_the_surface_and_the_map_are_the_loss_and_the_dots_its_maxima(loss):
    relief, axis, bar = plots.surface(ANGLES, SHIFTS, loss).axes
    (mesh, *_), dots = axis.collections, axis.lines[0]
    np.testing.assert_allclose(mesh.get_array().reshape(loss.shape), loss, rtol=1e-6)
    assert relief.get_title() == bar.get_ylabel() == "loss J (nats)"
    ends = ascent.summits(loss[None]).unique()
    marked = {(round(float(x), 4), round(float(y), 4)) for x, y in zip(*dots.get_data(), strict=True)}
    cells = [(SHIFTS[end % len(SHIFTS)], ANGLES[end // len(SHIFTS)]) for end in ends]
    assert marked == {(round(float(x), 4), round(float(y), 4)) for x, y in cells}
    star = loss.argmax()
    assert axis.lines[1].get_xdata()[0] == pytest.approx(float(SHIFTS[star % len(SHIFTS)]))
    assert axis.lines[1].get_ydata()[0] == pytest.approx(float(ANGLES[star // len(SHIFTS)]))


def test_the_margin_is_zero_where_chances_are_even(loss):
    _, axis, bar = plots.surface(ANGLES, SHIFTS, loss, margin=True).axes
    margin = axis.collections[0].get_array().reshape(loss.shape)
    np.testing.assert_allclose(margin, np.log(np.expm1(loss.numpy())), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(margin > 0, loss.numpy() > math.log(2))
    assert bar.get_ylabel().startswith("m =")
    tiny = torch.full((3, 3), 1e-30)
    tiny[1, 1] = 1e-20
    _, axis, _ = plots.surface(ANGLES[:3], SHIFTS[:3], tiny, margin=True).axes
    assert np.isfinite(axis.collections[0].get_array()).all()


def test_every_way_has_its_start_and_a_mark_that_says_how_it_ended(model, images, loss):
    starts = torch.tensor([[-20.0, 0.0], [5.0, 1.0], [25.0, -1.5]])
    poses, heights = ascent.paths(model, images[0], 1, starts, (30.0, 2.0), steps=4)
    heights[-1] = torch.tensor([0.1, 5.0, 0.2])
    axis, _ = plots.ascents(ANGLES, SHIFTS, loss, poses, heights).axes
    drawn = axis.lines[2:]  # after the dots and the star
    assert len(drawn) == 9
    for index in range(3):
        way, start, end = drawn[3 * index : 3 * index + 3]
        np.testing.assert_allclose(way.get_xydata(), poses[:, index].flip(1), rtol=1e-6)
        np.testing.assert_allclose(start.get_xydata()[0], starts[index].flip(0))
        np.testing.assert_allclose(end.get_xydata()[0], poses[-1, index].flip(0), rtol=1e-6)
    assert [drawn[3 * index + 2].get_marker() for index in range(3)] == ["X", "o", "X"]


def test_one_pose_is_shown_and_marked(model, images, loss):
    picture, axis, _ = plots.in_pose(model, images[0], NAMES, (15.0, -1.0), ANGLES, SHIFTS, loss).axes
    moved = attacks.rotate_and_translate(images[:1], torch.tensor([15.0]), torch.tensor([[-1.0, 0.0]]))
    np.testing.assert_allclose(shown(picture), moved[0].permute(1, 2, 0), atol=1e-6)
    (k,), (p,) = evaluation.predict(model, moved)
    assert picture.get_title() == f"{NAMES[k]}\n{100 * p:.1f} %"
    assert axis.lines[0].get_xydata().tolist() == [[-1.0, 15.0]]


def test_axes_that_do_not_fit_are_named(loss):
    with pytest.raises(ValueError, match=r"the loss has shape \(9, 7\); expected \(7, 9\)"):
        plots.surface(SHIFTS, ANGLES, loss)
