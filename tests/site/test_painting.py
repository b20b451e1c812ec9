"""Painting without a kernel: a click on a cell changes the picture, and the page needs nothing for it."""

import pytest

from tests.site.test_sliders import with_marker


@pytest.mark.parametrize("page_to_paint", with_marker("lecture13-paint"))
@pytest.mark.parametrize("where", ["file", "server"])
def test_a_click_on_a_cell_paints(open_page, page_to_paint, where):
    if page_to_paint is None:
        pytest.fail("no page has scenes of painting.paint")
    page, seen = open_page(where, page_to_paint)
    for figure in page.locator(".lecture13-paint").all():
        image = figure.locator("img").first
        before, alt = image.get_attribute("src"), image.get_attribute("alt")
        figure.locator(".cells button").nth(20).click()
        assert image.get_attribute("src") != before
        assert image.get_attribute("alt") != alt, "the description must change with the picture"
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
        figure.get_by_text("start over").click()
        assert (image.get_attribute("src"), image.get_attribute("alt")) == (before, alt)
    assert not seen.errors and not seen.remote
    page.close()
