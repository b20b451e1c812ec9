"""Execute one notebook with papermill, in a process of its own; tell the parent about every cell in a line of JSON.

python -m book.worker SOURCE TARGET --parameters '{"profile": "smoke"}'
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError


def known_parameters(source: Path) -> set[str]:
    """The names that the cell tagged ``parameters`` sets."""
    return set(papermill.inspect_notebook(str(source)))


def execute(source: Path, target: Path, parameters: dict, folder: str) -> None:
    """Run every cell in ``folder``; a kernel that dies before it has answered is started again, twice at most.

    A kernel's ports are looked up before it starts, and two that start at once may be given the same.
    """
    for again in (True, True, False):
        try:
            papermill.execute_notebook(
                str(source),
                str(target),
                parameters,
                progress_bar=False,
                kernel_name="python3",
                cwd=folder,
                on_cell_complete=lambda cell, cell_index: tell(done=cell_index + 1),
            )
            return
        except RuntimeError as error:
            if not (again and "before replying to kernel_info" in str(error)):
                raise


def main() -> int:
    """Execute; 0 when every cell ran, 1 when one failed, 2 when a parameter is unknown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path, help="the executed copy; written also when a cell fails")
    parser.add_argument("--parameters", type=json.loads, default={}, help="a JSON object")
    arguments = parser.parse_args()
    known = known_parameters(arguments.source)
    unknown = sorted(set(arguments.parameters) - known)
    if unknown:  # papermill only warns
        tell(error=f"unknown parameter {', '.join(unknown)}; this notebook has: {', '.join(sorted(known)) or 'none'}")
        return 2
    tell(cells=len(nbformat.read(arguments.source, as_version=4).cells))
    with tempfile.TemporaryDirectory() as empty:  # a notebook needs no file beside it
        try:
            execute(arguments.source.resolve(), arguments.target.resolve(), arguments.parameters, empty)
        except PapermillExecutionError as error:
            trace = "\n".join(error.traceback)
            tell(error=f"this cell:\n\n{error.source}\n\n{trace}")
            return 1
        except DeadKernelError as error:  # killed for memory, most often
            tell(error=f"the kernel died: {error}")
            return 1
    return 0


def tell(**message) -> None:
    """One line of JSON to the parent."""
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main())
