"""The notebooks, each as a source and as the copy that was executed at ``smoke``."""

from pathlib import Path

import nbformat
import pytest

from book import settings
from book.execute import executed_folder

NOTEBOOKS = settings.notebook_paths()


def pytest_generate_tests(metafunc):
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", NOTEBOOKS or [None], ids=[path.stem for path in NOTEBOOKS] or ["no notebooks"])


@pytest.fixture
def source(path: Path) -> nbformat.NotebookNode:
    """The notebook as it stands in the repository."""
    assert path is not None, f"no notebooks in {settings.NOTEBOOKS}"
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


@pytest.fixture
def executed(path: Path) -> nbformat.NotebookNode:
    """Its copy, executed at ``smoke``."""
    copy = executed_folder("smoke") / path.name
    assert copy.exists(), f"{path.name} has no executed copy: python -m book.build execute --profile smoke"
    return nbformat.read(copy, as_version=4)


def tagged(notebook: nbformat.NotebookNode, tag: str) -> list[nbformat.NotebookNode]:
    """The cells that carry a tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]
