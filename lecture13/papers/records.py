"""Our full runs, beside the papers' numbers: ``papers/recorded/<table>.json``, a list of cells with their origin."""

import datetime
import json
import math
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from lecture13.checkpoints import write_whole
from lecture13.papers.tables import Table, table
from lecture13.profile import Profile

FOLDER = Path(__file__).with_name("recorded")


@dataclass(frozen=True)
class Record:
    """One cell of one of our full runs, and how it came about."""

    table: str
    row: str
    column: str
    value: float | str
    device: str
    date: str  # ISO: 2026-11-22
    commit: str
    seed: int
    profile: str
    data: str

    @property
    def label(self) -> str:
        """Profile, device, data, date and commit, in one line."""
        return f"{self.profile} profile, {self.device}, {self.data}, {self.date}, commit {short(self.commit)}"


def recorded(name: str) -> dict[tuple[str, str], Record]:
    """The recorded cells of a table, by (row, column); empty where none is recorded.

    Raises:
        KeyError: an unknown table.
        ValueError: a file that is not what :func:`record` writes; the message names it.
    """
    known, path = table(name), FOLDER / f"{name}.json"
    if not path.exists():
        return {}
    try:
        cells = [_checked(known, raw) for raw in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: not a list of recorded cells: {error}. Restore it, or delete it") from error
    return {(cell.row, cell.column): cell for cell in cells}


def record(
    name: str,
    ours: Mapping[str, Mapping[str, float | str]],
    *,
    run: Profile,
    data: str,
    device: str | None = None,
    commit: str | None = None,
) -> Path:
    """Write a full run's cells beside the paper's, over earlier records of the same cells; the others stay.

    Args:
        name: of the table.
        ours: row → column → value, in the paper's units.
        run: the profile it ran with; only ``full`` runs are recorded.
        data: the line that names the data set (``dataset.source``).
        device: in words; None asks the machine.
        commit: of the code that ran; None asks git.

    Returns:
        The file written, whole or not at all.

    Raises:
        KeyError: an unknown table, row or column.
        ValueError: another profile, a value that is no finite number (or text, in a column of text), nothing to record.
        OSError: the file cannot be written; what was recorded before is unharmed.
    """
    if run.name != "full":
        raise ValueError(f"a run of the {run.name} profile; only full runs are recorded")
    known = table(name)
    origin = {
        "device": device or _device(run.device),
        "date": datetime.date.today().isoformat(),
        "commit": commit or describe_commit(),
        "seed": run.seed,
        "profile": run.name,
        "data": data,
    }
    cells = [
        _checked(known, {"table": name, "row": row, "column": column, "value": plain(value), **origin})
        for row, values in ours.items()
        for column, value in values.items()
    ]
    if not cells:
        raise ValueError(f"nothing to record for {name}; expected {{row: {{column: value}}}}")
    kept = recorded(name) | {(cell.row, cell.column): cell for cell in cells}
    path = FOLDER / f"{name}.json"
    text = json.dumps([asdict(cell) for cell in kept.values()], ensure_ascii=False, indent=1)
    write_whole(path, (text + "\n").encode())
    return path


def plain(value: Any) -> Any:
    """A tensor's or NumPy's scalar as Python's number; anything else as it is."""
    return value.item() if hasattr(value, "item") else value


def check_value(known: Table, row: str, column: str, value: Any) -> None:
    """Raise unless the cell exists and the value is of its kind: a finite number, or text in a column of text."""
    known.row(row)
    if known.column(column).text:
        if not (isinstance(value, str) and value):
            raise ValueError(f"{known.name}, {row}, {column}: {value!r}; expected text")
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{known.name}, {row}, {column}: {value!r}; expected a finite number")


def _checked(known: Table, raw: Mapping[str, Any]) -> Record:
    if set(raw) != {field.name for field in fields(Record)}:
        raise ValueError(f"fields {sorted(raw)}; expected {[field.name for field in fields(Record)]}")
    check_value(known, raw["row"], raw["column"], raw["value"])
    for field in ("device", "commit", "data"):
        if not isinstance(raw[field], str) or not raw[field].strip():
            raise ValueError(f"{field} is {raw[field]!r}; expected text")
    datetime.date.fromisoformat(raw["date"])
    if raw["table"] != known.name or raw["profile"] != "full" or type(raw["seed"]) is not int:
        raise ValueError(f"table {raw['table']!r}, profile {raw['profile']!r}, seed {raw['seed']!r}")
    return Record(**raw)


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device}, {os.cpu_count()} cores"


def short(commit: str) -> str:
    """A commit as labels name it: nine digits, and "+changes" where files differed from it."""
    digits, *changes = commit.partition("+")
    return digits[:9] + "".join(changes)


def describe_commit() -> str:
    """The commit of this code, with "+changes" where files differ from it; ValueError where git does not say."""
    command = ["git", "describe", "--always", "--dirty=+changes", "--exclude=*", "--abbrev=12"]
    try:
        answer = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ValueError("git does not say which commit this is; give commit=") from error
    if not re.fullmatch(r"[0-9a-f]+(\+changes)?", answer.stdout.strip()):
        raise ValueError(f"git says {answer.stdout!r} for this commit; give commit=")
    return answer.stdout.strip()
