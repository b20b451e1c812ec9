import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
import torch

import lecture13
from lecture13 import doctor

HOME = Path(lecture13.__file__).parents[1]


def findings(name):
    return [(fine, how) for fine, what, how in doctor.examine() if what == name]


def wheel(folder, name, version, requires=()):
    """A package of one empty module."""
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        info = f"{name}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def test_requirements_are_those_of_the_project():
    found = doctor.requirements()
    assert found["torch"].startswith("torch>=") and "pot" in found and "pywavelets" in found
    assert not {"pytest", "jupyter-book", "lmdb"} & set(found)  # extras


def test_it_runs_where_nothing_is_installed():
    # -S: no site-packages, so any import of a third-party package would fail
    code = f"import sys, runpy; sys.path.insert(0, {str(HOME)!r}); sys.argv[1:] = ['doctor']\n"
    code += "runpy.run_module('lecture13', run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and not done.stderr
    text = re.sub(r"\s+", " ", done.stdout)
    assert "!! missing: torch, torchvision" in text and "python -m lecture13 doctor --install-missing" in text
    assert "!! torch and torchvision: torch is missing" in text and "ok Python" in text


def test_what_is_missing_is_installed_and_what_is_pinned_stays(tmp_path):
    """A real pip, in an environment where only lecture13 and two of its dependencies are, and no network."""
    pip = pytest.importorskip("pip")
    shelf, package = tmp_path / "shelf", tmp_path / "source" / "lecture13"
    shelf.mkdir()
    package.mkdir(parents=True)
    for file in ("__init__.py", "__main__.py", "doctor.py"):
        (package / file).write_text((HOME / "lecture13" / file).read_text())
    project = '[project]\ndependencies = ["torch>=2", "numpy>=1", "absent>=1"]\n'
    (package.parent / "pyproject.toml").write_text(project)
    wheel(shelf, "torch", "2.6.0")
    wheel(shelf, "torch", "2.9.0")
    wheel(shelf, "numpy", "1.5")
    wheel(shelf, "numpy", "2.5")
    wheel(shelf, "absent", "1.1", ["numpy>=1"])
    wheel(shelf, "absent", "1.2", ["numpy>=2", "torch>=2.7"])  # the newest would take torch and numpy with it
    venv.create(tmp_path / "env")
    python = tmp_path / "env" / ("bin/python" if os.name == "posix" else "Scripts/python.exe")
    (site,) = (tmp_path / "env").rglob("site-packages")
    shutil.copytree(Path(pip.__file__).parent, site / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    for installed in ("torch-2.6.0", "numpy-1.5"):
        with zipfile.ZipFile(shelf / f"{installed}-py3-none-any.whl") as file:
            file.extractall(site)
    environment = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(shelf),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONPATH": str(package.parent),
    }

    def install_missing():
        command = [python, "-m", "lecture13", "doctor", "--install-missing"]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        return (
            done.returncode,
            done.stdout,
            {folder.name.removesuffix(".dist-info") for folder in site.glob("*.dist-info")},
        )

    status, said, there = install_missing()
    assert status == 0 and "Installing absent>=1; keeping torch==2.6.0, numpy==1.5" in said
    assert there == {"torch-2.6.0", "numpy-1.5", "absent-1.1"}
    assert install_missing()[:2] == (0, "Nothing is missing.\n")

    (shelf / "absent-1.1-py3-none-any.whl").unlink()
    shutil.rmtree(site / "absent-1.1.dist-info")
    status, said, there = install_missing()  # now only by breaking a pin
    assert status != 0 and "pip could not install absent>=1 beside torch==2.6.0, numpy==1.5" in said
    assert there == {"torch-2.6.0", "numpy-1.5"}


def test_without_pip_it_names_the_command(monkeypatch):
    said = []
    monkeypatch.setattr(doctor, "missing", lambda: ["absent>=1"])
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    assert doctor.install_missing(said.append) == 1
    assert "uv pip install --python" in said[-1] and '"absent>=1" "torch==' in said[-1]


def test_packages_that_are_too_old_are_named(monkeypatch):
    monkeypatch.setattr(doctor, "requirements", lambda: {"torch": "torch>=99", "numpy": "numpy>=1.2"})
    (found,) = findings("too old")
    assert found == (False, 'torch>=99: upgrade with `pip install "torch>=99"`')


def test_the_pair_that_is_here_fits():
    assert findings("torch and torchvision") == [
        (True, f"torch {torch.__version__} and torchvision {sys.modules['torchvision'].__version__} fit each other")
    ]


def test_a_torchvision_that_does_not_fit(monkeypatch, tmp_path):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    ((fine, how),) = findings("torch and torchvision")
    assert not fine and "does not fit it (operator torchvision::nms does not exist)" in how
    assert "pip install --upgrade torch torchvision" in how


@pytest.mark.skipif(os.name != "posix" or torch.cuda.is_available(), reason="the stand-in is a shell script")
def test_a_driver_that_is_too_old_for_this_torch(monkeypatch, tmp_path):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 470.82.01\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    ((fine, how),) = findings("device")
    assert not fine and "driver 470.82.01" in how and "Update the driver, or install torch for an older CUDA" in how


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU")
def test_no_gpu_is_fine():
    ((fine, how),) = findings("device")
    assert fine and how.startswith("CPU, ")


def test_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path / "new"))
    ((fine, how),) = findings("cache")
    assert fine and how.startswith(f"{tmp_path / 'new'} ($LECTURE13_DATA), can be written")
    (tmp_path / "file").touch()
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path / "file"))
    ((fine, how),) = findings("cache")
    assert not fine and "cannot write to" in how and "LECTURE13_DATA" in how


def test_data_here_and_not_here(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    ((fine, how),) = findings("data here")
    assert fine and {"digits", "scenes", "signs"} <= set(how.split(", "))
