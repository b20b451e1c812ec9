import numpy as np
import pytest
import torch

from lecture13.figures import methods as plots

IMAGES = torch.randint(256, (6, 3, 4, 4), dtype=torch.uint8)


def test_a_sheet_holds_every_image_in_its_place():
    picture = plots.sheet(IMAGES, across=3)
    assert picture.shape == (9, 14, 3)
    for index, image in enumerate(IMAGES):
        top, left = 5 * (index // 3), 5 * (index % 3)
        np.testing.assert_array_equal(picture[top : top + 4, left : left + 4], image.permute(1, 2, 0))
    assert (picture[4] == 255).all() and (picture[:, 4] == 255).all()


def test_sheets_say_rows_columns_verdicts_and_what_was_not_run():
    cells = {("tanh", "WGAN"): IMAGES, ("mlp", "WGAN-GP"): IMAGES}
    figure = plots.sheets(
        cells, ["tanh", "mlp"], ["WGAN", "WGAN-GP"], captions={("tanh", "WGAN"): "fails (0.5)"}, title="Grid", across=3
    )
    axes = figure.axes
    assert [axis.get_title() for axis in axes[:2]] == ["WGAN", "WGAN-GP"]
    assert [axis.get_ylabel() for axis in axes] == ["tanh", "", "mlp", ""]
    assert [len(axis.images) for axis in axes] == [1, 0, 0, 1]
    assert axes[0].get_xlabel() == "fails (0.5)" and axes[1].texts[0].get_text() == "not run"
    with pytest.raises(ValueError, match="no cell to draw"):
        plots.sheets({}, ["tanh"], ["WGAN"], captions={}, title="Grid")


def test_verdicts_name_the_cells_that_do_not_train():
    points = {"DCGAN": [("tanh", 0.1, 3.0), ("gated", 0.9, 2.0)], "WGAN-GP": [("tanh", 0.05, 0.2)]}
    figure = plots.verdicts(points, farthest=0.3, nearest=1.5, fresh=(0.001, 3.0), title="Cells")
    (axis,) = figure.axes
    assert [list(line.get_xdata()) for line in axis.lines[:2]] == [[0.1, 0.9], [0.05]]
    named = [text.get_text() for text in axis.texts]
    assert named[:2] == ["gated", "tanh"] and len(named) == 4
    assert axis.get_xscale() == "log" and "Fréchet" in axis.get_xlabel() and "pixels" in axis.get_ylabel()


def test_a_cell_shows_sheet_losses_and_distance():
    losses = {"critic": [(1, 0.5), (9, 0.2)], "generator": [(1, 1.5), (9, 2.0)]}
    figure = plots.cell(IMAGES, losses, [(4, 0.4), (9, 0.1)], farthest=0.3, title="tanh under WGAN", across=3)
    _, above, below = figure.axes
    assert [line.get_label() for line in above.lines] == ["critic", "generator"]
    np.testing.assert_allclose(below.lines[0].get_ydata(), [0.4, 0.1])
    assert below.lines[1].get_ydata()[0] == 0.3
    stopped = plots.cell(IMAGES, {"critic": [], "generator": []}, [], farthest=0.3, title="stopped", across=3)
    assert stopped.axes[1].get_legend() is None


def test_the_race_has_two_clocks():
    runs = {"DCGAN": [(10, 1.0, 2.0), (20, 2.0, 3.0)], "WGAN-GP": [(2, 1.0, 2.5), (4, 2.0, 3.5)]}
    figure = plots.race(runs, real=6.0, score="score", clock="CPU-seconds", title="Race")
    left, right = figure.axes
    np.testing.assert_allclose(left.lines[0].get_xdata(), [10, 20])
    np.testing.assert_allclose(right.lines[0].get_xdata(), [1, 2])
    np.testing.assert_allclose(right.lines[1].get_ydata(), [2.5, 3.5])
    assert left.get_xlabel() == "iteration of the generator" and right.get_xlabel() == "CPU-seconds"
    assert left.get_ylabel() == "score"
