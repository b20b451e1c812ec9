import pytest

from lecture13 import papers
from lecture13.papers import tables

GOOD = """
key = "doe2020"
paper = "Doe 2020, Examples"
arxiv = "2001.00001"
[tables.doe-1]
title = "Errors"
where = "Table 1"
slides = [15]
over = "net"
columns = [
  { name = "error", unit = "%", format = ".2f" },
  { name = "time", unit = "ms" },
  { name = "class", text = true },
]
rows = [{ name = "A", cells = [1, "> 4000", "stop"] }, { name = "B", cells = [2.5, "", ""] }]
"""


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, name="doe2020.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return tables.read(path)

    return write_and_read


def test_every_table_of_the_lecture_is_there():
    keys = {papers.table(name).key for name in papers.names()}
    assert keys == {path.stem for path in tables.DATA.glob("*.toml")} and len(keys) == 15
    covered = {slide for name in papers.names() for slide in papers.table(name).slides}
    assert covered == set(range(2, 30)) - {14}  # 1 is the title, 14 opens the part on attacks


# Read off the papers, one number from each table that the slides show.
@pytest.mark.parametrize(
    ("name", "row", "column", "value"),
    [
        ("deepfool-table-1", "NIN (CIFAR-10)", "ρ̂ DeepFool", 2.3e-2),
        ("deepfool-table-1", "FC500-150-10 (MNIST)", "time L-BFGS", "> 2000"),
        ("deepfool-table-1", "CaffeNet (ILSVRC2012)", "ρ̂ L-BFGS", None),
        ("transfer-table-4", "VGG-16", "VGG-16", 6),
        ("transfer-table-4", "GoogLeNet", "RMSD", 17.41),
        ("graffiti-table-5", "5′ 45°", "top class", "Keep Right"),
        ("graffiti-table-5", "25′ 0°", "second confidence", 0.0008),
        ("polytope-table-1", "MNIST, robust", "robust bound", 5.82),
        ("polytope-table-1", "HAR, standard", "PGD error", 63.82),
        ("fgsm-panda", "adversarial image", "confidence", 99.3),
        ("units-detectors", "conv5_3", "objects", 51),
        ("units-church-doors", "window", "added door area", 17.5),
        ("units-ski-resort", "only 20 kept", "accuracy over all classes", 2.1),
        ("wgan-gp-cifar10", "supervised", "inception score", 8.42),
    ],
)
def test_numbers(name, row, column, value):
    assert papers.table(name).value(row, column) == value


def test_table_4_is_what_transfer_means():
    table = papers.table("transfer-table-4")
    models = [column.name for column in table.columns if column.unit == "%"]
    assert list(table.rows) == models
    off_diagonal = [table.value(row, column) for row in models for column in models if row != column]
    assert set(off_diagonal) == {0}


def test_certified_bounds_lie_above_every_attack():
    table = papers.table("polytope-table-1")
    for row in table.rows:
        error, fgsm, pgd, bound = (table.value(row, c.name) for c in table.columns[1:])
        assert error <= fgsm <= pgd <= bound


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(KeyError, match=r"unknown table 'deepfool'; known: gan-optimum.*deepfool-table-1"):
        papers.table("deepfool")
    with pytest.raises(KeyError, match="no row 'MNIST'; its rows: 'MNIST, standard', 'MNIST, robust'"):
        papers.table("polytope-table-1").value("MNIST", "ε")
    with pytest.raises(KeyError, match="no column 'error'; its columns: 'ε', 'test error'"):
        papers.table("polytope-table-1").value("MNIST, robust", "error")


def test_a_table_shows_its_source_its_units_and_its_dashes(read):
    (table,) = read(GOOD)
    text = str(table)
    assert "Doe 2020, Examples, Table 1, arXiv:2001.00001, slide 15" in text
    assert text.splitlines()[2].split() == ["A", "1.00", ">", "4000", "stop"]
    assert text.splitlines()[3].split() == ["B", "2.50", "–", "–"]
    assert "| net | error (%) | time (ms) | class |" in table._repr_markdown_()
    assert '<th scope="col">error (%)</th>' in table._repr_html_() and "&gt; 4000" in table._repr_html_()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('cells = [1, "> 4000", "stop"]', "cells = [1, 2]", "doe2020.toml: doe-1: row 'A' has 2 cells; expected 3"),
        ("cells = [1,", 'cells = ["one",', "row 'A', column 'error': 'one'; expected a number"),
        ("cells = [1,", "cells = [true,", "row 'A', column 'error': True; expected a number"),
        ('"stop"]', "3]", "row 'A', column 'class': 3; expected text"),
        ('"> 4000"', '">4 s"', "column 'time': '>4 s'; expected a number, a bound"),
        ('name = "B"', 'name = "A"', "row 'A' stands twice"),
        ('name = "time"', 'name = "error"', "columns of different names"),
        ("slides = [15]", "slides = [30]", r"slides \[30\]; expected numbers from 1 to 29"),
        ('over = "net"', "", "doe-1: no over; expected title"),
        ('over = "net"', 'over = "net"\ncaption = "x"', "unknown field 'caption'"),
        ('over = "net"', 'over = ""', "over is ''; expected str, not empty"),
        ('over = "net"', 'over = "net"\nkind = "guess"', "kind 'guess'"),
        ('key = "doe2020"', 'key = "roe2020"', "key 'roe2020'; expected the file's name"),
        ('key = "doe2020"', "key = doe", "doe2020.toml: not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_name(read, old, new, message):
    assert read(GOOD)
    with pytest.raises(ValueError, match=message):
        read(GOOD.replace(old, new, 1))


def test_every_paper_stands_in_the_bibliography(request):
    bibliography = (request.config.rootpath / "book" / "references.bib").read_text(encoding="utf-8")
    for name in papers.names():
        entry = bibliography.split("{" + papers.table(name).key + ",")
        assert len(entry) == 2, papers.table(name).key
        assert papers.table(name).arxiv in entry[1].split("\n}")[0]
