import numpy as np
import pytest
import torch

from lecture13.figures import generators as plots

IMAGES = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_pyramid_names_every_block_and_keeps_it_inside():
    rows = {"large": [(1024, 4), (512, 8), (3, 16)], "small": [(16, 4), (3, 8)]}
    figure = plots.pyramid(rows, 100, title="Figure 1")
    above, below = figure.axes
    texts = [text.get_text() for text in above.texts]
    assert {"z\n100", "1024\n4×4", "512\n8×8", "3\n16×16"} <= set(texts)
    assert "16\n4×4" in [text.get_text() for text in below.texts]
    for axis, blocks in ((above, 3), (below, 2)):
        assert len(axis.patches) == 1 + 3 * blocks  # z, and three faces of each box
        right = max(patch.get_xy()[:, 0].max() for patch in axis.patches[1:])
        assert right < axis.get_xlim()[1]


def test_feature_maps_show_the_units_that_vary_most():
    maps = torch.zeros(6, 4, 4)
    maps[4] = torch.arange(16.0).view(4, 4)
    maps[1] = torch.arange(16.0).view(4, 4) / 2
    figure = plots.feature_maps({"block4": maps, "block8": torch.rand(1, 8, 8)}, IMAGES[0], shown=2, title="Units")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["unit 4", "unit 1", "unit 0", "image"]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), maps[4])
    assert figure.axes[0].get_ylabel() == "block4\n6 maps\n4×4"


def test_distances_are_cumulative_shares():
    groups = {"generated": torch.tensor([0.3, 0.1, 0.2, 0.4]), "fresh": torch.tensor([0.5, 0.6])}
    figure = plots.distances({"pixels": groups}, unit={"pixels": "rms"}, title="Near")
    first, second = figure.axes[0].lines
    np.testing.assert_allclose(first.get_xdata(), [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(first.get_ydata(), [25, 50, 75, 100])
    np.testing.assert_allclose(second.get_ydata(), [50, 100])
    assert "rms" in figure.axes[0].get_xlabel() and "%" in figure.axes[0].get_ylabel()


def test_walks_show_every_image_and_every_step():
    changes = {"straight": torch.tensor([0.1, 0.3, 0.2, 0.1]), "arc": torch.full((4,), 0.2)}
    figure = plots.walks({"straight": IMAGES, "arc": IMAGES}, changes, ylabel="change", title="Walks")
    assert len(figure.axes) == 11
    np.testing.assert_allclose(figure.axes[-1].lines[0].get_ydata(), changes["straight"])
    np.testing.assert_allclose(figure.axes[-1].lines[0].get_xdata(), [0.125, 0.375, 0.625, 0.875])
    assert figure.axes[-1].get_ylim()[0] == 0


def test_spectra_share_one_scale_with_captions():
    maps = {"a": torch.full((4, 4), 1e-3), "b": torch.zeros(4, 4)}
    figure = plots.spectra(maps, captions={"a": "first", "b": "second"}, title="Spectra")
    left, right = figure.axes[:2]
    assert left.images[0].get_clim() == right.images[0].get_clim()
    assert (left.get_xlabel(), right.get_xlabel(), right.get_title()) == ("first", "second", "b")
    np.testing.assert_allclose(left.images[0].get_array(), -3)
    assert right.images[0].get_array().min() == pytest.approx(-30)  # no power: not minus infinity; float32


@pytest.mark.parametrize("channels", [1, 3])
def test_the_walker_frames_its_place(channels):
    figure = plots.walker(IMAGES[:, :channels], 2, title="t = 0.5")
    large, strip = figure.axes
    shown = np.squeeze(IMAGES[2, :channels].permute(1, 2, 0).numpy())
    np.testing.assert_allclose(np.squeeze(large.images[0].get_array()), shown, atol=1e-6)
    (frame,) = strip.patches
    left, top = (round(corner + 0.5) for corner in frame.get_xy())
    inside = np.squeeze(strip.images[0].get_array())[top + 1 : top + 9, left + 1 : left + 9]
    np.testing.assert_allclose(inside, shown, atol=1e-6)
    assert not frame.get_fill()
