import pytest
import torch

from lecture13 import papers
from lecture13.papers import comparison, records
from lecture13.profile import Profile

LAPTOP = Profile("laptop", torch.device("cpu"), "32-true", 0)
SMOKE = Profile("smoke", torch.device("cpu"), "32-true", 0)
FULL = Profile("full", torch.device("cpu"), "32-true", 0)
TABLE, ROW = "polytope-table-1", "MNIST, robust"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path)


def lines(shown):
    """The Markdown table's rows as lists of cells."""
    rows = [line for line in shown._repr_markdown_().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows]


def test_paper_recorded_and_this_run_stand_side_by_side():
    papers.record(TABLE, {ROW: {"test error": 1.75}}, run=FULL, data="MNIST", device="H200", commit="abcdef0123")
    shown = papers.compare(TABLE, {ROW: {"test error": 2.5, "PGD error": 4.5}}, run=LAPTOP, data="digits, embedded")
    head, _, first, second = lines(shown)
    assert head[:3] == ["problem and training", "quantity", "paper"]
    assert head[3].startswith("our recorded full run (full profile, H200, MNIST, 20")
    assert head[4] == "this run (laptop profile, cpu; digits, embedded)"
    assert first == [ROW, "test error (%)", "1.80", "1.75", "2.5"]
    assert second == [ROW, "PGD error (%)", "4.11", "none yet", "4.5"]


def test_what_was_recorded_shows_beside_what_was_not_measured():
    papers.record(TABLE, {ROW: {"ε": 0.1}}, run=FULL, data="MNIST", device="H200", commit="abc")
    papers.record(TABLE, {ROW: {"test error": 1.75}}, run=FULL, data="MNIST", device="A100", commit="abc")
    shown = papers.compare(TABLE, {ROW: {"PGD error": 4.5}}, run=LAPTOP, data="digits")
    rows = lines(shown)[2:]
    assert (rows[0][3], rows[1][3]) == ("0.1 (run 1)", "1.75 (run 2)")  # and below each run is described once
    below = [line for line in str(shown).splitlines() if line.startswith("- run ")]
    assert [line.split(", MNIST")[0] for line in below] == [
        "- run 1: full profile, H200",
        "- run 2: full profile, A100",
    ]
    assert rows[0][4] == rows[1][4] == "not measured in this run"
    assert "3 of the 40 numbers" in str(shown)


def test_a_smoke_number_never_stands_as_a_result():
    shown = papers.compare(TABLE, {ROW: {"test error": 2.5}}, run=SMOKE, data="digits")
    assert lines(shown)[2][4] == "*2.5* (smoke: not a result)"
    assert "2.5 (smoke: not a result)" in str(shown)
    assert '<em style="opacity:.75">2.5</em><br><small' in shown._repr_html_()
    assert "smoke: not a result" not in str(papers.compare(TABLE, {ROW: {"ε": 0.1}}, run=LAPTOP, data="digits"))


def test_what_could_not_run_says_so_and_how():
    shown = papers.compare(TABLE, {ROW: {"test error": (None, "needs MNIST: download=True")}}, run=SMOKE, data="digits")
    assert lines(shown)[2][4] == "not run here (needs MNIST: download=True)"


def test_remarks_and_data_by_row():
    ours = {ROW: {"test error": (torch.tensor(2.5), "n = 500")}, "HAR, robust": {"test error": 8.0}}
    shown = papers.compare(TABLE, ours, run=LAPTOP, data={ROW: "digits", "HAR, robust": "HAR"}, note="one seed")
    assert [row[4] for row in lines(shown)] == [
        "this run (laptop profile, cpu)",
        "---",
        "2.5 (n = 500; digits)",
        "8 (HAR)",
    ]
    assert "- one seed" in str(shown)


def test_text_columns_take_text():
    shown = papers.compare("fgsm-panda", {"image": {"class": "stop|<sign>"}}, run=LAPTOP, data="signs")
    assert "stop&lt;sign&gt;" not in shown._repr_html_() and "stop|&lt;sign&gt;" in shown._repr_html_()
    assert "stop\\|\\<sign\\>" in shown._repr_markdown_()


@pytest.mark.parametrize(
    ("ours", "error", "message"),
    [
        ({}, ValueError, "nothing to compare"),
        ({(ROW, "ε"): 0.1}, ValueError, "expected {row: {column: value}}"),
        ({"MNIST": {"ε": 0.1}}, KeyError, "no row 'MNIST'; its rows: 'MNIST, standard'"),
        ({ROW: {"eps": 0.1}}, KeyError, "no column 'eps'; its columns: 'ε'"),
        ({ROW: {"eps": (None, "why")}}, KeyError, "no column 'eps'"),
        ({ROW: {"ε": float("nan")}}, ValueError, "nan; expected a finite number"),
        ({ROW: {"ε": None}}, ValueError, 'expected \\(None, "why'),
        ({ROW: {"ε": (None, " ")}}, ValueError, 'expected \\(value, "remark"\\)'),
        ({ROW: {"ε": "0.1"}}, ValueError, "expected a finite number"),
    ],
)
def test_bad_cells_are_refused(ours, error, message):
    with pytest.raises(error, match=message):
        papers.compare(TABLE, ours, run=LAPTOP, data="digits")


@pytest.mark.parametrize("data", ["", {}, {"HAR, robust": "HAR"}])
def test_every_row_needs_its_data(data):
    with pytest.raises(ValueError, match="expected the line that names the data"):
        papers.compare(TABLE, {ROW: {"ε": 0.1}}, run=LAPTOP, data=data)


@pytest.mark.parametrize(
    ("value", "text"), [(0.00123456, "0.001235"), (99.99, "99.99"), (1234.5, "1234"), (123456.7, "123,457"), (0, "0")]
)
def test_our_numbers_have_four_digits(value, text):
    assert comparison.number(papers.Column("error"), value) == text


def test_settings_have_no_column_of_recorded_runs_and_name_their_quantity_only_where_there_are_several():
    one = str(papers.compare("gan-settings", {"batch": {"value": "64"}}, run=SMOKE, data="digits"))
    assert "recorded" not in one and "quantity" not in one and "not a result" not in one
    several = papers.compare("progressive-levels", {"32²": {"batch": 16}}, run=SMOKE, data="scenes")
    assert "quantity" in str(several)
