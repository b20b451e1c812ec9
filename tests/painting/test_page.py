"""The page's own arithmetic against torch's, in a real browser."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lecture13.painting import Brush, Canvas, page
from lecture13.painting.page import stages
from tests.painting.conftest import LAYER
from tests.test_widgets import Tags, in_browser


def pixels(source):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).convert("RGB"), int)


def wanted(canvas, scene):
    return canvas.picture(scene).mul(255).permute(1, 2, 0).numpy()


def test_the_stages_are_the_layers_after_the_edited_one(canvas):
    first, second = stages(canvas)
    assert (first["outputs"], first["function"], second["outputs"], second["function"]) == (6, "relu", 3, "tanh")
    weight = np.frombuffer(base64.b64decode(first["weight"]), "<f2")
    kept = canvas.generator.blocks.block16[0].weight.detach().numpy()
    np.testing.assert_allclose(weight.reshape(kept.shape), kept, rtol=1e-3, atol=1e-6)
    x = torch.randn(2, 6, 4, 4)
    scaled = x * torch.tensor(first["scale"])[:, None, None] + torch.tensor(first["shift"])[:, None, None]
    torch.testing.assert_close(scaled, canvas.generator.blocks.block16[1](x))


def test_the_markup_is_labelled_and_alone(canvas):
    markup = page(canvas, "A <scene>.").markup
    tags = Tags(markup)
    assert not re.search(r"https?:|//cdn|@import|url\(", markup) and not tags.all("link")
    names = {one["name"] for one in tags.all("input")}
    assert {name.rpartition("-")[2] for name in names} == {"scene", "concept", "stroke", "brush"}
    assert [one["value"] for one in tags.all("input") if one["name"].endswith("stroke")] == ["0", "1", "2"]
    assert all(image["alt"] == "A <scene>." for image in tags.all("img"))
    assert [tag.get("hidden", "shown") for tag in tags.all("div") if tag.get("class") == "tools"] == [None, None]
    assert tags.data["brushes"][1] == {"name": "<door>", "units": [3, 7, 1], "value": [1.0, 4.0, 0.5]}
    assert not tags.all("door")  # a name cannot break out
    np.testing.assert_array_equal(pixels(tags.all("img")[0]["src"]), wanted(canvas, 0).round())


def test_it_is_the_same_in_every_run_and_ids_differ_on_a_page(canvas, monkeypatch):
    from lecture13 import widgets

    monkeypatch.setattr(widgets, "_seen", widgets.Counter())
    first, second = page(canvas, "A scene").markup, page(canvas, "A scene").markup
    assert first != second
    monkeypatch.setattr(widgets, "_seen", widgets.Counter())
    assert page(canvas, "A scene").markup == first


class Straight(nn.Module):
    def __init__(self, skip=False):
        super().__init__()
        self.first, self.skip = nn.Conv2d(3, 3, 1), skip
        self.then = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Tanh())

    def forward(self, z):
        return self.then(self.first(z))


class Skipping(nn.Module):
    def __init__(self, generator):
        super().__init__()
        self.blocks = generator.blocks

    def forward(self, z):
        return self.blocks(z) + 0.5


ONE = [Brush("a", torch.tensor([1]), torch.tensor([1.0]))]


def test_what_a_page_cannot_run_is_said(generator):
    z = torch.randn(1, 3, 8, 8)
    with pytest.raises(TypeError, match="layer 'first' stands in a Straight"):
        page(Canvas(Straight(), "first", z, ONE), "A scene")
    with pytest.raises(TypeError, match=r"a Conv2d\(.*\) after layer '0'; a page runs ResizeConv"):
        page(Canvas(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)), "0", z, ONE), "A scene")
    with pytest.raises(ValueError, match="do not draw the picture on their own"):
        page(Canvas(Skipping(generator), LAYER, torch.randn(1, 10, 4, 4), ONE), "A scene")
    with torch.no_grad():
        generator.blocks.image[0].weight.mul_(1e9)
    with pytest.raises(ValueError, match=r"weights up to .*; a page holds 16-bit floats"):
        page(Canvas(generator, LAYER, torch.randn(1, 5), ONE), "A scene")


def test_in_a_browser_strokes_draw_what_the_generator_draws(canvas, tmp_path):
    path = tmp_path / "page.html"
    body = page(canvas, "A scene.").markup + page(canvas, "A scene.").markup
    path.write_text(f"<!doctype html><meta charset=utf-8><title>t</title>{body}", encoding="utf-8")
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>t</title>", encoding="utf-8")

    def visit(browser):
        tab, errors, requests = browser.new_page(), [], []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(blank.as_uri())
        names = set(tab.evaluate("Object.keys(window)"))
        tab.goto(path.as_uri())
        assert set(tab.evaluate("Object.keys(window)")) == names  # nothing is left in the page's global names
        figure, second = tab.locator("figure").all()
        easel, original = figure.locator("img").all()

        def agrees(scene, told):
            np.testing.assert_allclose(pixels(easel.get_attribute("src")), wanted(canvas, scene), atol=1.6)
            assert easel.get_attribute("alt") == f"A scene (scene {scene + 1}, {told})"
            assert figure.get_by_role("status").text_content() == f"Scene {scene + 1}: {told}."
            np.testing.assert_array_equal(
                pixels(original.get_attribute("src")), canvas.pictures[scene].mul(255).round().permute(1, 2, 0).int()
            )

        agrees(0, "nothing painted yet")
        cell = figure.get_by_label("row 3, column 4")
        cell.click()
        canvas.paint(0, 0, "add", [(2, 3)])
        agrees(0, "tree added in 1 cell")

        tab.keyboard.press("ArrowRight")  # from the cell that was clicked
        tab.keyboard.press("ArrowDown")
        figure.get_by_label("<door>").check()
        figure.get_by_label("remove", exact=True).check()
        figure.get_by_label("row 4, column 5").press(" ")
        canvas.paint(0, 1, "remove", [(3, 4)])
        agrees(0, "tree added in 1 cell, <door> removed in 1 cell")

        figure.locator("[data-choice=scene] input").nth(2).check()
        agrees(2, "nothing painted yet")
        figure.locator("[data-choice=brush] input").nth(1).check()
        start, end = (figure.get_by_label(f"row 8, column {n}").bounding_box() for n in (1, 4))
        tab.mouse.move(start["x"] + 3, start["y"] + 3)  # a stroke of the pressed pointer
        tab.mouse.down()
        tab.mouse.move(end["x"] + 3, end["y"] + 3, steps=12)
        tab.mouse.up()
        canvas.paint(2, 1, "remove", [(row, column) for row in (6, 7) for column in range(5)])
        agrees(2, "<door> removed in 10 cells")

        figure.locator("[data-choice=brush] input").nth(2).check()
        figure.get_by_label("restore").check()
        figure.get_by_label("row 1, column 1").click()
        canvas.clear(2)
        agrees(2, "nothing painted yet")
        figure.locator("[data-choice=scene] input").nth(0).check()
        agrees(0, "tree added in 1 cell, <door> removed in 1 cell")
        figure.get_by_text("start over").click()
        canvas.clear(0)
        agrees(0, "nothing painted yet")
        other = second.locator("img").first.get_attribute("alt")
        assert other == "A scene (scene 1, nothing painted yet)"  # left alone
        assert not errors and all(url.startswith(("file:", "data:")) for url in requests)

        silent = browser.new_context(java_script_enabled=False).new_page()
        silent.goto(path.as_uri())
        assert silent.locator("img").first.is_visible() and not silent.locator("input").first.is_visible()

    in_browser(visit)
