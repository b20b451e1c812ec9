import base64
import builtins
import io
import itertools
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import ipywidgets
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from lecture13 import widgets

COLOURS = {"stop": (1.0, 0.0, 0.0), "go": (0.0, 1.0, 0.0)}
LEVELS = [0.25, 0.5, 1.0]


def draw(epsilon, kind):
    """A picture whose every pixel tells the values."""
    figure = Figure(figsize=(1, 0.5))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(facecolor=tuple(epsilon * part for part in COLOURS[kind]), xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)
    return figure


def colour(epsilon, kind):
    return tuple(round(255 * epsilon * part) for part in COLOURS[kind])


def pixel(source):
    """The middle pixel of a data: address."""
    picture = Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).convert("RGB")
    return picture.getpixel((picture.width // 2, picture.height // 2))


class Tags(HTMLParser):
    def __init__(self, markup):
        super().__init__()
        self.tags, self.script, self.inside = [], "", ""
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.inside = tag
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            self.script += data

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def data(self):
        return json.loads(re.search(r"const data = (.*);\n", self.script).group(1))


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(widgets, "_seen", widgets.Counter())
    monkeypatch.delenv("LECTURE13_STATIC", raising=False)


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv("LECTURE13_STATIC", "1")


def explore(**options):
    options = {"alt": "A flat colour.", "epsilon": LEVELS, "kind": ["stop", "go"]} | options
    return widgets.explore(options.pop("draw", draw), **options)


def test_static_every_combination_is_drawn_in_its_place(static):
    page = Tags(explore()._repr_html_())
    data = page.data
    assert data["labels"] == [["0.25", "0.5", "1"], ["stop", "go"]]
    assert len(data["frames"]) == 6
    for (number, alt), (epsilon, kind) in zip(data["frames"], itertools.product(LEVELS, COLOURS), strict=True):
        assert pixel(data["sources"][number]) == colour(epsilon, kind)
        assert alt == f"A flat colour (ε = {epsilon:g}, kind = {kind})"


def test_static_markup_is_labelled_and_alone(static):
    markup = explore(initial={"epsilon": 0.5, "kind": "go"}).markup
    page = Tags(markup)
    (image,) = page.all("img")
    assert pixel(image["src"]) == colour(0.5, "go") and image["alt"] == "A flat colour (ε = 0.5, kind = go)"
    (slider,), (choice,), (output,) = page.all("input"), page.all("select"), page.all("output")
    assert [one["for"] for one in page.all("label")] == [slider["id"], choice["id"]] and output["for"] == slider["id"]
    assert [slider[name] for name in ("type", "min", "max", "value")] == ["range", "0", "2", "1"]
    assert slider["aria-valuetext"] == "0.5"
    assert [(one["value"], "selected" in one) for one in page.all("option")] == [("0", False), ("1", True)]
    assert "hidden" in page.all("div")[0]  # without JavaScript the picture stands alone
    assert not re.search(r"https?:|//cdn|@import|url\(", markup) and not page.all("link")


def test_static_is_the_same_in_every_run_and_ids_differ_on_a_page(static, monkeypatch):
    first, second = explore().markup, explore().markup
    assert len({one["id"] for markup in (first, second) for _, one in Tags(markup).tags if "id" in one}) == 6
    monkeypatch.setattr(widgets, "_seen", widgets.Counter())
    assert explore().markup == first


def test_static_equal_pictures_are_stored_once(static):
    page = Tags(explore(draw=lambda epsilon, kind: draw(1.0, kind)).markup)
    assert len(page.data["sources"]) == 2 and [number for number, _ in page.data["frames"]] == [0, 1] * 3


@pytest.mark.parametrize(("side", "exact"), [(32, True), (224, False)])
def test_static_frames_are_exact_while_small_and_lose_a_little_where_not(side, exact):
    chance, noisy = np.random.default_rng(0), Figure(figsize=(6, 2))
    for axis in noisy.subplots(1, 3):  # as an attack's panels are
        light = np.linspace(0, 0.7, side)[:, None, None] + 0.3 * chance.random((side, side, 1))
        axis.imshow(light * [1, 0.8, 0.6], interpolation="nearest")
    drawn = io.BytesIO()
    noisy.savefig(drawn, format="png", dpi=widgets.FRAME_DPI, facecolor="white")
    source, width, height = widgets._encode(noisy)
    content = base64.b64decode(source.split(",")[1])
    off = np.asarray(Image.open(drawn).convert("RGB")) - np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), int)
    assert (width, height) == (660, 220) and len(content) <= widgets.FRAME_BYTES
    assert (np.abs(off).mean() == 0) == exact and np.abs(off).mean() < 8


def test_static_texts_cannot_break_out_of_the_markup(static):
    evil = '</script><b id="x">" & \u2028'
    page = Tags(explore(alt=lambda epsilon, kind: evil, kind=[(evil, "go")]).markup)
    assert page.data["labels"][1] == [evil] and page.data["frames"][0][1] == evil
    assert page.all("img")[0]["alt"] == evil and not page.all("b")


def test_static_too_many_pictures_are_an_error_before_any_is_drawn(static):
    def never(**values):
        raise AssertionError("drawn")

    with pytest.raises(
        ValueError, match="13 epsilon × 12 kind = 156 pictures to draw in advance; expected at most 150"
    ):
        explore(draw=never, epsilon=range(13), kind=range(12))


def test_static_is_the_fallback_without_ipywidgets(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "ipywidgets":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert isinstance(explore(), widgets.Frames)


def test_a_draw_that_fails_fails_the_cell_and_says_where(monkeypatch):
    def broken(epsilon, kind):
        return draw(epsilon, kind) if epsilon < 1 else plt.figure().no_such_thing

    monkeypatch.setenv("LECTURE13_STATIC", "1")
    with pytest.raises(AttributeError, match="no_such_thing") as caught:
        explore(draw=broken)
    assert caught.value.__notes__ == ["while drawing the picture for ε = 1, kind = stop"]
    assert not plt.get_fignums()
    monkeypatch.delenv("LECTURE13_STATIC")
    with pytest.raises(AttributeError, match="no_such_thing"):
        explore(draw=broken, initial={"epsilon": 1.0})


def shown(box):
    (image,) = Tags(box.children[-1].value).all("img")
    return pixel(image["src"]), image["alt"]


def test_live_moving_a_control_changes_the_picture():
    box = explore(initial={"epsilon": 0.5})
    slider, choice, _ = box.children
    assert isinstance(slider, ipywidgets.SelectionSlider) and not slider.continuous_update
    assert isinstance(choice, ipywidgets.Dropdown)
    assert (slider.description, slider.label, choice.description, choice.label) == ("ε", "0.5", "kind", "stop")
    assert shown(box) == (colour(0.5, "stop"), "A flat colour (ε = 0.5, kind = stop)")
    slider.value = 2
    assert shown(box) == (colour(1.0, "stop"), "A flat colour (ε = 1, kind = stop)")
    choice.value = 1
    assert shown(box) == (colour(1.0, "go"), "A flat colour (ε = 1, kind = go)")


def test_live_a_picture_is_drawn_once():
    drawn = []

    def counted(epsilon, kind):
        drawn.append((epsilon, kind))
        return draw(epsilon, kind)

    slider = explore(draw=counted).children[0]
    for position in (1, 0, 1, 2, 1):
        slider.value = position
    assert drawn == [(0.25, "stop"), (0.5, "stop"), (1.0, "stop")]


def test_live_an_error_is_shown_and_the_next_picture_too():
    def broken(epsilon, kind):
        if kind == "go":
            raise RuntimeError("no <go> today")
        return draw(epsilon, kind)

    box = explore(draw=broken)
    box.children[1].value = 1
    text = box.children[-1].value
    assert 'role="alert"' in text and "RuntimeError: no &lt;go&gt; today" in text
    assert "Traceback" in text and "in broken" in text and "while drawing the picture for ε = 0.25, kind = go" in text
    box.children[1].value = 0
    assert shown(box)[0] == colour(0.25, "stop")


def test_live_an_open_figure_is_shown_once():
    mine = plt.figure()

    def opened(epsilon, kind):
        return plt.figure(figsize=(1, 1))

    explore(draw=opened)
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)


def test_alt_may_be_a_function_of_the_values():
    box = explore(alt=lambda epsilon, kind: f"{kind} at {epsilon}")
    assert shown(box)[1] == "stop at 0.25"


def test_labels():
    def figure(step_size, eta, x):
        return draw(0.5, "go")

    box = widgets.explore(figure, alt="x", step_size=[1e-5, 123456], eta=[("8/255", 8 / 255)], x=[True, None])
    slider, pair, choice, _ = box.children
    assert [one.description for one in (slider, pair, choice)] == ["step size", "η", "x"]
    assert [label for label, _ in slider.options] == ["1e-05", "1.235e+05"]
    assert pair.options == (("8/255", 0),) and [label for label, _ in choice.options] == ["True", "None"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"draw": "figure"}, TypeError, "draw is 'figure'; expected a function"),
        ({"draw": lambda epsilon, kind: 3}, TypeError, "draw returned int; expected a matplotlib Figure"),
        ({"draw": lambda epsilon: 3}, TypeError, r"draw does not take the controls \['epsilon', 'kind'\]"),
        ({"draw": lambda epsilon, kind, more: 3}, TypeError, "missing a required argument: 'more'"),
        ({"alt": " "}, ValueError, "alt=' '; expected what the picture shows"),
        ({"kind": []}, ValueError, r"control kind=\[\]; expected a sequence"),
        ({"kind": "stop"}, ValueError, "control kind='stop'; expected a sequence"),
        ({"epsilon": [0.5, 0.50001]}, ValueError, r"control epsilon: \['0.5'\] stand twice"),
        ({"initial": {"kind": "wait"}}, ValueError, "initial kind='wait'; expected one of stop, go"),
        ({"initial": {"size": 1}}, ValueError, r"initial names \['size'\]; the controls are \['epsilon', 'kind'\]"),
    ],
)
def test_bad_calls_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        explore(**options)


def test_no_controls_are_refused():
    with pytest.raises(ValueError, match="no controls; expected at least one"):
        widgets.explore(lambda: 3, alt="x")


MIDDLE = """image => {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return [...context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data].slice(0, 3);
}"""


def in_browser(visit):
    """Run ``visit(browser)`` in a real Chromium; in a thread of its own, as Playwright keeps a loop in each."""
    sync_api = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        message = f"no browser: none of {', '.join(names)} is installed, and $CHROMIUM is not set"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)

    def run():
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
            try:
                return visit(browser)
            finally:
                browser.close()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(run).result()


def test_in_a_browser_the_keyboard_turns_the_right_picture_up(static, tmp_path):
    path = tmp_path / "page.html"
    body = explore().markup + explore(initial={"epsilon": 0.5}).markup
    path.write_text(f"<!doctype html><meta charset=utf-8><title>t</title>{body}", encoding="utf-8")
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>t</title>", encoding="utf-8")

    def visit(browser):
        page, errors, requests = browser.new_page(), [], []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(blank.as_uri())
        names = set(page.evaluate("Object.keys(window)"))
        page.goto(path.as_uri())
        assert set(page.evaluate("Object.keys(window)")) == names  # nothing is left in the page's global names
        first, second = page.locator("figure").all()
        for (row, epsilon), (column, kind) in itertools.product(enumerate(LEVELS), enumerate(COLOURS)):
            for role, key, position in (("slider", "ArrowRight", row), ("combobox", "ArrowDown", column)):
                control = first.get_by_role(role)
                control.press("Home")
                for _ in range(position):
                    control.press(key)
            image = first.locator("img")
            image.evaluate("image => image.decode()")
            assert tuple(image.evaluate(MIDDLE)) == colour(epsilon, kind)
            assert image.get_attribute("alt") == f"A flat colour (ε = {epsilon:g}, kind = {kind})"
            assert first.locator("output").text_content() == f"{epsilon:g}"
            assert first.get_by_label("ε").get_attribute("aria-valuetext") == f"{epsilon:g}"
            assert first.locator("option:checked").text_content() == kind
        assert tuple(second.locator("img").evaluate(MIDDLE)) == colour(0.5, "stop")  # the other one stayed
        assert not errors and all(url.startswith(("file:", "data:")) for url in requests)

        silent = browser.new_context(java_script_enabled=False).new_page()
        silent.goto(path.as_uri())
        assert silent.locator("img").first.is_visible() and not silent.locator("input").first.is_visible()

    in_browser(visit)
