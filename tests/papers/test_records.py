import json

import numpy as np
import pytest
import torch

from lecture13 import papers
from lecture13.papers import records
from lecture13.profile import Profile

FULL = Profile("full", torch.device("cpu"), "32-true", 7)
ROW, COLUMN = "MNIST, robust", "robust bound"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path / "recorded")
    return tmp_path / "recorded"


def record(value=5.9, row=ROW, column=COLUMN, run=FULL, **options):
    options = {"commit": "0123456789ab", "device": "H200"} | options
    return papers.record("polytope-table-1", {row: {column: value}}, run=run, data="MNIST, test", **options)


def test_a_record_comes_back_with_its_origin(folder):
    assert papers.recorded("polytope-table-1") == {}
    path = record(torch.tensor(5.5))
    assert path == folder / "polytope-table-1.json"
    (cell,) = papers.recorded("polytope-table-1").values()
    assert (cell.value, cell.seed, cell.profile, cell.data) == (5.5, 7, "full", "MNIST, test")
    assert cell.label.startswith("full profile, H200, MNIST, test, 20") and cell.label.endswith("commit 012345678")
    assert set(json.loads(path.read_text())[0]) == set(
        ["table", "row", "column", "value", "device", "date", "commit", "seed", "profile", "data"]
    )


def test_a_label_says_where_files_differed_from_the_commit():
    record(5.9, commit="0123456789ab+changes")
    (cell,) = papers.recorded("polytope-table-1").values()
    assert cell.label.endswith("commit 012345678+changes")


def test_a_new_record_replaces_its_own_cell_alone():
    record(5.9)
    record(np.float64(4.2), column="PGD error")
    record(5.8)
    values = {key: cell.value for key, cell in papers.recorded("polytope-table-1").items()}
    assert values == {(ROW, COLUMN): 5.8, (ROW, "PGD error"): 4.2}


def test_device_and_commit_are_asked_of_the_machine(monkeypatch):
    monkeypatch.setattr(records.subprocess, "run", lambda *_, **__: type("Answer", (), {"stdout": "89abcdef0123\n"}))
    record(device=None, commit=None)
    (cell,) = papers.recorded("polytope-table-1").values()
    assert cell.commit == "89abcdef0123" and cell.device.startswith("cpu, ")


def test_without_git_the_commit_is_asked_for(monkeypatch):
    def no_git(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(records.subprocess, "run", no_git)
    with pytest.raises(ValueError, match="give commit="):
        record(commit=None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "5.9", None, True])
def test_only_finite_numbers_are_recorded(folder, value):
    with pytest.raises(ValueError, match="expected a finite number"):
        record(value)
    assert not folder.exists()


def test_only_full_runs_are_recorded():
    for name in ("smoke", "laptop"):
        with pytest.raises(ValueError, match=f"a run of the {name} profile; only full runs"):
            record(run=Profile(name, torch.device("cpu"), "32-true", 0))


def test_unknown_names_list_the_known_ones():
    with pytest.raises(KeyError, match="no row 'MNIST'; its rows"):
        record(row="MNIST")
    with pytest.raises(KeyError, match="no column 'bound'; its columns"):
        record(column="bound")
    with pytest.raises(KeyError, match="unknown table 'x'; known"):
        papers.recorded("x")


def test_a_failed_write_leaves_what_was_there(folder, monkeypatch):
    before = record(5.9).read_text()

    def full_disk(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records.Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        record(1.0)
    assert [path.name for path in folder.iterdir()] == ["polytope-table-1.json"]
    assert (folder / "polytope-table-1.json").read_text() == before


@pytest.mark.parametrize("damage", ["", "{}", '[{"row": 1}]', "REPLACED"])
def test_a_damaged_file_is_named_and_kept(folder, damage):
    path = record()
    path.write_text(path.read_text().replace('"date": "2', '"date": "x') if damage == "REPLACED" else damage)
    damaged = path.read_text()
    if damage == "{}":  # an empty object reads as no cells; it must not pass for a list
        path.write_text('{"a": 1}')
        damaged = path.read_text()
    with pytest.raises(ValueError, match=r"polytope-table-1.json: not a list of recorded cells"):
        record(4.0)
    assert path.read_text() == damaged
