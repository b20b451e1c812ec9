"""Tiny notebooks for the publishing house."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


@pytest.fixture
def write_notebook(tmp_path):
    """Write a notebook of code cells below ``tmp_path``: ``write_notebook("good", "1 + 1")``; its path."""

    def write(name: str, *sources: str, solution: str | None = None) -> Path:
        cells = [
            new_markdown_cell(f"# {name}", id="title"),
            new_code_cell("import importlib", id="install", metadata={"tags": ["install", "hide-input"]}),
            new_code_cell("profile = None\nseed = 0", id="parameters", metadata={"tags": ["parameters"]}),
        ]
        cells += [new_code_cell(source, id=f"code-{index}") for index, source in enumerate(sources)]
        if solution:
            cells.append(new_markdown_cell(solution, id="solution", metadata={"tags": ["solution"]}))
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(new_notebook(cells=cells, metadata=KERNEL), path)
        return path

    return write
