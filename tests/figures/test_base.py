import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from lecture13 import figures
from lecture13.figures import base

BATCH = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = {"xlabel": "ε (pixel units, [0, 1])", "ylabel": "error (%)"}


def drawn(figure):
    """The figure's pixels, (H, W, 3) in 0…255."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return np.asarray(Image.open(file).convert("RGB"))


def lightness(colour):
    """CIE L*, 0 to 100, of a colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = np.dot([0.2126, 0.7152, 0.0722], linear)
    return 116 * np.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance


def test_colours_survive_greyscale_and_stand_out_from_white():
    greys = sorted(map(lightness, base.COLOURS))
    assert np.diff(greys).min() > 10
    assert greys[-1] < 62  # contrast of 3 : 1 with white, as WCAG asks of graphics


def test_figures_are_closed_and_the_style_stays_inside():
    before = dict(plt.rcParams)
    for figure in (
        figures.images(BATCH),
        figures.panels(BATCH[0], BATCH[1], BATCH[2], captions=["a", "b", "c"]),
        figures.curves([0, 1], {"a": [1, 2]}, **LABELS),
    ):
        assert isinstance(figure, Figure) and figure.dpi == 144
        assert not plt.get_fignums()
    assert dict(plt.rcParams) == before


def test_a_figure_left_half_drawn_is_closed_too():
    mine = plt.figure()

    @figures.styled
    def fail():
        plt.figure()
        raise RuntimeError("half drawn")

    with pytest.raises(RuntimeError, match="half drawn"):
        fail()
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)


def test_images_show_their_pixels():
    image = torch.zeros(1, 3, 2, 2)
    image[0, 0, 0, 0] = image[0, 1, 0, 1] = image[0, 2, 1, 0] = 1  # red, green; blue, black
    (axis,) = figures.images(image).axes
    (picture,) = axis.images
    assert np.array_equal(picture.get_array(), image[0].permute(1, 2, 0).numpy())
    assert picture.get_interpolation() == "nearest"
    seen = {tuple(pixel) for pixel in drawn(figures.images(image)).reshape(-1, 3)}
    assert {(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)} <= seen


def test_grey_images_span_black_to_white_not_their_own_range():
    (axis,) = figures.images(torch.full((1, 1, 4, 4), 0.5)).axes
    assert axis.images[0].get_clim() == (0, 1) and axis.images[0].get_cmap().name == "gray"


@settings(deadline=None, max_examples=8)
@given(count=st.integers(1, 20), columns=st.none() | st.integers(1, 9))
def test_every_image_has_one_place_in_the_grid(count, columns):
    figure = figures.images(torch.rand(count, 1, 2, 2), titles=[str(i) for i in range(count)], columns=columns)
    visible = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title() for axis in visible] == [str(i) for i in range(count)]
    assert figure.get_figwidth() <= base.WIDTH


def test_a_grid_has_names_for_its_rows():
    figure = figures.images(BATCH, columns=3, rows=["real", "fake"], title="laptop profile, cpu")
    assert [axis.get_ylabel() for axis in figure.axes] == ["real", "", "", "fake", "", ""]
    assert figure.get_suptitle() == "laptop profile, cpu"


@pytest.mark.parametrize(
    ("batch", "options", "message"),
    [
        (BATCH[0], {}, r"batch has the shape \(3, 8, 8\); expected \(N, C, H, W\)"),
        (BATCH[:, :2], {}, r"shape \(6, 2, 8, 8\)"),
        (BATCH[:0], {}, "N > 0"),
        (BATCH * 255, {}, r"values from .* to 25\d.*; expected \[0, 1\]"),
        (BATCH - 0.5, {}, r"values from -0.\d+ to"),
        (torch.full((1, 1, 2, 2), torch.nan), {}, "NaN"),
        (BATCH, {"titles": ["one"]}, "1 titles; expected 6 for 6 images"),
        (BATCH, {"columns": 3, "rows": ["a"]}, "1 rows; expected 2 for 6 images in 3 columns"),
        (BATCH, {"columns": -1}, "columns=-1; expected at least 1"),
    ],
)
def test_bad_images_are_refused(batch, options, message):
    with pytest.raises(ValueError, match=message):
        figures.images(batch, **options)
    assert not plt.get_fignums()


def test_rounding_just_outside_the_box_is_shown():
    figures.images(BATCH.clamp(0, 1) + 3e-8)


def test_panels_magnify_the_perturbation_and_say_so():
    delta = torch.zeros(1, 4, 4)
    delta[0, 0, 0], delta[0, 1, 1] = 0.02, -0.01
    grey = torch.full((1, 4, 4), 0.5)
    figure = figures.panels(grey, delta, grey + delta, captions=["stop\n98 %", "ε = 0.02", "go\n70 %"])
    shown = figure.axes[1].images[0].get_array()
    assert shown[0, 0] == 1 and shown[1, 1] == pytest.approx(0.25) and shown[2, 2] == 0.5
    assert figure.axes[1].get_xlabel() == "shown ×25 around grey"
    assert [axis.get_title() for axis in figure.axes] == ["stop\n98 %", "ε = 0.02", "go\n70 %"]
    assert [axis.texts[0].get_text() for axis in figure.axes[1:]] == ["+", "="]


def test_panels_of_several_examples_share_one_magnification():
    delta = torch.stack([torch.full((3, 8, 8), 0.1), torch.full((3, 8, 8), 0.05)])
    figure = figures.panels(BATCH[:2], delta, BATCH[2:4], captions=[["a", "b", "c"], ["d", "e", "f"]])
    assert figure.axes[1].images[0].get_array().max() == 1
    assert figure.axes[4].images[0].get_array().max() == pytest.approx(0.75)
    fixed = figures.panels(
        BATCH[0], delta[0], BATCH[1], captions=["a", "b", "c"], magnification=2, signs=("+ ε ×", "=")
    )
    assert fixed.axes[1].images[0].get_array().max() == pytest.approx(0.7)
    assert fixed.axes[1].texts[0].get_text() == "+ ε ×"


def test_no_perturbation_is_grey():
    figure = figures.panels(BATCH[0], torch.zeros(3, 8, 8), BATCH[0], captions=["a", "b", "c"])
    assert (figure.axes[1].images[0].get_array() == 0.5).all()


@pytest.mark.parametrize(
    ("parts", "options", "message"),
    [
        ((BATCH[0], BATCH[0, :1], BATCH[0]), {}, r"shapes \(3, 8, 8\), \(1, 8, 8\), \(3, 8, 8\); expected one"),
        ((BATCH[0], BATCH[0] * torch.inf, BATCH[0]), {}, "perturbation has NaN"),
        ((BATCH[0] + 1, BATCH[0], BATCH[0]), {}, "before has values"),
        ((BATCH[0], BATCH[0], BATCH[0]), {"captions": ["a", "b"]}, "three texts for each of 1 examples"),
        ((BATCH[:2], BATCH[:2], BATCH[:2]), {"captions": ["a", "b", "c"]}, "three texts for each of 2 examples"),
        ((BATCH[0], BATCH[0], BATCH[0]), {"magnification": 0}, "magnification=0; expected a number above 0"),
    ],
)
def test_bad_panels_are_refused(parts, options, message):
    with pytest.raises(ValueError, match=message):
        figures.panels(*parts, **({"captions": ["a", "b", "c"]} | options))


def test_curves_differ_by_colour_line_and_marker():
    x = torch.linspace(0, 1, 5)
    figure = figures.curves(x, {str(i): x + i for i in range(10)}, **LABELS)
    lines = figure.axes[0].lines
    assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in lines}) == 10
    assert {line.get_marker() for line in lines} == set(base.MARKERS)
    assert figure.legends and not figure.axes[0].get_legend()  # ten lie outside the axes
    assert figure.axes[0].get_xlabel() == LABELS["xlabel"]


def test_curves_have_their_own_x_bands_and_references():
    x = {"a": [1, 10, 100], "b": [1, 100]}
    figure = figures.curves(
        x,
        {"a": torch.tensor([1.0, 2.0, 3.0]), "b": [2, 1]},
        bands={"b": ([1, 0.5], [3, 2])},
        references={"optimum": 1.4},
        logx=True,
        logy=True,
        ylim=(0.1, 10),
        title="digits",
        **LABELS,
    )
    (axis,) = figure.axes
    assert [list(line.get_xdata()) for line in axis.lines[:2]] == [[1, 10, 100], [1, 100]]
    assert list(axis.lines[2].get_ydata()) == [1.4, 1.4] and axis.texts[0].get_text() == "optimum"
    assert axis.get_xscale() == axis.get_yscale() == "log" and axis.get_ylim() == (0.1, 10)
    corners = axis.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == 0.5 and corners[:, 1].max() == 3


def test_long_curves_have_no_markers():
    figure = figures.curves(np.arange(31), {"a": np.arange(31)}, **LABELS)
    assert figure.axes[0].lines[0].get_marker() == "None"


@pytest.mark.parametrize(
    ("x", "lines", "options", "message"),
    [
        ([0, 1], {}, {}, "no curve to draw"),
        ([0, 1], {"a": [1, 2, 3]}, {}, "'a' has 3 values; expected 2"),
        ([0, 1], {"a": [1, float("nan")]}, {}, "a has NaN"),
        ([0, float("inf")], {"a": [1, 2]}, {}, "x of 'a' has NaN or infinite"),
        ([0, 1], {"a": [[1, 2]]}, {}, r"a has the shape \(1, 2\); expected one dimension"),
        ([0, 1], {"a": [1, 2]}, {"bands": {"b": ([0, 0], [1, 1])}}, r"bands of \['b'\]; the curves are \['a'\]"),
        ([0, 1], {"a": [1, 2]}, {"bands": {"a": ([0], [1, 1])}}, "band of 'a': 1 and 2 values; expected 2"),
    ],
)
def test_bad_curves_are_refused(x, lines, options, message):
    with pytest.raises(ValueError, match=message):
        figures.curves(x, lines, **LABELS, **options)
    assert not plt.get_fignums()


def test_the_style_serves_figures_of_ones_own():
    with figures.style():
        figure, axis = plt.subplots()
    assert figure.dpi == 144 and not axis.spines["top"].get_visible()
    plt.close(figure)
