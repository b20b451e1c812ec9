"""A real browser over the built site: from file://, and from a plain file server; nothing else can be reached."""

import functools
import http.server
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

from book import vendor
from book.publish import html_folder

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SITE = Path(os.environ.get("LECTURE13_SITE", html_folder("smoke")))
ORIGINS = ("file", "server")


def pages() -> list[str]:
    """Every page of the site, by its path; ``index.html`` only leads to the first one."""
    found = (path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts)
    return sorted(path for path in found if path != "index.html")


def pytest_generate_tests(metafunc):
    if "page_path" in metafunc.fixturenames:
        metafunc.parametrize("page_path", pages() or [None])
    if "origin" in metafunc.fixturenames:
        metafunc.parametrize("origin", ORIGINS)


#: The text of the article without its code.
PROSE = """() => {
  const article = document.querySelector("article, main").cloneNode(true);
  article.querySelectorAll("pre, code, script, mjx-container").forEach((element) => element.remove());
  return article.textContent;
}"""


@dataclass
class Visit:
    """What a page did while it loaded, and what was found in it then."""

    errors: list[str] = field(default_factory=list)
    remote: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    images: list[dict] = field(default_factory=list)
    formulas: int = 0
    typeset: int = 0
    formula_errors: list[str] = field(default_factory=list)
    text: str = ""
    prose: str = ""
    violations: list[dict] = field(default_factory=list)


@pytest.fixture(scope="session")
def site() -> Path:
    if not pages():
        pytest.fail(f"no site in {SITE}: build it first, python -m book.build book --profile smoke")
    return SITE


@pytest.fixture(scope="session")
def server(site):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


@pytest.fixture(scope="session")
def address(site, server):
    """The address of a page: ``address("file", "intro.html")``."""
    return lambda origin, page: f"{server if origin == 'server' else site.resolve().as_uri()}/{page}"


@pytest.fixture(scope="session")
def browser():
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        message = f"no browser: none of {', '.join(BROWSERS)} is installed, and $CHROMIUM is not set"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def open_page(browser, address):
    """Open a page, and note what it does in a :class:`Visit`; requests that leave the machine are noted and refused."""

    def open_it(origin: str, path: str):
        page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        seen = Visit()

        def route(request):
            local = request.request.url.startswith((address(origin, ""), "data:", "blob:"))
            if not local:
                seen.remote.append(request.request.url)
            (request.continue_ if local else request.abort)()

        page.route("**/*", route)
        page.on("console", lambda message: message.type == "error" and seen.errors.append(message.text))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("requestfailed", lambda request: seen.missing.append(request.url))
        page.on("response", lambda answer: answer.status >= 400 and seen.missing.append(answer.url))
        try:
            page.goto(address(origin, path), wait_until="load")
            settle(page)
        except Error as error:
            seen.errors.append(str(error))
        return page, seen

    return open_it


def settle(page) -> None:
    """Wait until formulas are typeset and widgets are drawn."""
    page.evaluate("() => window.MathJax?.startup?.promise")
    if page.locator("script[type='application/vnd.jupyter.widget-view+json']").count():
        page.wait_for_selector(".jupyter-widgets", timeout=10_000)


@pytest.fixture(scope="session")
def visit(open_page):
    """Visit a page once, and remember what was found."""

    @functools.cache
    def once(origin: str, path: str) -> Visit:
        page, seen = open_page(origin, path)
        try:
            seen.images = page.evaluate(
                "() => [...document.images].map(i => ({src: i.src.slice(0, 80), alt: i.getAttribute('alt'),"
                " figure: !!i.closest('.output, .cell_output, .explore'), broken: i.complete && !i.naturalWidth}))"
            )
            seen.formulas = page.locator(".math.notranslate").count()
            seen.typeset = page.locator(".math.notranslate mjx-container").count()
            seen.formula_errors = page.locator("mjx-merror").all_inner_texts()
            seen.prose = page.evaluate(PROSE)
            seen.text = page.locator("body").inner_text()
            if origin == "file":
                seen.violations = axe(page)
        except Error as error:
            seen.errors.append(str(error))
        finally:
            page.close()
        return seen

    return once


def axe(page) -> list[dict]:
    """What axe-core finds in the page, in light and in dark."""
    page.add_script_tag(path=str(vendor.AXE))
    found = []
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        result = page.evaluate("() => axe.run(document, {resultTypes: ['violations'], preload: false})")
        for violation in result["violations"]:
            nodes = [f"{' '.join(map(str, node['target']))}: {node['failureSummary']}" for node in violation["nodes"]]
            found.append({"id": violation["id"], "impact": violation["impact"], "theme": theme, "nodes": nodes})
    return found
