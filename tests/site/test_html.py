"""What the built files say, without a browser: addresses, launch buttons, solutions."""

import json
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from book import settings

LOADS = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("audio", "src")}


class Addresses(HTMLParser):
    """Collects what a page loads, and what it links to."""

    def __init__(self):
        super().__init__()
        self.loads, self.links = [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        names_a_page = given.get("rel") in ("canonical", "next", "prev", "index", "search")
        loaded = set() if names_a_page else {("link", "href")}
        for name, value in attributes:
            if value and (tag, name) in LOADS | loaded:
                self.loads.append(value)
            elif value and (tag, name) == ("a", "href"):
                self.links.append(value)


@pytest.fixture
def addresses(site, page_path):
    parser = Addresses()
    parser.feed((site / page_path).read_text(encoding="utf-8"))
    return parser


def test_loads_only_what_lies_beside_it(addresses):
    assert not [address for address in addresses.loads if urlsplit(address).scheme not in ("", "data")]
    assert not [address for address in addresses.loads if address.startswith("//")]


def test_links_lead_somewhere(site, page_path, addresses):
    folder = (site / page_path).parent
    for address in addresses.loads + addresses.links:
        parts = urlsplit(address)
        if not parts.scheme and parts.path:
            assert (folder / unquote(parts.path)).exists(), address


def test_index_leads_to_the_first_page(site):
    assert 'url=intro.html"' in (site / "index.html").read_text(encoding="utf-8")


def test_stylesheets_load_only_what_lies_beside_them(site):
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert "url(http" not in text.replace('"', "").replace("'", ""), sheet
        assert "@import" not in text or "@import url(http" not in text.replace('"', ""), sheet


def test_launch_buttons_come_from_the_one_address(site):
    repository = settings.repository_url().removeprefix("https://github.com/")
    branch = settings.config()["repository"]["branch"]
    for notebook in settings.notebook_paths():
        html = (site / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        assert f"https://colab.research.google.com/github/{repository}/blob/{branch}/notebooks/{notebook.name}" in html
        assert f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/notebooks/{notebook.name}" in html


def test_downloads_carry_no_trace_of_the_runner(site):
    for notebook in settings.notebook_paths():
        copy = json.loads((site / "_sources" / "notebooks" / notebook.name).read_text(encoding="utf-8"))
        assert "papermill" not in copy["metadata"]
        assert not any("injected-parameters" in cell["metadata"].get("tags", []) for cell in copy["cells"])
