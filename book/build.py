"""The command line of the publishing house, run in the course's environment (``book/make.py`` sets that up).

python -m book.build book       execute what changed, then build the site
python -m book.build execute    only execute
python -m book.build site       only build the site, from the executed copies there are
python -m book.build stamp      write the repository's address into the notebooks' install cells
python -m book.build strip      the same, and strip the notebooks' outputs
"""

import argparse
import ast
import errno
import os
import sys
import time

from . import settings, sources
from .execute import execute, executed_folder, report
from .publish import publish

DISK = {
    errno.ENOSPC: "the disk is full: make room, then run this again; what was finished is kept",
    errno.EROFS: "the disk is read-only: work in a copy that you may write to",
    errno.EACCES: "writing is not allowed there: work in a copy that you may write to",
    errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC: "your disk quota is used up: make room, run this again",
}


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="book.build", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in [
        ("book", "execute, then build"),
        ("execute", "execute what changed"),
        ("site", "build the site"),
    ]:
        command = commands.add_parser(name, help=text, description=text)
        default = os.environ.get("LECTURE13_PROFILE", "laptop")
        command.add_argument("--profile", default=default, help=f"smoke, laptop or full (now {default})")
        command.add_argument("--force", action="store_true", help="do everything again, changed or not")
        if name != "site":
            command.add_argument("--jobs", type=int, help="notebooks at once (one per core)")
            command.add_argument("--parameter", "-p", action="append", default=[], metavar="NAME=VALUE")
            command.add_argument("notebooks", nargs="*", help="only these: 09, or 09_fast_gradient_sign")
        if name != "execute":
            command.add_argument("--no-solutions", action="store_true", help="leave out the cells tagged 'solution'")
    for name, text in [("stamp", "write install cells"), ("strip", "strip outputs and write install cells")]:
        commands.add_parser(name, help=text, description=text)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 when all went well. Faults that a user can mend are told without a traceback."""
    options = parser().parse_args(arguments)
    try:
        if options.command in ("stamp", "strip"):
            return tidy(strip=options.command == "strip")
        if options.profile not in settings.PROFILES:
            known = ", ".join(settings.PROFILES)
            raise settings.BuildError(f"unknown profile {options.profile!r}; choose one of {known}")
        failed = run_notebooks(options) if options.command != "site" else 0
        if failed:
            if options.command == "book":
                print("\nThe site was not built; the one from before stays.", file=sys.stderr)
            return 1
        return 0 if options.command == "execute" else build_site(options)
    except settings.BuildError as error:
        print(f"\n{error}", file=sys.stderr)
    except OSError as error:
        if error.errno not in DISK:
            raise
        print(f"\ncannot write {error.filename or settings.BUILD}: {DISK[error.errno]}", file=sys.stderr)
    return 1


def run_notebooks(options: argparse.Namespace) -> int:
    """Execute what changed, print the table; the number of notebooks that failed."""
    results = execute(
        settings.notebook_paths(options.notebooks),
        executed_folder(options.profile),
        options.profile,
        parameters=dict(map(parameter, options.parameter)),
        force=options.force,
        jobs=options.jobs,
    )
    print(report(results, options.profile), flush=True)
    return sum(result.status == "failed" for result in results)


def build_site(options: argparse.Namespace) -> int:
    """Build the site and say where it is."""
    started = time.monotonic()
    solutions = settings.shows_solutions() and not options.no_solutions
    folder, what = publish(options.profile, solutions=solutions, force=options.force)
    without = "" if solutions else ", without solutions"
    print(f"\nsite: {what} in {time.monotonic() - started:.1f} s ({options.profile} profile{without})")
    print(f"open {folder.relative_to(settings.ROOT) / 'index.html'}", flush=True)
    return 0


def parameter(text: str) -> tuple[str, object]:
    """``NAME=VALUE`` with a Python literal or else a string as value."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise settings.BuildError(f"parameter {text!r}; expected NAME=VALUE, such as seed=1")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def tidy(*, strip: bool) -> int:
    """Write install cells, and with ``strip`` take outputs out; say which notebooks changed."""
    for path in settings.notebook_paths():
        changed = [sources.stamp(path), strip and sources.strip(path)]
        print(f"{path.name}: {'changed' if any(changed) else 'as it should be'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
