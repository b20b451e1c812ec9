import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from lecture13.dissection import insert
from lecture13.gan.sampling import sample
from lecture13.painting import Brush, Canvas
from lecture13.painting.canvas import encode
from tests.painting.conftest import LAYER


def where(*cells):
    mask = torch.zeros(8, 8, dtype=torch.bool)
    for cell in cells:
        mask[cell] = True
    return mask


def test_an_untouched_scene_is_as_drawn(canvas, generator, noise, unchanged):
    check = unchanged(generator)
    for scene in range(3):
        torch.testing.assert_close(canvas.picture(scene), sample(generator, noise)[scene])
        torch.testing.assert_close(canvas.pictures[scene], canvas.picture(scene))
    assert len(canvas) == 3 and canvas.told(0) == "nothing painted yet"
    check()


def test_a_stroke_is_an_insertion_and_the_others_scenes_stay(canvas, generator, noise, brushes, unchanged):
    check = unchanged(generator)
    canvas.paint(1, 0, "add", [(2, 3), (2, 4)])
    canvas.paint(1, 1, "remove", [(5, 5)])
    with (
        insert(generator, LAYER, brushes[0].units, where((2, 3), (2, 4)), brushes[0].value),
        insert(generator, LAYER, brushes[1].units, where((5, 5)), 0.0),
    ):
        wanted = sample(generator, noise[1:2])[0]
    torch.testing.assert_close(canvas.picture(1), wanted)
    assert not torch.allclose(canvas.picture(1), canvas.pictures[1], atol=1e-3)
    assert torch.equal(canvas.picture(0), canvas.pictures[0])
    assert canvas.told(1) == "tree added in 2 cells, <door> removed in 1 cell"
    check()


def test_the_last_stroke_counts(canvas, generator, noise, brushes):
    canvas.paint(0, 1, "add", [(0, 0)])
    canvas.paint(0, 0, "add", [(0, 0)])  # sets unit 3, which both brushes have
    with (
        insert(generator, LAYER, brushes[1].units, where((0, 0)), brushes[1].value),
        insert(generator, LAYER, brushes[0].units, where((0, 0)), brushes[0].value),
    ):
        torch.testing.assert_close(canvas.picture(0), sample(generator, noise[:1])[0])
    canvas.paint(0, 1, "remove", [(0, 0)])
    assert canvas.told(0) == "tree added in 1 cell, <door> removed in 1 cell"
    canvas.paint(0, 0, "restore", [(0, 0)])
    assert torch.equal(canvas.picture(0), canvas.pictures[0])
    canvas.paint(0, 0, "add", [(1, 1)])
    canvas.clear(0)
    assert torch.equal(canvas.picture(0), canvas.pictures[0])


def test_a_broad_brush_ends_at_the_border(canvas):
    assert canvas.near((0, 7), 1) == [(0, 6), (0, 7), (1, 6), (1, 7)]
    assert canvas.near((3, 3), 0) == [(3, 3)] and len(canvas.near((3, 3), 99)) == 64


def test_pictures_are_written_without_loss():
    picture = torch.randint(256, (3, 4, 5), generator=torch.Generator().manual_seed(0)) / 255
    found = Image.open(io.BytesIO(base64.b64decode(encode(picture).split(",")[1])))
    assert np.array_equal(np.asarray(found), picture.mul(255).round().byte().permute(1, 2, 0).numpy())


ONE = torch.tensor([1]), torch.tensor([1.0])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda g, z: Canvas(g, LAYER, z, []), r"brushes \[\]; expected one or more"),
        (lambda g, z: Canvas(g, LAYER, z, [Brush("a", *ONE), Brush("a", *ONE)]), "of different names"),
        (lambda g, z: Canvas(g, LAYER, z, [Brush("a", torch.tensor([8]), ONE[1])]), r"has units \[8\]; expected 0 … 7"),
        (lambda g, z: Canvas(g, "blocks.block9", z, [Brush("a", *ONE)]), "no layer 'blocks.block9'"),
        (lambda g, z: Canvas(g, "project", z, [Brush("a", *ONE)]), r"gives shape \(3, 160\); expected maps"),
        (lambda g, z: Canvas(g, LAYER, z[:0], [Brush("a", *ONE)]), "no inputs"),
        (lambda g, z: Brush("a", torch.tensor([1, 2]), torch.tensor([1.0])), "expected one unit or more"),
        (lambda g, z: Canvas(g, LAYER, z, [Brush("a", *ONE)]).paint(0, 0, "rub", [(0, 0)]), "action 'rub'; known: add"),
    ],
)
def test_what_does_not_fit_is_said(generator, noise, wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong(generator, noise)
