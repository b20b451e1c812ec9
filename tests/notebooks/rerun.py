"""Run every executed copy a second time, as in Colab: alone in a folder, with lecture13 installed from a wheel.

nbval compares the outputs of both runs, cell by cell (text, HTML, SVG; cells tagged ``timing`` run, but are not
compared). After each check cell a further one proves the exercise: the stub is "not attempted", forced it fails, and
the solution passes.

    python -m tests.notebooks.rerun            all
    python -m tests.notebooks.rerun 09         some
"""

import argparse
import importlib.metadata
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from book import execute, settings
from tests.notebooks import proof

FOLDER = settings.BUILD / "rerun"
IGNORE = "nbval-ignore-output"
#: What differs between two runs without meaning anything: addresses of objects, ids of widgets and of HTML elements.
SANITIZE = r"""
[address]
regex: 0x[0-9a-f]{6,}
replace: ADDRESS
[model]
regex: IPY_MODEL_[0-9a-f]{32}
replace: MODEL
"""


def main() -> int:
    """Install the wheel, lay out the copies, run nbval on them; pytest's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", help="only these: 09, or 09_fast_gradient_sign")
    names = parser.parse_args().notebooks
    shutil.rmtree(FOLDER, ignore_errors=True)
    copies = FOLDER / "notebooks"
    copies.mkdir(parents=True)
    library = install_wheel(FOLDER / "library")
    for path in settings.notebook_paths(names):
        copy = nbformat.read(execute.executed_folder("smoke") / path.name, as_version=4)
        nbformat.write(instrumented(copy, library), copies / path.name)
    (FOLDER / "sanitize.cfg").write_text(SANITIZE, encoding="utf-8")
    environment = {**execute.environment("smoke"), "PYTHONPATH": str(library), "LECTURE13_RUNS": str(FOLDER / "runs")}
    environment["TORCH_VERSION"] = importlib.metadata.version("torch")
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", str(FOLDER / "sanitize.cfg")]
    workers = ["-n", str(min(execute.cores(), len(list(copies.iterdir())))), "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", *options, *workers, "-p", "no:cacheprovider", str(copies)]
    return subprocess.call(command, cwd=FOLDER, env=environment)


def install_wheel(target: Path) -> Path:
    """Build the wheel of the working tree, and install it alone into ``target``."""
    wheels = FOLDER / "wheel"
    for command in (
        ["build", "--wheel", "--outdir", str(wheels), str(settings.ROOT)],
        ["pip", "install", "-qq", "--disable-pip-version-check", "--no-deps", "--target", str(target)],
    ):
        wheel = [str(path) for path in wheels.glob("*.whl")]
        done = subprocess.run([sys.executable, "-m", *command, *wheel], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return target


def instrumented(notebook: nbformat.NotebookNode, library: Path) -> nbformat.NotebookNode:
    """A copy of an executed notebook that proves its exercises, and where its lecture13 comes from."""
    cells, stub, check = [], None, None
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "timing" in tags:
            cell.metadata.tags.append(IGNORE)
        if "solution" in tags:  # put after the check: hint and solution are text
            solution = re.search(r"```python\n(.*?)```", cell.source, re.DOTALL).group(1)
            cells.append(_silent(f"{inspect.getsource(proof)}\n\nprove(globals(), {stub!r}, {check!r}, {solution!r})"))
        stub = cell.source if "exercise" in tags else stub
        check = cell.source if "check" in tags else check
        cells.append(cell)
        if "install" in tags:
            cells.append(_silent(ORIGIN.format(library=str(library))))
    notebook.cells = cells
    return notebook


ORIGIN = """\
import importlib.metadata
import os

import lecture13

assert lecture13.__file__.startswith({library!r}), lecture13.__file__
assert os.listdir() and all(name.endswith(".ipynb") for name in os.listdir()), "the notebook should need no file"
assert importlib.metadata.version("torch") == os.environ["TORCH_VERSION"]
"""


def _silent(source: str) -> nbformat.NotebookNode:
    return new_code_cell(source, metadata={"tags": [IGNORE]}, execution_count=None)


if __name__ == "__main__":
    os.chdir(settings.ROOT)
    sys.exit(main())
