"""Build the site from its staged sources with Jupyter Book, warnings fatal; the old site stays until the new stands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import keys, settings, vendor
from .stage import stage


def html_folder(profile: str) -> Path:
    """Where a profile's site lies: ``_build/html`` is the one that is published."""
    return settings.BUILD / "smoke" / "html" if profile == "smoke" else settings.BUILD / "html"


def publish(profile: str, *, solutions: bool = True, force: bool = False) -> tuple[Path, str]:
    """Build the site of ``profile`` where its sources have changed.

    Returns:
        The folder, and what was done.

    Raises:
        BuildError: when Jupyter Book fails or warns; the site that was there before stays.
    """
    html, work = html_folder(profile), settings.BUILD / f"stage-{profile}"
    source, stamp = work / "source", work / "stamp"
    stage(profile, source, vendor.fetch(), solutions=solutions)
    wanted = keys.tree_hash(source) + keys.file_hash(settings.ROOT / "requirements.txt", Path(__file__))
    if not force and html.exists() and stamp.exists() and stamp.read_text() == wanted:
        return html, "nothing changed"
    stamp.unlink(missing_ok=True)
    shutil.rmtree(work / "_build", ignore_errors=True)  # a warning of an unchanged page must come again
    book = shutil.which("jupyter-book", path=str(Path(sys.executable).parent)) or "jupyter-book"
    command = [book, "build", str(source), "--path-output", str(work), "-W", "-n", "--keep-going", "--quiet"]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(settings.ROOT), "PYTHONWARNINGS": "ignore::DeprecationWarning"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    (work / "log.txt").write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        raise settings.BuildError(
            f"Jupyter Book failed (warnings are errors), {work / 'log.txt'}:\n{done.stdout[-6000:]}"
        )
    replace(work / "_build" / "html", html)
    stamp.write_text(wanted)
    return html, "built"


def replace(new: Path, old: Path) -> None:
    """Put the folder ``new`` in the place of ``old``."""
    aside = old.with_name(f"{old.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    old.parent.mkdir(parents=True, exist_ok=True)
    if old.exists():
        old.rename(aside)
    new.rename(old)
    shutil.rmtree(aside, ignore_errors=True)
