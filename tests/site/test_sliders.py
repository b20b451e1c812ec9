"""Sliders and choices without a kernel: moving one changes what is seen."""

import json

import pytest

from tests.site.conftest import SITE, pages


def with_marker(marker: str) -> list[str]:
    """The pages whose source holds ``marker``; [None] where there is none, so that the test says so."""
    return [page for page in pages() if marker in (SITE / page).read_text(encoding="utf-8")] or [None]


@pytest.mark.parametrize("page_with_slider", with_marker("lecture13-explore"))
@pytest.mark.parametrize("where", ["file", "server"])
def test_a_control_changes_its_picture(open_page, page_with_slider, where):
    if page_with_slider is None:
        pytest.fail("no page has a slider of widgets.explore")
    page, seen = open_page(where, page_with_slider)
    for figure in page.locator(".lecture13-explore").all():
        image = figure.locator("img")
        before, alt, shot = image.get_attribute("src"), image.get_attribute("alt"), image.screenshot()
        changed = False
        for control in figure.locator("input[type=range], select").all():
            last = control.evaluate("control => control.max ?? String(control.options.length - 1)")
            control.focus()
            page.keyboard.press("Home" if control.input_value() == last else "End")
            changed = changed or (image.get_attribute("src") != before and image.screenshot() != shot)
        assert changed, f"{page_with_slider}: no control changes the picture"
        assert image.get_attribute("alt") != alt, "the description must change with the picture"
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    assert not seen.errors
    page.close()


@pytest.mark.parametrize("page_with_widget", with_marker("application/vnd.jupyter.widget-view+json"))
def test_a_linked_widget_moves_without_a_kernel(open_page, page_with_widget):
    if page_with_widget is None:
        pytest.skip("no page has a saved ipywidget")
    page, seen = open_page("file", page_with_widget)
    state = json.loads(page.locator("script[type='application/vnd.jupyter.widget-state+json']").text_content())
    linked = any(model["model_name"] == "LinkModel" for model in state["state"].values())
    if not linked:
        pytest.skip("its widgets are not linked in the browser")
    handle = page.locator(".noUi-handle").first
    before = page.locator(".jupyter-widgets").first.screenshot()
    handle.focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(300)
    assert page.locator(".jupyter-widgets").first.screenshot() != before
    assert not seen.errors
    page.close()
