"""Execute the notebooks that changed, as many at once as there are cores, one torch thread each."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from tqdm import tqdm

from . import keys, scan, settings

ANSI = re.compile("\x1b\\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Result:
    """What became of one notebook: ``status`` is ``kept``, ``executed`` or ``failed``; ``note`` says why."""

    name: str
    seconds: float
    status: str
    note: str = ""


def executed_folder(profile: str) -> Path:
    """Where the executed copies of a profile and their keys lie."""
    return settings.BUILD / "executed" / profile


def environment(profile: str) -> dict[str, str]:
    """What kernels see: one thread each, no progress bars, pre-rendered widgets, hashes that do not change."""
    return {
        **os.environ,
        "LECTURE13_PROFILE": profile,
        "LECTURE13_STATIC": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TQDM_DISABLE": "1",
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # a debugger's word about frozen modules, on stderr
        "PYTHONPATH": os.pathsep.join(filter(None, [str(settings.ROOT), os.environ.get("PYTHONPATH")])),
    }


def execute(
    sources: list[Path],
    target: Path,
    profile: str,
    *,
    parameters: dict | None = None,
    force: bool = False,
    jobs: int | None = None,
) -> list[Result]:
    """Bring the executed copies in ``target`` up to date with their sources.

    A copy is replaced only by one that ran to its end and hides no error; a failed one goes to ``target/failed``.

    Args:
        sources: notebooks.
        target: folder of the executed copies and of their keys (``NAME.key.json``).
        profile: ``smoke``, ``laptop`` or ``full``; handed to the notebook's parameter ``profile``.
        parameters: further parameters; an unknown one fails the notebook.
        force: execute all, changed or not.
        jobs: notebooks at once; None: one per core.

    Returns:
        One :class:`Result` per source, in order.
    """
    target.mkdir(parents=True, exist_ok=True)
    parameters = {"profile": profile, **(parameters or {})}
    results: dict[str, Result] = {}
    todo = []
    for source in sources:
        copy, key_file = target / source.name, target / f"{source.stem}.key.json"
        key, old = keys.parts(source, profile, parameters), keys.read(key_file)
        why = ["forced"] if force else keys.changed(old and old["parts"], key)
        if why or not copy.exists():
            todo.append((old["seconds"] if old else float("inf"), source, key, ", ".join(why) or "copy missing"))
        else:
            results[source.stem] = Result(source.stem, old["seconds"], "kept", "nothing changed")
    todo.sort(key=lambda entry: -entry[0])  # the long ones first: cores finish together
    with Display(len(todo)) as display, ThreadPoolExecutor(jobs or cores()) as pool:
        for result in pool.map(lambda entry: _execute_one(*entry[1:], target, profile, parameters, display), todo):
            results[result.name] = result
    return [results[source.stem] for source in sources]


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _execute_one(source: Path, key: dict, why: str, target: Path, profile: str, parameters: dict, display) -> Result:
    partial = target / f"{source.stem}.part"
    command = [sys.executable, "-m", "book.worker", str(source), str(partial), "--parameters", json.dumps(parameters)]
    started, error, log = time.monotonic(), None, target / f"{source.stem}.log"
    display.start(source.stem)
    # a folder of its own for each: what is published was trained by the cell that shows it, not found in a cache
    with log.open("w", encoding="utf-8") as stderr, tempfile.TemporaryDirectory() as runs:
        kernel = {**environment(profile), "LECTURE13_RUNS": runs}
        process = subprocess.Popen(
            command, cwd=settings.ROOT, env=kernel, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        for line in process.stdout:
            message = json.loads(line)
            error = message.get("error", error)
            display.update(source.stem, message)
        process.wait()
    seconds = time.monotonic() - started
    if process.returncode and not error:
        error = f"the worker stopped with exit code {process.returncode}:\n{log.read_text(encoding='utf-8')[-3000:]}"
    log.unlink()
    if not error:
        hidden = scan.hidden_errors(nbformat.read(partial, as_version=4))
        error = "errors hidden in its outputs:\n" + "\n".join(hidden) if hidden else None
    if error:
        failed = target / "failed" / source.name
        failed.parent.mkdir(exist_ok=True)
        if partial.exists():
            shutil.move(partial, failed)
        result = Result(source.stem, seconds, "failed", error if sys.stdout.isatty() else ANSI.sub("", error))
    else:
        partial.replace(target / source.name)
        keys.write(target / f"{source.stem}.key.json", {"parts": key, "seconds": seconds})
        (target / "failed" / source.name).unlink(missing_ok=True)
        result = Result(source.stem, seconds, "executed", why)
    display.finish(result)
    return result


class Display:
    """Progress over the cells of all notebooks: a bar on a terminal, a line per notebook elsewhere."""

    def __init__(self, notebooks: int):
        self.running: dict[str, str] = {}
        self.done = 0
        self.notebooks = notebooks
        self.bar = tqdm(total=0, unit="cell", desc="executing", disable=not sys.stderr.isatty() or not notebooks)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()

    def start(self, name: str) -> None:
        """A notebook begins."""
        self.running[name] = "…"
        self._show()

    def update(self, name: str, message: dict) -> None:
        """A worker's message: how many cells there are, or how many are done."""
        if "cells" in message:
            self.bar.total += message["cells"]
        if "done" in message:
            self.running[name] = str(message["done"])
            self.bar.update()
        self._show()

    def finish(self, result: Result) -> None:
        """A notebook ends."""
        self.running.pop(result.name, None)
        self.done += 1
        what = "FAILED" if result.status == "failed" else result.status
        tqdm.write(f"{what} {result.name} in {result.seconds:.1f} s ({self.done} of {self.notebooks})", file=sys.stdout)
        sys.stdout.flush()
        self._show()

    def _show(self) -> None:
        self.bar.set_postfix_str(", ".join(f"{name.split('_')[0]}: cell {at}" for name, at in self.running.items()))


def report(results: list[Result], profile: str) -> str:
    """The table of seconds per notebook, and what failed with its cell and traceback."""
    width = max([len(result.name) for result in results] + [8])
    lines = [f"\n{'notebook':<{width}}{'seconds':>9}  {profile} profile"]
    for result in results:
        note = "its cell and traceback are below" if result.status == "failed" else result.note
        lines.append(f"{result.name:<{width}}{result.seconds:>9.1f}  {result.status} ({note})")
    for result in results:
        if result.status == "failed":
            lines.append(f"\n── {result.name} failed\n{result.note}")
    return "\n".join(lines)
