import json

import pytest

from lecture13 import data, papers, zoo
from lecture13.papers import records
from lecture13.papers.runs import provable, store
from lecture13.profile import SIZES, use


@pytest.fixture
def digits(monkeypatch):
    """A row of the table measured on digits, with a net that is trained for a moment."""
    monkeypatch.setattr(provable, "NETS", {"MNIST, robust": "digits-provable"})
    monkeypatch.setattr(provable, "BESIDE", {})
    for name in ("provable_table.images", "provable_table.pgd_steps"):
        monkeypatch.setitem(SIZES, name, (SIZES[name][0],) * 3)


def test_measures_what_is_missing_and_records_it(digits, monkeypatch, tmp_path):
    monkeypatch.setattr(records, "FOLDER", tmp_path / "records")
    (tmp_path / "records").mkdir()
    zoo.train("digits-provable", folder=tmp_path, steps=8, examples=40)
    run = use("full", device="cpu")
    provable.train(run, tmp_path)
    file = tmp_path / "provable--digits-provable.json"
    before = file.read_bytes()
    provable.train(run, tmp_path)  # nothing is measured twice
    assert file.read_bytes() == before
    content = json.loads(before)
    assert content["found"]["count"] == 20 and "evenly spaced" in content["origin"]["data"]
    provable.record(run, tmp_path, into=tmp_path)
    origin, rows = provable.load(folder=tmp_path)
    row = rows["MNIST, robust"]
    assert row.error.value <= row.pgd.value <= row.bound.value and row.epsilon == 0.1
    recorded = papers.records.recorded(provable.TABLE)
    assert recorded["MNIST, robust", "robust bound"].value == pytest.approx(100 * row.bound.value)
    assert recorded["MNIST, robust", "ε"].value == 0.1
    assert origin.commit and origin.seed == 0


def test_nothing_there_is_said_and_what_is_missing_is_left_out(digits, monkeypatch, tmp_path):
    run = use("smoke", device="cpu")
    monkeypatch.setattr(data, "available", lambda name: False)
    provable.train(run, tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="no net of Table 1"):
        provable.record(run, tmp_path)


def test_results_of_several_machines_are_refused(digits, monkeypatch, tmp_path):
    monkeypatch.setattr(provable, "NETS", {"MNIST, robust": "mnist-provable", "MNIST, standard": "mnist-plain"})
    for name, device in (("mnist-provable", "a"), ("mnist-plain", "b")):
        origin = store.Origin("full", device, "2026-11-28", "c", 0, "d")
        store.write(f"provable--{name}", origin, {"row": "r", "net": name, "found": {}}, folder=tmp_path)
    with pytest.raises(ValueError, match="several machines"):
        provable.record(use("full", device="cpu"), tmp_path)
