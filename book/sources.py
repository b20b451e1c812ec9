"""Keep the notebooks' sources as the house wants them: stripped, and with one and the same install cell."""

from pathlib import Path

import nbformat

from . import settings

TEMPLATE = Path(__file__).with_name("install_cell.py")
ADDRESS = "https://github.com/lecture13-course/lecture13"


def install_cell() -> str:
    """The text of every notebook's install cell, with the address of ``_config.yml`` in it."""
    return TEMPLATE.read_text(encoding="utf-8").rstrip("\n").replace(ADDRESS, settings.repository_url())


def stamp(path: Path) -> bool:
    """Write the install cell into a notebook; True when that changed it.

    Raises:
        BuildError: when the notebook has no cell, or several, tagged ``install``.
    """
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if "install" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise settings.BuildError(f"{path.name} has {len(cells)} cells tagged 'install'; expected one")
    changed = cells[0].source != install_cell()
    if changed:
        cells[0].source = install_cell()
        write(notebook, path)
    return changed


def strip(path: Path) -> bool:
    """Take outputs, execution counts and runners' metadata out of a notebook; True when that changed it."""
    notebook = nbformat.read(path, as_version=4)
    before = nbformat.writes(notebook)
    notebook.metadata = {
        key: notebook.metadata[key] for key in ("kernelspec", "language_info") if key in notebook.metadata
    }
    notebook.metadata.get("language_info", {}).pop("version", None)  # differs by machine
    for cell in notebook.cells:
        for trace in ("papermill", "execution", "collapsed", "scrolled"):
            cell.metadata.pop(trace, None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    changed = nbformat.writes(notebook) != before
    if changed:
        write(notebook, path)
    return changed


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write beside, then rename."""
    beside = path.with_suffix(".part")
    nbformat.write(notebook, beside)
    beside.replace(path)
