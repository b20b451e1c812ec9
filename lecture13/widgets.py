"""A picture that answers "what if": sliders that redraw it in a live kernel, or turn pre-rendered frames on the site.

``$LECTURE13_STATIC=1``, which the site's build sets, draws every combination at once and writes one piece of HTML that
needs neither kernel nor network. In both cases what a student sees is an image with its alt text and labelled controls.
"""

import base64
import hashlib
import html
import inspect
import io
import itertools
import json
import math
import os
import traceback
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Real
from string import Template
from typing import Any

from matplotlib.figure import Figure
from PIL import Image
from tqdm import tqdm  # tqdm.auto would take the notebook bar, which does not hear $TQDM_DISABLE

from lecture13.figures.base import closing

MAX_FRAMES = 150  # at about 40 kB each, a page of 6 MB
FRAME_BYTES = 60_000
FRAME_DPI = 110

Draw = Callable[..., Figure]
Alt = str | Callable[..., str]


@dataclass(frozen=True)
class Control:
    """One control: its argument's name, the name shown, its values with their labels, and where it stands at first."""

    name: str
    values: tuple
    labels: tuple[str, ...]
    start: int

    @property
    def title(self) -> str:
        """The name shown: ``step_size`` → "step size", ``epsilon`` → "ε" (LaTeX stays raw in a widget)."""
        return " ".join(map(_greek, self.name.split("_")))

    @property
    def is_choice(self) -> bool:
        """Whether the values have no order worth a slider."""
        return all(isinstance(value, str | bool) or value is None for value in self.values)


@dataclass(frozen=True)
class Frame:
    """One drawn picture, ready for an ``<img>``."""

    source: str  # a data: address
    alt: str
    width: int
    height: int


def explore(draw: Draw, *, alt: Alt, initial: Mapping[str, Any] | None = None, **controls: Sequence) -> Any:
    """Show ``draw(**values)``, with a control for each argument.

    Args:
        draw: takes the controls by name, returns a matplotlib Figure; the same values must give the same figure.
        alt: what the picture shows, in words; the controls' values are added. Or a function of the values that gives
            the whole text.
        initial: where controls stand at first; the others stand at their first value.
        controls: name → values: numbers (a slider), strings (a choice), or (label, value) pairs.

    Returns:
        What a notebook shows: an ipywidgets box, or static HTML (``$LECTURE13_STATIC=1``, or ipywidgets is missing).

    Raises:
        ValueError: no controls, one without values or with one twice, an unknown ``initial``, no alt text, or more
            than 150 combinations to draw in advance.
        TypeError: ``draw`` does not take the controls, or returns no Figure.
    """
    if not callable(draw):
        raise TypeError(f"draw is {draw!r}; expected a function that returns a Figure")
    if not callable(alt) and not (isinstance(alt, str) and alt.strip()):
        raise ValueError(f"alt={alt!r}; expected what the picture shows, in words, or a function that gives it")
    if not controls:
        raise ValueError("no controls; expected at least one, such as epsilon=[0, 0.01, 0.02]")
    if unknown := set(initial or ()) - set(controls):
        raise ValueError(f"initial names {sorted(unknown)}; the controls are {list(controls)}")
    made = [_control(name, values, initial or {}) for name, values in controls.items()]
    try:
        inspect.signature(draw).bind(**{control.name: control.values[0] for control in made})
    except TypeError as error:
        raise TypeError(f"draw does not take the controls {list(controls)}: {error}") from error
    if os.environ.get("LECTURE13_STATIC") == "1":
        return _static(draw, alt, made)
    try:
        import ipywidgets
    except ImportError:
        return _static(draw, alt, made)
    return _live(ipywidgets, draw, alt, made)


def _control(name: str, values: Sequence, initial: Mapping[str, Any]) -> Control:
    if isinstance(values, str) or not list(values):
        raise ValueError(f"control {name}={values!r}; expected a sequence of values, or of (label, value) pairs")
    pairs = [
        value if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) else (_label(value), value)
        for value in values
    ]
    labels, plain = tuple(label for label, _ in pairs), tuple(value for _, value in pairs)
    if twice := [label for label, count in Counter(labels).items() if count > 1]:
        raise ValueError(f"control {name}: {twice} stand twice; give (label, value) pairs with different labels")
    if name not in initial:
        return Control(name, plain, labels, 0)
    for index, value in enumerate(plain):
        if value is initial[name] or value == initial[name]:
            return Control(name, plain, labels, index)
    raise ValueError(f"initial {name}={initial[name]!r}; expected one of {', '.join(labels)}")


def _label(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, Real) and not isinstance(value, bool) else str(value)


def _greek(word: str) -> str:
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {word.upper()}")
    except KeyError:
        return word


def _frame(draw: Draw, alt: Alt, controls: Sequence[Control], position: Sequence[int]) -> Frame:
    """Draw the picture for one position of the controls."""
    values = {control.name: control.values[index] for control, index in zip(controls, position, strict=True)}
    settings = ", ".join(f"{c.title} = {c.labels[i]}" for c, i in zip(controls, position, strict=True))
    try:
        with closing():
            figure = draw(**values)
        if not isinstance(figure, Figure):
            raise TypeError(f"draw returned {type(figure).__name__}; expected a matplotlib Figure")
        source, width, height = _encode(figure)
    except Exception as error:
        error.add_note(f"while drawing the picture for {settings}")
        raise
    text = alt(**values) if callable(alt) else f"{alt.strip().rstrip('.')} ({settings})"
    return Frame(source, text, width, height)


def _encode(figure: Figure) -> tuple[str, int, int]:
    """The figure as a data: address in WebP: without loss, or with a little where that takes more than 60 kB."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=FRAME_DPI, facecolor="white")
    picture = Image.open(drawn).convert("RGB")
    tries = []
    for options in ({"lossless": True}, {"quality": 88}, {"quality": 70}, {"quality": 40}):
        written = io.BytesIO()
        picture.save(written, "WEBP", method=4, **options)
        tries.append(written.getvalue())
        if len(tries[-1]) <= FRAME_BYTES:
            break
    smallest = min(tries, key=len)  # of large pixels, the exact one
    return "data:image/webp;base64," + base64.b64encode(smallest).decode(), *picture.size


def _live(ipywidgets: Any, draw: Draw, alt: Alt, controls: Sequence[Control]) -> Any:
    frame = cache(lambda *position: _frame(draw, alt, controls, position))
    first = frame(*(control.start for control in controls))  # a draw that fails at once fails the cell
    picture = ipywidgets.HTML(_image(first))
    look = {"layout": ipywidgets.Layout(width="min(100%, 34em)"), "style": {"description_width": "9em"}}
    turned = []
    for control in controls:
        options = {"options": [(label, index) for index, label in enumerate(control.labels)], "value": control.start}
        options |= {"description": control.title} | look
        if control.is_choice:
            turned.append(ipywidgets.Dropdown(**options))
        else:
            turned.append(ipywidgets.SelectionSlider(**options, continuous_update=False))

    def redraw(change: Any = None) -> None:
        try:
            picture.value = _image(frame(*(widget.value for widget in turned)))
        except Exception as error:  # shown: a widget's callback has no other place where a student would see it
            picture.value = alert(error)

    for widget in turned:
        widget.observe(redraw, "value")
    return ipywidgets.VBox([*turned, picture])


def alert(error: Exception) -> str:
    """An exception with its traceback, as HTML."""
    text = html.escape("".join(traceback.format_exception(error)))
    return (
        f'<div role="alert"><strong>{html.escape(type(error).__name__)}: {html.escape(str(error))}</strong>'
        f'<pre style="white-space:pre-wrap">{text}</pre></div>'
    )


def _image(frame: Frame) -> str:
    return (
        f'<img src="{frame.source}" alt="{html.escape(frame.alt)}" width="{frame.width}" height="{frame.height}" '
        'style="max-width:100%;height:auto">'
    )


@dataclass(frozen=True)
class Frames:
    """Every picture of an exploration, as one piece of HTML."""

    markup: str
    count: int

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return f"<{self.count} pictures to explore>"


def _static(draw: Draw, alt: Alt, controls: Sequence[Control]) -> Frames:
    total = math.prod(len(control.values) for control in controls)
    if total > MAX_FRAMES:
        sizes = " × ".join(f"{len(control.values)} {control.name}" for control in controls)
        raise ValueError(
            f"{sizes} = {total} pictures to draw in advance; expected at most {MAX_FRAMES}: give fewer values"
        )
    positions = itertools.product(*(range(len(control.values)) for control in controls))
    bar = tqdm(positions, total=total, desc="drawing the pictures", unit="picture", delay=2, leave=False)
    frames = [_frame(draw, alt, controls, position) for position in bar]
    sources = list(dict.fromkeys(frame.source for frame in frames))  # equal pictures are stored once
    number = {source: index for index, source in enumerate(sources)}
    data = {
        "labels": [control.labels for control in controls],
        "sources": sources,
        "frames": [[number[frame.source], frame.alt] for frame in frames],
    }
    start = 0
    for control in controls:
        start = start * len(control.values) + control.start
    payload = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")  # no "</script>" in a string
    key = unique("explore", payload + str([control.name for control in controls]))
    rows = "\n".join(_row(control, f"{key}-{index}") for index, control in enumerate(controls))
    markup = _PAGE.substitute(key=key, rows=rows, image=_image(frames[start]), data=payload)
    return Frames(markup, total)


_seen: Counter = Counter()


def unique(kind: str, payload: str) -> str:
    """An id made from the content, so that a second run writes the same HTML; a second copy on a page is counted."""
    digest = f"{kind}-" + hashlib.sha256(payload.encode()).hexdigest()[:12]
    _seen[digest] += 1
    return digest if _seen[digest] == 1 else f"{digest}-{_seen[digest]}"


def _row(control: Control, key: str) -> str:
    turned = _list if control.is_choice else _slider
    return f'<label for="{key}">{html.escape(control.title)}</label>\n{turned(control, key)}'


def _list(control: Control, key: str) -> str:
    options = "".join(
        f'<option value="{index}"{" selected" if index == control.start else ""}>{html.escape(each)}</option>'
        for index, each in enumerate(control.labels)
    )
    style = "grid-column:span 2;justify-self:start;max-width:100%;font:inherit"
    return f'<select id="{key}" autocomplete="off" style="{style}">{options}</select>'


def _slider(control: Control, key: str) -> str:
    label = html.escape(control.labels[control.start])
    return (
        f'<input type="range" id="{key}" min="0" max="{len(control.values) - 1}" step="1" value="{control.start}" '
        f'aria-valuetext="{label}" autocomplete="off" style="width:100%">\n'
        f'<output for="{key}">{label}</output>'
    )


# Without JavaScript the first picture stands alone: the controls stay hidden until the script shows them.
_PAGE = Template("""\
<figure class="lecture13-explore" id="$key" style="margin:1em 0">
<div hidden style="grid-template-columns:max-content minmax(8em,24em) minmax(5em,auto);gap:.4em 1em;align-items:center">
$rows
</div>
$image
<script>
(() => {
  const root = document.getElementById("$key");
  const data = $data;
  const controls = root.querySelector("div");
  const inputs = [...controls.querySelectorAll("input, select")];
  const image = root.querySelector("img");
  const show = () => {
    let index = 0;
    inputs.forEach((input, i) => {
      const label = data.labels[i][input.value];
      index = index * data.labels[i].length + Number(input.value);
      if (input.type === "range") {
        input.setAttribute("aria-valuetext", label);
        input.nextElementSibling.textContent = label;
      }
    });
    const [source, alt] = data.frames[index];
    image.src = data.sources[source];
    image.alt = alt;
  };
  inputs.forEach((input) => input.addEventListener("input", show));
  controls.hidden = false;
  controls.style.display = "grid";
  show();
})();
</script>
</figure>
""")
