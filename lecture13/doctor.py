"""What is here and what is missing: Python, packages, torch and its torchvision, the device, the cache, the data.

Imports nothing but the standard library until it is asked, since it is what runs where everything else is missing.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

#: What an installation must leave as it is: Colab's torch fits its driver, and the rest fits that torch.
PINNED = ("torch", "torchvision", "numpy")

#: One finding: (fine?, what, how it stands).
Line = tuple[bool, str, str]


def examine() -> Iterator[Line]:
    """All findings, in order; each is looked up only when it is asked for."""
    yield sys.version_info >= (3, 11), "Python", f"{platform.python_version()} on {platform.platform(terse=True)}"
    yield from _packages()
    yield _guarded("torch and torchvision", _pair)
    yield _guarded("device", _device)
    yield _guarded("cache", _cache)
    yield from _data()


def requirements() -> dict[str, str]:
    """What lecture13 depends on: package → requirement, ``"torch": "torch>=2.6"``; extras left out."""
    try:
        lines = importlib.metadata.requires("lecture13") or []
    except importlib.metadata.PackageNotFoundError:  # run from its source folder
        project = Path(__file__).parents[1] / "pyproject.toml"
        lines = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    lines = [line for line in lines if "extra ==" not in line]
    return {re.match(r"[A-Za-z0-9._-]+", line)[0].lower(): line for line in lines}


def missing() -> list[str]:
    """The requirements whose package is not installed."""
    return [line for name, line in requirements().items() if version(name) is None]


def version(package: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def install_missing(say: Callable[[str], None]) -> int:
    """Install what is missing with pip; torch, torchvision and numpy stay as they are. pip's exit status."""
    wanted = missing()
    if not wanted:
        say("Nothing is missing.")
        return 0
    pins = [f"{name}=={version(name)}" for name in PINNED if version(name)]
    say(f"Installing {', '.join(wanted)}" + (f"; keeping {', '.join(pins)}" if pins else ""))
    if importlib.util.find_spec("pip") is None:
        say(f"This Python has no pip. With uv: uv pip install --python {sys.executable} {_quoted(wanted + pins)}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *wanted]
        status = subprocess.run(command, check=False).returncode
    importlib.invalidate_caches()
    if status or missing():
        say(f"pip could not install {', '.join(missing() or wanted)} beside {', '.join(pins)}: what it says is above.")
        return status or 1
    return 0


def _packages() -> Iterator[Line]:
    found = {name: version(name) for name in requirements()}
    absent = [name for name, number in found.items() if number is None]
    yield True, "installed", ", ".join(f"{name} {number}" for name, number in found.items() if number)
    if absent:
        yield False, "missing", f"{', '.join(absent)}: run `python -m lecture13 doctor --install-missing`"
    too_old = list(_too_old(found))
    if too_old:
        yield False, "too old", f"{', '.join(too_old)}: upgrade with `pip install {_quoted(too_old)}`"


def _too_old(found: dict[str, str | None]) -> Iterator[str]:
    try:
        from packaging.requirements import Requirement
    except ImportError:  # it comes with the dependencies
        return
    for name, line in requirements().items():
        if found[name] and not Requirement(line).specifier.contains(found[name], prereleases=True):
            yield line


def _pair() -> tuple[bool, str]:
    if version("torch") is None:
        return False, "torch is missing: pytorch.org/get-started/locally names the build that fits this machine"
    import torch

    try:
        import torchvision

        torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return False, (
            f"torch {torch.__version__} runs, but torchvision {version('torchvision')} does not fit it ({reason}). "
            f"Install both at once, of one release: `pip install --upgrade torch torchvision`"
        )
    return True, f"torch {torch.__version__} and torchvision {torchvision.__version__} fit each other"


def _device() -> tuple[bool, str]:
    import torch

    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
        torch.ones(1, device="cuda").add_(1).item()  # a build without kernels for this GPU fails here, not later
        return True, f"CUDA {torch.version.cuda}: {names}" + _driver(", driver {}")
    if driver := _driver("{}"):
        build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU alone"
        return False, (
            f"an NVIDIA GPU with driver {driver} is here, but this torch is built for {build} and does not run on it. "
            f"Update the driver, or install torch for an older CUDA: pytorch.org/get-started/locally"
        )
    if torch.backends.mps.is_available():
        return True, "MPS (Apple's GPU)"
    return True, f"CPU, {os.cpu_count()} cores, {torch.get_num_threads()} threads; no GPU found"


def _driver(form: str) -> str:
    """The version of NVIDIA's driver, set into ``form``; "" without a GPU."""
    if shutil.which("nvidia-smi") is None:
        return ""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    lines = answer.stdout.split()
    return form.format(lines[0]) if answer.returncode == 0 and lines else ""


def _cache() -> tuple[bool, str]:
    from lecture13 import checkpoints
    from lecture13.profile import data_folder

    folder = data_folder()
    origin = "$LECTURE13_DATA" if os.environ.get("LECTURE13_DATA") else "the platform's cache folder"
    checkpoints.writable(folder)
    free = shutil.disk_usage(folder).free / 2**30
    return True, f"{folder} ({origin}), can be written, {free:.0f} GiB free"


def _data() -> Iterator[Line]:
    try:
        from lecture13 import data

        here = [name for name in data.names() if data.available(name)]
        absent = [name for name in data.names() if name not in here]
    except Exception as error:
        yield False, "data", f"cannot be looked up: {error}"
        return
    yield True, "data here", ", ".join(here)
    if absent:
        yield (
            True,
            "not downloaded",
            f"{', '.join(absent)} (wanted by the full profile; data.load says how to get each)",
        )


def _guarded(what: str, look: Callable[[], tuple[bool, str]]) -> Line:
    """A doctor names what fails and goes on."""
    try:
        fine, how = look()
    except Exception as error:
        fine, how = False, f"{type(error).__name__}: {error}"
    return fine, what, how


def _quoted(lines: list[str]) -> str:
    return " ".join(f'"{line}"' for line in lines)
