import numpy as np
import pytest
import torch

from lecture13.defenses.sparsity import SparseFrontEnd, Wavelet
from lecture13.estimates import share
from lecture13.figures import sparsity as plots


def test_basis_images_are_those_of_the_transform():
    figure = plots.basis({"Haar": Wavelet("haar", (1, 4, 4))}, {"low": (0, 0), "high": (2, 2)}, title="t")
    low, high = (axis.images[0].get_array() for axis in figure.axes)
    assert low[:2, :2].min() == 1 and low[2:, 2:].max() == 0.5  # a square on grey
    assert np.allclose(high[:2, :2], [[1, 0], [0, 1]])
    assert [axis.get_title() for axis in figure.axes] == ["low", "high"]


def test_kept_shows_the_image_and_what_is_seen_of_it():
    front, image = SparseFrontEnd(3, wavelet="haar", shape=(1, 8, 8)), torch.rand(1, 8, 8)
    figure = plots.kept(image, front, title="t")
    first, coefficients, some, last = (axis.images[0].get_array() for axis in figure.axes)
    assert np.allclose(first, image[0]) and np.allclose(last, front(image[None])[0, 0], atol=1e-6)
    assert (np.asarray(some) > float(coefficients.min())).sum() == 3
    assert figure.axes[2].get_title() == "kept: 3 of 64"
    with pytest.raises(ValueError, match=r"expected \(1, H, W\)"):
        plots.kept(torch.rand(3, 8, 8), front, title="t")


def test_rows_are_stretched_around_grey():
    figure = plots.rows_as_images(
        {"a": torch.tensor([[0.0, -2.0, 1.0, 0.0]]), "b": torch.zeros(1, 4)}, (2, 2), title="t"
    )
    assert np.allclose(figure.axes[0].images[0].get_array(), [[0.5, 0], [0.75, 0.5]])
    assert np.allclose(figure.axes[1].images[0].get_array(), 0.5)
    with pytest.raises(ValueError, match=r"\[1, 2\] rows"):
        plots.rows_as_images({"a": torch.ones(1, 4), "b": torch.ones(2, 4)}, (2, 2), title="t")


def test_each_attack_has_a_line_and_each_defence_a_mark():
    each = {"none": {"PGD": share(1, 4)}, "front end": {"PGD": share(2, 4), "BPDA": share(3, 4)}}
    (axis,) = plots.attacks_by_name(each, title="t").axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["PGD", "BPDA"]
    marks = [container.lines[0].get_xdata().tolist() for container in axis.containers]
    assert marks == [[25], [50, 75]]


def test_falls_draws_a_panel_for_each_attack():
    curves = {"none": [share(4, 4), share(0, 4)], "both": [share(4, 4), share(2, 4)]}
    figure = plots.falls([0, 0.1], {"one step": curves, "adaptive": curves}, half=0.05, title="t")
    assert [axis.get_title() for axis in figure.axes] == ["one step", "adaptive"]
    assert [line.get_ydata().tolist() for line in figure.axes[1].lines[:2]] == [[100, 0], [100, 50]]
    assert figure.axes[0].lines[2].get_xdata() == [0.05, 0.05]
