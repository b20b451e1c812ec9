"""A table of texts in HTML, Markdown and plain text, for the papers' tables and the comparisons."""

import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """A cell with a remark. A pale one is no result, and looks it."""

    text: str
    remark: str = ""
    pale: bool = False


Text = str | Mark


@dataclass(frozen=True)
class Grid:
    """A caption, a head, rows whose first cell names them, and notes below."""

    caption: str
    head: Sequence[Text]
    rows: Sequence[Sequence[Text]]
    notes: Sequence[str] = ()


def to_html(grid: Grid) -> str:
    """A table that scrolls inside its own box, which the keyboard reaches."""
    head = "".join(f'<th scope="col">{_html(cell)}</th>' for cell in grid.head)
    body = []
    for first, *others in grid.rows:
        cells = "".join(f"<td>{_html(cell)}</td>" for cell in others)
        body.append(f'<tr><th scope="row" style="text-align:left">{_html(first)}</th>{cells}</tr>')
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in grid.notes)
    below = f"<ul>{notes}</ul>" if notes else ""
    label = html.escape(grid.caption)
    return (
        f'<div role="group" aria-label="{label}" tabindex="0" style="overflow-x:auto">\n'
        f'<table class="table">\n<caption style="caption-side:top;text-align:left">{label}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(body) + f"\n</tbody>\n</table>\n{below}</div>"
    )


def to_markdown(grid: Grid) -> str:
    """A Markdown pipe table under its caption."""
    lines = [f"**{_escaped(grid.caption)}**", "", _piped(grid.head), _piped(["---"] * len(grid.head))]
    lines += [_piped(row) for row in grid.rows]
    lines += ["", *(f"- {_escaped(note)}" for note in grid.notes)]
    return "\n".join(lines).rstrip() + "\n"


def to_text(grid: Grid) -> str:
    """Columns set with spaces."""
    rows = [[_plain(cell) for cell in row] for row in (grid.head, *grid.rows)]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([grid.caption, *lines, *(f"- {note}" for note in grid.notes)])


def _html(cell: Text) -> str:
    if isinstance(cell, str):
        return html.escape(cell)
    text = html.escape(cell.text)
    if cell.pale:  # opacity, so that the contrast holds on light and dark pages
        text = f'<em style="opacity:.75">{text}</em>'
    if cell.remark:
        text += f'<br><small style="font-weight:normal">{html.escape(cell.remark)}</small>'
    return text


def _piped(cells: Sequence[Text]) -> str:
    return "| " + " | ".join(map(_markdown, cells)) + " |"


def _markdown(cell: Text) -> str:
    if isinstance(cell, str):
        return _escaped(cell)
    text = f"*{_escaped(cell.text)}*" if cell.pale else _escaped(cell.text)
    return f"{text} ({_escaped(cell.remark)})" if cell.remark else text


def _escaped(text: str) -> str:
    if set(text) == {"-"}:
        return text
    for sign in "\\|*_<>$`[]~":
        text = text.replace(sign, f"\\{sign}")
    return text


def _plain(cell: Text) -> str:
    return cell if isinstance(cell, str) else (f"{cell.text} ({cell.remark})" if cell.remark else cell.text)


def _width(text: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in text)
