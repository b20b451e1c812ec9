"""Set up the environment, then do what is asked in it. Standard library only: a fresh machine needs nothing else.

    python book/make.py book     executes what changed, builds the site into _build/html
    python book/make.py test     lint, unit tests, notebooks, site, browser
    python book/make.py lab      JupyterLab on the notebooks
    python book/make.py clean    removes what was built (the environment stays; --all removes it too)
    python book/make.py stamp    writes the repository's address of _config.yml into the notebooks' install cells
    python book/make.py strip    the same, and strips the notebooks' outputs
    python book/make.py setup    the environment alone

What follows the target goes on to it: `python book/make.py book --help`.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "lecture13-stamp"
OLDEST, NEWEST = (3, 11), (3, 13)
CACHES = (".pytest_cache", ".ruff_cache", ".hypothesis")

# A stage of `make test`: name, command, the stages that it needs.
PYTEST = ["-m", "pytest"]
TESTS = [
    ("lint", ["-m", "ruff", "check", "."], ()),
    ("format", ["-m", "ruff", "format", "--check", "."], ()),
    ("unit", [*PYTEST, "tests", "--ignore=tests/notebooks", "--ignore=tests/site", "-n", "auto"], ()),
    ("execute", ["-m", "book.build", "execute", "--profile", "smoke"], ()),
    ("notebooks", [*PYTEST, "tests/notebooks"], ("execute",)),
    ("rerun", ["-m", "tests.notebooks.rerun"], ("execute",)),
    ("site", ["-m", "book.build", "site", "--profile", "smoke"], ("execute",)),
    ("browser", [*PYTEST, "tests/site"], ("site",)),
]


def main():
    """Parse the command line, set up, run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=["book", "test", "lab", "clean", "stamp", "strip", "setup"])
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="options of the target")
    arguments = parser.parse_args()
    if arguments.target == "clean":
        return clean(everything="--all" in arguments.rest)
    check_python()
    os.chdir(str(ROOT))
    timings = []
    try:
        timed(timings, "set-up", setup)
        if arguments.target == "test":
            failed = test(arguments.rest, timings)
        elif arguments.target == "lab":
            failed = run("lab", ["-m", "jupyter", "lab", "notebooks", *arguments.rest], timings)
        elif arguments.target != "setup":
            failed = run(arguments.target, ["-m", "book.build", arguments.target, *arguments.rest], timings)
        else:
            failed = False
    except KeyboardInterrupt:
        print("\nstopped; what was done stays, the next make goes on from there", file=sys.stderr)
        return 130
    table(timings)
    return int(failed)


def check_python():
    """Refuse a Python that the locked environment is not made for."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    wanted = ["python3.%d" % minor for minor in range(OLDEST[1], NEWEST[1] + 1)]  # noqa: UP031  old Pythons read this
    there = [name for name in wanted if shutil.which(name)]
    way_out = "try: make PYTHON=" + there[-1] if there else "install one of them, then: make PYTHON=python3.12"
    sys.exit("Python {}.{} runs this; the course needs 3.11 to 3.13. {}".format(*sys.version_info[:2], way_out))


def setup():
    """Make .venv hold what requirements.txt and pyproject.toml say; nothing to do when the stamp says that it does."""
    wanted = fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return "nothing to do"
    started = time.time()
    if venv_version() != sys.version_info[:2]:
        print("making .venv with Python {}.{}".format(*sys.version_info[:2]), flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
        if made.returncode:
            hint = "On Debian and Ubuntu: apt install python3-venv" if sys.platform == "linux" else ""
            sys.exit(f"{sys.executable} -m venv failed:\n{made.stdout}{made.stderr}\n{hint}")
    elif STAMP.exists():
        STAMP.unlink()  # from here until the end the environment is neither the old one nor the new one
    print("installing requirements.txt into .venv (torch with CUDA is several GB: some minutes)", flush=True)
    install("pip", "uv")  # installs in parallel and shares its cache between clones: a fifth of pip's time
    install("uv pip", "-r", "requirements.txt")
    install("uv pip", "--no-deps", "--editable", ".")
    STAMP.write_text(wanted)
    return f"installed in {time.time() - started:.0f} s"


def fingerprint():
    """What the environment depends on, as a hash."""
    parts = [sys.version.encode(), str(ROOT).encode()]
    parts += [(ROOT / name).read_bytes() for name in ("requirements.txt", "pyproject.toml")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def venv_version():
    """The (major, minor) of .venv's Python; None where there is none that runs."""
    try:
        found = subprocess.run(
            [str(PYTHON), "-c", "import sys, pip; print(*sys.version_info[:2])"], capture_output=True, text=True
        )
    except OSError:
        return None
    return tuple(map(int, found.stdout.split())) if found.returncode == 0 else None


def install(installer, *arguments):
    """Install into .venv with ``pip`` or ``uv pip``; errors are shown, progress is a clock."""
    command = [str(PYTHON), "-m", *installer.split(), "install", "-q", *arguments]
    environment = {**mirror(), **os.environ, "VIRTUAL_ENV": str(VENV), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment["UV_COMPILE_BYTECODE"] = "1"  # pip does so by itself; else each start of a kernel may compile anew
    process = subprocess.Popen(command, env=environment)
    started = time.time()
    while process.poll() is None:
        time.sleep(0.5)
        if sys.stdout.isatty():
            packages = sum(1 for _ in VENV.glob("**/site-packages/*.dist-info"))
            print(f"\r  {time.time() - started:.0f} s, {packages} packages in place", end="", flush=True)
    if sys.stdout.isatty():
        print("\r" + " " * 50, end="\r")
    if process.returncode:
        sys.exit(f"{installer} could not install {' '.join(arguments)} (its message is above). Run make again.")


def mirror():
    """The user's own package index, where pip is told of one, in the words of uv."""
    settings = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    found = re.findall(r"^[^=]*\.index-url='(.+)'$", settings, re.MULTILINE)
    return {"UV_DEFAULT_INDEX": found[0]} if found else {}


def test(rest, timings):
    """Run the stages of the proof one after the other; a stage whose ground failed is not run."""
    parser = argparse.ArgumentParser(prog="make.py test", description="Prove the package, the notebooks and the site.")
    names = [name for name, _, _ in TESTS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="STAGE", help=", ".join(names))
    only = parser.parse_args(rest).only
    failed = set()
    for name, command, needs in TESTS:
        if name in only and not failed.intersection(needs):
            if run(name, command, timings, {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}):
                failed.add(name)
        elif name in only:
            failed.add(name)
            timings.append((name, 0.0, "not run: {} failed".format(" and ".join(sorted(failed.intersection(needs))))))
    return bool(failed)


def run(name, command, timings, environment=None):
    """Run Python of the environment; True when it failed."""
    print(f"\n── {name}", flush=True)
    started = time.time()
    code = subprocess.call([str(PYTHON), *command], env={**os.environ, "PYTHONUTF8": "1", **(environment or {})})
    timings.append((name, time.time() - started, "failed" if code else "passed" if environment else "done"))
    return code != 0


def timed(timings, name, function):
    """Run a function that says what it did, and note its seconds."""
    started = time.time()
    said = function()
    timings.append((name, time.time() - started, said))


def table(timings):
    """Print the seconds of each stage."""
    print(f"\n{'stage':<12}{'seconds':>9}  result")
    for name, seconds, result in timings:
        print(f"{name:<12}{seconds:>9.1f}  {result}")
    print(f"{'total':<12}{sum(seconds for _, seconds, _ in timings):>9.1f}", flush=True)


def clean(everything):
    """Remove what was built; with ``everything`` the environment too."""
    there = [ROOT / name for name in ("_build", *CACHES, *([".venv"] if everything else [])) if (ROOT / name).exists()]
    for path in there:
        shutil.rmtree(str(path))
        print("removed", path.name)
    if not there:
        print("nothing to remove")
    return 0


if __name__ == "__main__":
    sys.exit(main())
