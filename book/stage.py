"""Lay out the sources of the site: pages, executed copies and assets, changed as the profile and the settings ask.

``book/`` and ``notebooks/`` are laid side by side: ``book/intro.md`` becomes ``intro.md``.
"""

import shutil
from pathlib import Path

import nbformat
import yaml

from . import settings
from .execute import executed_folder

SMOKE_BANNER = (
    "<strong>Smoke build.</strong> Everything here was cut small to prove that it runs: the numbers are no results."
)
PAGES = ("*.md", "parts/*.md", "*.bib")
SCOREBOARD = "<!-- scoreboard -->"


def stage(profile: str, target: Path, vendored: Path, *, solutions: bool = True) -> None:
    """Write the site's sources into ``target``, afresh.

    Args:
        profile: whose executed copies to take; ``smoke`` puts a banner on every page.
        target: folder, emptied first.
        vendored: what pages load (:func:`book.vendor.fetch`).
        solutions: False leaves out the cells tagged ``solution``.

    Raises:
        BuildError: when a page of ``_toc.yml`` is missing, or a notebook has no executed copy.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    book = settings.ROOT / "book"
    for page in sorted(path for pattern in PAGES for path in book.glob(pattern)):
        place = target / page.relative_to(book)
        place.parent.mkdir(exist_ok=True)
        place.write_text(_filled(page.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copytree(book / "assets", target / "assets")
    shutil.copytree(vendored, target / "assets" / "vendor")
    config = settings.config()
    config.pop("course", None)
    if profile == "smoke":
        config.setdefault("html", {})["announcement"] = SMOKE_BANNER
    (target / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")
    shutil.copy(settings.ROOT / "_toc.yml", target)
    (target / "notebooks").mkdir()
    for source in settings.notebook_paths():
        copy = executed_folder(profile) / source.name
        if not copy.exists():
            raise settings.BuildError(
                f"{source.name} has no executed copy: python book/make.py book --profile {profile}"
            )
        page = published(nbformat.read(copy, as_version=4), solutions=solutions)
        nbformat.write(page, target / "notebooks" / source.name)
    missing = [name for name in toc_files() if not any((target / f"{name}{end}").exists() for end in (".md", ".ipynb"))]
    if missing:
        raise settings.BuildError(f"_toc.yml names pages that are not there: {', '.join(missing)}")


def published(notebook: nbformat.NotebookNode, *, solutions: bool) -> nbformat.NotebookNode:
    """An executed copy as readers get it: without the runner's traces, and without solutions where asked."""
    notebook.metadata.pop("papermill", None)
    dropped = {"injected-parameters"} | (set() if solutions else {"solution"})
    notebook.cells = [cell for cell in notebook.cells if not dropped & set(cell.metadata.get("tags", []))]
    for before, cell in zip([None, *notebook.cells], notebook.cells, strict=False):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        announced = before is not None and before.cell_type == "markdown" and before.source.rstrip().endswith(":")
        if _writes_prose(cell) and not announced:  # the words first; the f-string that wrote them opens with a click
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
    return notebook


def _writes_prose(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell only puts numbers into sentences: it shows Markdown and nothing else, and imports nothing."""
    if cell.cell_type != "code" or not cell.outputs or "import " in cell.source:
        return False
    return all("text/markdown" in out.get("data", {}) and "text/html" not in out.data for out in cell.outputs)


def toc_files() -> list[str]:
    """Every page that ``_toc.yml`` names, without its ending."""
    toc = yaml.safe_load((settings.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(name for part in toc["parts"] for name in _files(part["chapters"]))]


def _files(entries: list[dict]) -> list[str]:
    return [name for entry in entries for name in (entry["file"], *_files(entry.get("sections", [])))]


def _filled(page: str) -> str:
    """A page with the scoreboard put in where it asks for it."""
    if SCOREBOARD not in page:
        return page
    from lecture13 import papers  # imports torch: for this page alone

    return page.replace(SCOREBOARD, papers.scoreboard_markdown())
