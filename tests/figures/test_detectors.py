import pytest
import torch

from lecture13.dissection import Concept, Count, Labelling, as_classifier
from lecture13.figures import detectors as plots

CONCEPTS = (Concept("sky", "object"), Concept("car", "object"), Concept("door", "part"))


def labelling(iou):
    iou = torch.tensor(iou)
    return Labelling(CONCEPTS, iou, torch.zeros(len(iou), 1), torch.full((len(iou), 1), 0.01))


def test_regions_are_bright_the_rest_is_dimmed_and_the_border_closes():
    images, masks = torch.full((2, 3, 6, 6), 0.5), torch.zeros(2, 6, 6, dtype=torch.bool)
    masks[0, 1:3, 2:5] = True  # 2×3 pixels: a border of ten edges
    masks[1, :, 0] = True  # at the image's edge: six pixels, fourteen edges
    figure = plots.regions({"unit 3": (images, masks)}, captions=[["peak 1", "peak 2"]], title="t")
    for axis, mask, edges in zip(figure.axes, masks, (10, 14), strict=True):
        shown = torch.as_tensor(axis.images[0].get_array())[..., 0]
        torch.testing.assert_close(shown, torch.where(mask, 0.5, 0.5 * plots.DIM), check_dtype=False)
        assert [len(lines.get_segments()) for lines in axis.collections] == [edges, edges]  # black below white
    assert figure.axes[0].get_ylabel() == "unit 3" and figure.axes[1].get_xlabel() == "peak 2"
    grey = plots.regions({"digit": (images[:, :1], masks)})
    assert grey.axes[0].images[0].get_array().shape == (6, 6)


def test_rows_may_differ_in_size_but_not_in_number():
    row = torch.rand(2, 3, 8, 8), torch.zeros(2, 8, 8, dtype=torch.bool)
    large = torch.rand(2, 3, 32, 32), torch.ones(2, 32, 32, dtype=torch.bool)
    assert len(plots.regions({"a": row, "b": large}).axes) == 4
    for rows, options in (
        ({}, {}),
        ({"a": row, "b": (large[0][:1], large[1][:1])}, {}),
        ({"a": (row[0], large[1])}, {}),
        ({"a": (row[0], row[1].float())}, {}),
        ({"a": row}, {"captions": [["one"]]}),
    ):
        with pytest.raises(ValueError, match="expected"):
            plots.regions(rows, **options)


def test_bars_count_units_and_carry_distinct_concepts():
    found = [
        Count("first", "object", 2, 1, 1),
        Count("first", "part", 0, 0, None),
        Count("second", "object", 6, 3, 0),
        Count("second", "part", 4, 2, None),
    ]
    figure = plots.counts(found, title="t", names={"first": "1", "second": "2"})
    assert [[bar.get_height() for bar in axis.patches] for axis in figure.axes] == [[2, 6], [0, 4]]
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [["1", "3"], ["0", "2"]]
    assert [[line.get_ydata()[0] for line in axis.lines] for axis in figure.axes] == [[1, 0], []]  # shuffled masks
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["1", "2"]
    shares = plots.counts(found, sizes={"first": 8, "second": 24})
    assert [bar.get_height() for bar in shares.axes[0].patches] == [25, 25]
    with pytest.raises(ValueError, match="no size of layer 'second'"):
        plots.counts(found, sizes={"first": 8})
    with pytest.raises(ValueError, match="no counts"):
        plots.counts([])


def test_labels_are_counted_by_concept_and_kind():
    figure = plots.labels(labelling([[0.2, 0, 0], [0.1, 0, 0.3], [0.3, 0.1, 0], [0.01, 0, 0]]), title="t")
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.get_xticklabels()] == ["sky", "door"]
    assert [bar.get_height() for bar in axis.patches] == [2, 1]
    assert [text.get_text() for text in axis.texts] == ["object: 2", "part: 1"]
    with pytest.raises(ValueError, match=r"no unit with an IoU above 0\.04"):
        plots.labels(labelling([[0.01, 0, 0]]))


@pytest.mark.parametrize("spread", [1.0, 0.0])
def test_every_image_of_the_test_half_is_a_dot(spread):
    present = torch.arange(80) < 30
    peaks = spread * torch.randn(80, generator=torch.Generator().manual_seed(0)) + 2 * present
    detector = as_classifier(peaks, present)
    above, below = plots.classifier(detector, "a car", title="t").axes
    for number, values in enumerate((detector.present, detector.absent)):
        torch.testing.assert_close(torch.as_tensor(below.lines[number].get_xdata()), values)
        heights = below.lines[number].get_ydata()
        assert (abs(heights - (1 - number)) < 0.4).all()
    assert below.lines[2].get_xdata()[0] == detector.threshold
    if spread:  # a density integrates to 1
        x, y = above.lines[0].get_xdata(), above.lines[0].get_ydata()
        assert 0.9 < torch.trapezoid(torch.as_tensor(y), torch.as_tensor(x)) <= 1.001


def test_the_cap_is_drawn_and_no_unit_of_the_rule_lies_above_it():
    level = labelling([[0.03, 0.2, 0.0], [0.01, 0.9, 0.0]])
    best = labelling([[0.5, 0.3, 0.0], [0.6, 0.9, 0.0]])
    figure = plots.cap(torch.tensor([0.3, 0.01, 0.0]), level, best, named=("sky", "door"), title="t")
    (axis,) = figure.axes
    line, _, top, free = axis.lines
    x, y = line.get_data()
    assert y == pytest.approx([min(p, 0.01) / max(p, 0.01) for p in x])
    assert top.get_xdata() == pytest.approx([0.3, 0.01]) and top.get_ydata() == pytest.approx([0.03, 0.9])
    assert free.get_ydata() == pytest.approx([0.6, 0.9])
    assert [text.get_text() for text in axis.texts] == ["sky"]  # of a door there is no pixel
    with pytest.raises(ValueError, match="of 3 concepts"):
        plots.cap(torch.tensor([0.3, 0.1]), level)
