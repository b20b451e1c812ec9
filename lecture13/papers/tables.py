"""The papers' tables as data: one TOML file for each paper in ``papers/data``, checked when it is read."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lecture13.papers import markup

DATA = Path(__file__).with_name("data")
Cell = float | str | None  # None where the paper has a dash; text like "> 4000" where it gives a bound
_BOUND = re.compile(r"[<>≤≥≈] \d+(\.\d+)?")


@dataclass(frozen=True)
class Column:
    """A column: numbers in ``unit``, printed as the paper prints them, or text."""

    name: str
    unit: str = ""
    format: str = "g"
    text: bool = False

    @property
    def head(self) -> str:
        """Name and unit: ``"test error (%)"``."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def show(self, cell: Cell) -> str:
        """A cell as the paper prints it."""
        if cell is None:
            return "–"
        return cell if isinstance(cell, str) else format(cell, self.format)


@dataclass(frozen=True)
class Table:
    """One table, or the numbers of one figure: ``table.rows["MNIST, robust"]``, ``table.value(row, column)``."""

    name: str
    title: str
    key: str  # of the paper, in the bibliography
    paper: str
    arxiv: str
    where: str  # "Table 1"
    slides: tuple[int, ...]
    over: str  # what the rows are
    columns: tuple[Column, ...]
    rows: Mapping[str, tuple[Cell, ...]]
    notes: tuple[str, ...] = ()
    kind: str = "results"  # or "settings": what the authors chose, nothing to measure
    source: str = "paper"  # whose numbers these are

    def value(self, row: str, column: str) -> Cell:
        """One cell. An unknown row or column is a KeyError that lists the known ones."""
        return self.rows[self.row(row)][self.columns.index(self.column(column))]

    def row(self, name: str) -> str:
        """The name itself, if there is such a row."""
        if name not in self.rows:
            raise KeyError(f"{self.name} has no row {name!r}; its rows: {', '.join(map(repr, self.rows))}")
        return name

    def column(self, name: str) -> Column:
        """The column of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(repr(column.name) for column in self.columns)
        raise KeyError(f"{self.name} has no column {name!r}; its columns: {known}")

    @property
    def citation(self) -> str:
        """Paper, place, arXiv number and slides, in one line."""
        slides = ("slide " if len(self.slides) == 1 else "slides ") + ", ".join(map(str, self.slides))
        return f"{self.paper}, {self.where}, arXiv:{self.arxiv}, {slides}"

    def _grid(self) -> markup.Grid:
        head = [self.over, *(column.head for column in self.columns)]
        rows = [
            [name, *(column.show(cell) for column, cell in zip(self.columns, cells, strict=True))]
            for name, cells in self.rows.items()
        ]
        return markup.Grid(f"{self.title} ({self.citation})", head, rows, self.notes)

    def _repr_html_(self) -> str:
        return markup.to_html(self._grid())

    def _repr_markdown_(self) -> str:
        return markup.to_markdown(self._grid())

    def __str__(self) -> str:
        return markup.to_text(self._grid())


def names() -> tuple[str, ...]:
    """The names of all tables, in the order of the lecture."""
    return tuple(sorted(_all(), key=lambda name: (_all()[name].slides, _all()[name].kind)))


def table(name: str) -> Table:
    """One table. An unknown name is a KeyError that lists the known ones."""
    if name not in _all():
        raise KeyError(f"unknown table {name!r}; known: {', '.join(names())}")
    return _all()[name]


@cache
def _all() -> dict[str, Table]:
    tables = {}
    for path in sorted(DATA.glob("*.toml")):
        for made in read(path):
            if made.name in tables:
                raise ValueError(f"{path.name}: table {made.name!r} stands in {tables[made.name].key}.toml already")
            tables[made.name] = made
    return tables


def read(path: Path) -> list[Table]:
    """Read and check one paper's file.

    Raises:
        ValueError: a field missing, unknown or of the wrong type, a row too short or too long, a row or column that
            stands twice. The message names the file, the table and the row.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: not TOML: {error}") from error
    head = {"key": str, "paper": str, "arxiv": str}
    _fields(path.name, content, head | {"tables": dict})
    if path.stem != content["key"]:
        raise ValueError(f"{path.name}: key {content['key']!r}; expected the file's name, {path.stem!r}")
    shared = {field: content[field] for field in head}
    return [_table(f"{path.name}: {name}", name, raw, shared) for name, raw in content["tables"].items()]


def _table(where: str, name: str, raw: Any, shared: Mapping[str, str]) -> Table:
    needed = {"title": str, "where": str, "slides": list, "over": str, "columns": list, "rows": list}
    _fields(where, raw, needed, {"notes": list, "kind": str, "source": str})
    if raw.get("kind", "results") not in ("results", "settings"):
        raise ValueError(f'{where}: kind {raw["kind"]!r}; expected "results" or "settings"')
    if not raw["slides"] or not all(type(slide) is int and 1 <= slide <= 29 for slide in raw["slides"]):
        raise ValueError(f"{where}: slides {raw['slides']!r}; expected numbers from 1 to 29")
    if not all(isinstance(note, str) for note in raw.get("notes", [])):
        raise ValueError(f"{where}: notes {raw['notes']!r}; expected texts")
    columns = []
    for column in raw["columns"]:
        _fields(f"{where}: a column", column, {"name": str}, {"unit": str, "format": str, "text": bool})
        columns.append(Column(**column))
    rows = {}
    for row in raw["rows"]:
        _fields(f"{where}: a row", row, {"name": str, "cells": list})
        if row["name"] in rows:
            raise ValueError(f"{where}: row {row['name']!r} stands twice")
        rows[row["name"]] = _cells(f"{where}: row {row['name']!r}", row["cells"], columns)
    if not rows or len({column.name for column in columns}) != len(raw["columns"]) or not columns:
        raise ValueError(f"{where}: expected at least one row, and columns of different names")
    optional = {field: raw[field] for field in ("kind", "source") if field in raw}
    return Table(
        name=name,
        title=raw["title"],
        where=raw["where"],
        slides=tuple(raw["slides"]),
        over=raw["over"],
        columns=tuple(columns),
        rows=rows,
        notes=tuple(raw.get("notes", ())),
        **shared,
        **optional,
    )


def _cells(where: str, cells: Sequence[Any], columns: Sequence[Column]) -> tuple[Cell, ...]:
    if len(cells) != len(columns):
        raise ValueError(f"{where} has {len(cells)} cells; expected {len(columns)}, one for each column")
    for cell, column in zip(cells, columns, strict=True):
        number = isinstance(cell, int | float) and not isinstance(cell, bool)
        text = isinstance(cell, str) and (column.text or cell == "" or _BOUND.fullmatch(cell) is not None)
        if not (text or (number and not column.text)):
            kind = "text" if column.text else 'a number, a bound such as "> 4000", or ""'
            raise ValueError(f"{where}, column {column.name!r}: {cell!r}; expected {kind}")
    return tuple(None if cell == "" else cell for cell in cells)


def _fields(where: str, raw: Any, needed: Mapping[str, type], optional: Mapping[str, type] | None = None) -> None:
    known = {**needed, **(optional or {})}
    if not isinstance(raw, dict):
        raise ValueError(f"{where}: {raw!r}; expected a table with {', '.join(known)}")
    if missing := needed.keys() - raw.keys():
        raise ValueError(f"{where}: no {', '.join(sorted(missing))}; expected {', '.join(known)}")
    for field, value in raw.items():
        if field not in known:
            raise ValueError(f"{where}: unknown field {field!r}; expected {', '.join(known)}")
        if not isinstance(value, known[field]) or value in ("", {}):
            raise ValueError(f"{where}: {field} is {value!r}; expected {known[field].__name__}, not empty")
