"""The paper's number, our recorded full run and this run, side by side, each with its label."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lecture13.papers import markup
from lecture13.papers.records import check_value, plain, recorded
from lecture13.papers.tables import Column, Table, table
from lecture13.profile import Profile

Ours = float | str | tuple[float | str | None, str]  # a value, a value with a remark, or (None, why it could not run)


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` gives: a notebook shows it; ``str()`` for a terminal."""

    grid: markup.Grid

    def _repr_html_(self) -> str:
        return markup.to_html(self.grid)

    def _repr_markdown_(self) -> str:
        return markup.to_markdown(self.grid)

    def __str__(self) -> str:
        return markup.to_text(self.grid)

    __repr__ = __str__


def compare(
    name: str,
    ours: Mapping[str, Mapping[str, Ours]],
    *,
    run: Profile,
    data: str | Mapping[str, str],
    note: str = "",
) -> Comparison:
    """Set this run beside the paper and our recorded full run.

    Args:
        name: of the table (:func:`lecture13.papers.names`).
        ours: row → column → value, in the paper's units (percent where it has percent). A value is a number (or text in
            a column of text), ``(value, "a remark: the sample size, a confidence interval")``, or ``(None, "why it
            could not run here, and how it can")``.
        run: this run's profile. A smoke run's numbers are marked as no results.
        data: what this run was measured on (``dataset.source``), for all rows or by row.
        note: one line below the table.

    Raises:
        KeyError: an unknown table, row or column; the message lists the known ones.
        ValueError: a value that is no finite number, a None without its reason, no data line for a row.
    """
    known = table(name)
    if not isinstance(ours, Mapping) or not all(isinstance(cells, Mapping) for cells in ours.values()):
        raise ValueError(f"ours is {ours!r}; expected {{row: {{column: value}}}}")
    if not ours:
        raise ValueError(f"nothing to compare with {name}; expected {{row: {{column: value}}}}")
    lines = dict.fromkeys(known.row(row) for row in ours)
    labels = {row: _data(known, data, row) for row in lines}
    common = len(set(labels.values())) == 1
    label = f"{run.label}; {next(iter(labels.values()))}" if common else run.label
    cells = {
        (row, column): _ours(
            known,
            row,
            column,
            value,
            smoke=run.name == "smoke" and known.kind != "settings",
            data="" if common else labels[row],
        )
        for row, values in ours.items()
        for column, value in values.items()
    }
    return Comparison(_grid(known, cells, f"this run: {label}", [note] if note else []))


def side_by_side(known: Table) -> markup.Grid:
    """The paper beside our recorded full runs, for the scoreboard."""
    return _grid(known, None, "", [])


def _grid(
    known: Table, cells: Mapping[tuple[str, str], markup.Text] | None, label: str, notes: list[str]
) -> markup.Grid:
    """One line for each (row, column) that this run or a recorded one has; what is left out is said below.

    A table of settings has nothing to record, and one column where it has one quantity.
    """
    measured = known.kind != "settings"
    named = measured or len(known.columns) > 1
    runs = recorded(known.name)
    origins = list(dict.fromkeys(run.label for run in runs.values()))
    # several runs: each cell says which, and below the table each is described once
    marks = {origin: f"run {count}" if len(origins) > 1 else "" for count, origin in enumerate(origins, start=1)}
    shown = {**dict.fromkeys(runs), **dict.fromkeys(cells or ())}
    head: list[markup.Text] = [known.over, *(["quantity"] if named else []), known.source]
    if measured:
        head.append(markup.Mark("our recorded full run", origins[0] if len(origins) == 1 else ""))
    if cells is not None:
        title, _, remark = label.partition(": ")
        head.append(markup.Mark(title, remark))
    rows = []
    for row, values in known.rows.items():
        for column, value in zip(known.columns, values, strict=True):
            key = (row, column.name)
            if key not in shown:
                continue
            line: list[markup.Text] = [row, *([column.head] if named else []), column.show(value)]
            if key in runs:
                line.append(markup.Mark(number(column, runs[key].value), marks[runs[key].label]))
            elif measured:
                line.append("none yet")
            if cells is not None:
                line.append(cells.get(key, "not measured in this run"))
            rows.append(line)
    total = len(known.rows) * len(known.columns)
    if len(rows) < total:
        notes = [*notes, f'{len(rows)} of the {total} numbers of papers.table("{known.name}") are compared here']
    described = [f"{mark}: {origin}" for origin, mark in marks.items() if mark]
    return markup.Grid(f"{known.title} ({known.citation})", head, rows, [*described, *notes, *known.notes])


def _ours(known: Table, row: str, column: str, value: Any, *, smoke: bool, data: str) -> markup.Text:
    remark = ""
    if isinstance(value, tuple):
        if len(value) != 2 or not isinstance(value[1], str) or not value[1].strip():
            raise ValueError(f'{known.name}, {row}, {column}: {value!r}; expected (value, "remark")')
        value, remark = value
        if value is None:
            known.row(row), known.column(column)
            return markup.Mark("not run here", remark)
    if value is None:
        raise ValueError(
            f'{known.name}, {row}, {column}: None; expected (None, "why it could not run, and how it can")'
        )
    value = plain(value)
    check_value(known, row, column, value)
    remarks = ["smoke: not a result" if smoke else "", remark, data]
    return markup.Mark(number(known.column(column), value), "; ".join(filter(None, remarks)), pale=smoke)


def number(column: Column, value: float | str) -> str:
    """Our value, with four digits: more than the paper prints, and no more than a run of ours can mean."""
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _data(known: Table, data: str | Mapping[str, str], row: str) -> str:
    line = data.get(row) if isinstance(data, Mapping) else data
    if not (isinstance(line, str) and line.strip()):
        raise ValueError(f"{known.name}, {row}: data={line!r}; expected the line that names the data (dataset.source)")
    return line
