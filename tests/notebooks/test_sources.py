"""What every notebook's source must be, before it runs."""

import re

from book import settings, sources
from book.stage import toc_files
from tests.notebooks.conftest import tagged

TRACES = {"papermill", "execution", "widgets"}
EXERCISE = ("exercise", "check", "hint", "solution")
KNOWN_TAGS = {"install", "hide-input", "parameters", *EXERCISE, "timing", "remove-input"}


def test_is_stripped(source):
    assert not TRACES & set(source.metadata)
    for cell in source.cells:
        assert not TRACES & set(cell.metadata)
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def test_has_ids_and_the_kernel_of_every_machine(source):
    assert (source.nbformat, source.nbformat_minor) >= (4, 5)
    ids = [cell.id for cell in source.cells]
    assert len(set(ids)) == len(ids)
    assert source.metadata.kernelspec.name == "python3"


def test_has_the_install_cell(source):
    cells = tagged(source, "install")
    assert [cell.source for cell in cells] == [sources.install_cell()], "run: python book/make.py stamp"
    assert "hide-input" in cells[0].metadata.tags


def test_has_the_parameters(source):
    cells = tagged(source, "parameters")
    assert len(cells) == 1
    assert re.search(r"^profile = None\b", cells[0].source, re.MULTILINE)
    assert re.search(r"^seed = 0\b", cells[0].source, re.MULTILINE)


def test_carries_only_known_tags(source):
    tags = {tag for cell in source.cells for tag in cell.metadata.get("tags", [])}
    assert tags <= KNOWN_TAGS


def test_cells_are_short(source):
    for cell in source.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 30, cell.source


def test_opens_with_its_number_and_title(source, path):
    assert source.cells[0].source.startswith(f"# {path.stem.split('_')[0]} · ")


def test_every_exercise_has_its_check_hint_and_solution(source, path):
    """In this order, for each exercise; three or more of them from chapter 01 on."""
    order = [tag for cell in source.cells for tag in cell.metadata.get("tags", []) if tag in EXERCISE]
    assert order == list(EXERCISE) * len(tagged(source, "exercise"))
    if path.stem.split("_")[0] != "00":
        assert len(tagged(source, "exercise")) >= 3


def test_solutions_are_one_fence_in_details(source):
    for cell in tagged(source, "solution"):
        assert cell.cell_type == "markdown"
        assert cell.source.startswith("<details>") and cell.source.rstrip().endswith("</details>")
        assert cell.source.count("```python") == 1


def test_stubs_are_unanswered(source):
    for cell in tagged(source, "exercise"):
        assert cell.cell_type == "code"
        assert "..." in cell.source


def test_is_in_the_table_of_contents(path):
    assert f"notebooks/{path.stem}" in toc_files()


def test_some_notebooks_are_there():
    names = [path.stem for path in settings.notebook_paths()]
    assert names
    assert len({name.split("_")[0] for name in names}) == len(names), "two notebooks with one number"
