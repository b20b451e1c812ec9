"""Chapter 09's figures show what the numbers say."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lecture13 import attacks, evaluation
from lecture13.estimates import Estimate
from lecture13.figures import adversarial as plots

NAMES = ("stop", "yield", "no entry")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3))


def batch(count=2):
    generator = torch.Generator().manual_seed(0)
    return 0.2 + 0.6 * torch.rand(count, 3, 8, 8, generator=generator), torch.arange(count) % 3


def shown(axis):
    return np.asarray(axis.get_images()[0].get_array())


@pytest.mark.parametrize("targeted", [False, True])
def test_three_panels_are_image_sign_and_sum(model, targeted):
    images, labels = batch()
    figure = plots.three_panels(model, images, labels, NAMES, 8 / 255, targeted=targeted)
    rows = np.array(figure.axes).reshape(2, 3)
    found = attacks.fgsm(model, images, labels, 8 / 255, targeted=targeted)
    sign = attacks.loss_gradient(model, images, labels).sign()
    for row, image, middle, after in zip(rows, images, sign, found, strict=True):
        for axis, expected in zip(row, (image, (middle + 1) / 2, after), strict=True):
            np.testing.assert_allclose(shown(axis), expected.permute(1, 2, 0), atol=1e-6)
    classes, confidence = evaluation.predict(model, found)
    captions = [f"{NAMES[k]}\n{100 * p:.1f} %" for k, p in zip(classes, confidence, strict=True)]
    assert [row[2].get_title() for row in rows] == captions
    texts = [text.get_text() for text in rows[0, 1].texts]
    assert ("− 8/255 ×" if targeted else "+ 8/255 ×") in texts


def test_ladder_shows_each_epsilon_and_its_change_magnified(model):
    images, labels = batch(1)
    epsilons = [0, 2 / 255, 8 / 255]
    figure = plots.epsilon_ladder(model, images[0], labels[0], NAMES, epsilons, magnification=10)
    top, bottom = np.array([axis for axis in figure.axes if axis.get_images()]).reshape(2, 3)
    assert [axis.get_title().split("\n")[0] for axis in top] == ["ε = 0/255", "ε = 2/255", "ε = 8/255"]
    for epsilon, seen, change in zip(epsilons, top, bottom, strict=True):
        np.testing.assert_allclose(
            shown(change), np.clip(0.5 + 10 * (shown(seen) - images[0].permute(1, 2, 0).numpy()), 0, 1), atol=1e-5
        )
        assert np.abs(shown(change) - 0.5).max() == pytest.approx(10 * epsilon, abs=1e-5)


def test_error_curves_are_in_per_cent_over_steps_of_eight_bits(model):
    images, labels = batch(20)
    data = SimpleNamespace(images=images, labels=labels)
    epsilons = [0.0, 8 / 255]
    rows = [evaluation.robustness(model, partial(attacks.fgsm, epsilon=e), data) for e in epsilons]
    (axis,) = plots.error_curves(epsilons, {"FGSM": rows}).axes
    np.testing.assert_allclose(axis.lines[0].get_xdata(), [0, 8])
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [100 * row.adversarial_error.value for row in rows])
    assert "%" in axis.get_ylabel() and "1/255" in axis.get_xlabel()


def test_shares_stand_with_their_intervals():
    shares = {"one": {"clean": Estimate(0.5, 0.4, 0.7)}, "two": {"clean": Estimate(0.1, 0.1, 0.2)}}
    (axis,) = plots.compare_shares(shares, ylabel="error (%)").axes
    (container,) = axis.containers
    points, _, (bars,) = container
    np.testing.assert_allclose(np.asarray(points.get_ydata(), float), [50, 10])
    np.testing.assert_allclose(np.array(bars.get_segments())[:, :, 1], [[40, 70], [10, 20]])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["one", "two"]
    with pytest.raises(ValueError, match="same series"):
        plots.compare_shares({"one": shares["one"], "two": {}}, ylabel="error (%)")


def test_epsilon_in_steps_of_eight_bits():
    assert [plots.in_steps(e) for e in (0, 8 / 255, 0.007, 16 / 255)] == ["0/255", "8/255", "1.8/255", "16/255"]
