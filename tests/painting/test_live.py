import builtins
import re

import ipywidgets
import pytest
import torch

from lecture13 import painting
from lecture13.painting import Canvas, Page
from lecture13.painting.canvas import encode
from tests.painting.conftest import LAYER


@pytest.fixture(autouse=True)
def in_a_kernel(monkeypatch):
    monkeypatch.delenv("LECTURE13_STATIC", raising=False)


@pytest.fixture
def shown(generator, noise, brushes):
    return Shown(painting.paint(generator, LAYER, noise, brushes, alt="A scene"))


class Shown:
    """The parts of the box, by what they are."""

    def __init__(self, box):
        self.scene, self.brush, self.action, self.reach, easel, below, self.style = box.children
        self.cells, self.beside = easel.children
        self.again, self.told = below.children

    def click(self, row, column):
        self.cells.children[8 * row + column].click()

    @property
    def picture(self):
        return re.search(r"url\((.*?)\)", self.style.value).group(1)


def test_at_first_the_scene_as_drawn(shown, canvas):
    assert isinstance(shown.cells, ipywidgets.GridBox) and len(shown.cells.children) == 64
    assert shown.picture == encode(canvas.pictures[0])
    assert f'<img src="{shown.picture}" alt="A scene (scene 1, as drawn)"' in shown.beside.value
    (name,) = [name for name in shown.cells._dom_classes if name.startswith("paint-")]
    assert f".{name} {{background" in shown.style.value
    assert shown.cells.children[17].tooltip == "row 3, column 2"


def test_clicking_cells_paints_them(shown, canvas):
    shown.click(2, 3)
    canvas.paint(0, 0, "add", [(2, 3)])
    assert shown.picture == encode(canvas.picture(0)) != encode(canvas.pictures[0])
    shown.brush.value, shown.action.value, shown.reach.value = 1, "remove", 1
    shown.click(7, 7)
    canvas.paint(0, 1, "remove", [(6, 6), (6, 7), (7, 6), (7, 7)])
    assert shown.picture == encode(canvas.picture(0))
    assert "Scene 1: tree added in 1 cell, &lt;door&gt; removed in 4 cells." in shown.told.value
    shown.scene.value = 2  # another scene, untouched; the first one keeps its strokes
    assert shown.picture == encode(canvas.pictures[2]) and "scene 3, as drawn" in shown.beside.value
    shown.scene.value = 0
    assert shown.picture == encode(canvas.picture(0))
    shown.again.click()
    assert shown.picture == encode(canvas.pictures[0]) and "nothing painted yet" in shown.told.value


def test_an_error_is_shown_and_the_next_stroke_paints(shown, monkeypatch):
    def broken(self, scene):
        raise RuntimeError("no <ink> today")

    with monkeypatch.context() as patch:
        patch.setattr(Canvas, "picture", broken)
        shown.click(0, 0)
        assert 'role="alert"' in shown.told.value and "RuntimeError: no &lt;ink&gt; today" in shown.told.value
    shown.click(0, 1)
    assert "tree added in 2 cells" in shown.told.value


def test_what_fails_at_once_fails_the_cell(generator, noise, brushes, monkeypatch):
    monkeypatch.setattr(Canvas, "picture", lambda self, scene: torch.zeros(0).mean(5))
    with pytest.raises(IndexError):
        painting.paint(generator, LAYER, noise, brushes, alt="A scene")


def test_two_on_a_page_do_not_share_a_picture(generator, noise, brushes):
    boxes = [Shown(painting.paint(generator, LAYER, noise, brushes, alt="A scene")) for _ in range(2)]
    assert len({name for box in boxes for name in box.cells._dom_classes if name.startswith("paint-")}) == 2


def test_alt_text_is_asked_for(generator, noise, brushes):
    with pytest.raises(ValueError, match="alt=' '; expected what the picture shows"):
        painting.paint(generator, LAYER, noise, brushes, alt=" ")


def test_a_page_where_it_is_asked_for_and_without_ipywidgets(generator, noise, brushes, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "ipywidgets":
            raise ImportError(name)
        return real(name, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without)
        assert isinstance(painting.paint(generator, LAYER, noise, brushes, alt="A scene"), Page)
    monkeypatch.setenv("LECTURE13_STATIC", "1")
    assert isinstance(painting.paint(generator, LAYER, noise, brushes, alt="A scene"), Page)
