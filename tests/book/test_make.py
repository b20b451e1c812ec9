import ast
import subprocess
import sys
from types import SimpleNamespace

import pytest

from book import make, settings

MAKE = settings.ROOT / "book" / "make.py"
COMMANDS = [[str(MAKE)], ["-m", "book.build"], ["-m", "book.worker"], ["-m", "tests.notebooks.rerun"]]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """``make`` works on an empty folder; installers only note what they were asked for."""
    (tmp_path / "requirements.txt").write_text("torch==1\n")
    (tmp_path / "pyproject.toml").write_text("")
    venv, asked = tmp_path / ".venv", []
    venv.mkdir()
    (venv / "python").write_text("")
    monkeypatch.setattr(make, "ROOT", tmp_path)
    monkeypatch.setattr(make, "VENV", venv)
    monkeypatch.setattr(make, "PYTHON", venv / "python")
    monkeypatch.setattr(make, "STAMP", venv / "stamp")
    monkeypatch.setattr(make, "venv_version", lambda: sys.version_info[:2])
    monkeypatch.setattr(make, "install", lambda *arguments: asked.append(arguments))
    return asked


def test_set_up_is_done_once_and_again_when_the_lock_changes(installed, tmp_path):
    assert "installed" in make.setup()
    assert [arguments[1:] for arguments in installed[-2:]] == [
        ("-r", "requirements.txt"),
        ("--no-deps", "--editable", "."),
    ]
    assert make.setup() == "nothing to do"
    (tmp_path / "requirements.txt").write_text("torch==2\n")
    assert "installed" in make.setup()
    assert len(installed) % 2 == 0 and installed[: len(installed) // 2] == installed[len(installed) // 2 :]


def test_an_install_that_was_killed_is_done_again(installed, tmp_path, monkeypatch):
    make.setup()
    (tmp_path / "requirements.txt").write_text("torch==2\n")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(make, "install", killed)
    with pytest.raises(KeyboardInterrupt):
        make.setup()
    (tmp_path / "requirements.txt").write_text("torch==1\n")  # the old stamp would fit: it must be gone
    monkeypatch.setattr(make, "install", lambda *arguments: installed.append(arguments))
    assert "installed" in make.setup()


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_another_python_is_refused_with_a_way_out(monkeypatch, version):
    monkeypatch.setattr(make, "sys", SimpleNamespace(version_info=(*version, 0), exit=sys.exit))
    with pytest.raises(SystemExit, match=rf"Python 3.{version[1]} .* needs 3.11 to 3.13.*PYTHON="):
        make.check_python()


def test_a_stage_whose_ground_failed_is_not_run(monkeypatch):
    ran = []

    def run(name, command, timings, environment):
        ran.append(name)
        return name == "execute"

    monkeypatch.setattr(make, "run", run)
    timings = []
    assert make.test([], timings) is True
    assert ran == ["lint", "format", "unit", "execute"]
    assert [(name, result) for name, _, result in timings] == [
        ("notebooks", "not run: execute failed"),
        ("rerun", "not run: execute failed"),
        ("site", "not run: execute failed"),
        ("browser", "not run: site failed"),
    ]


def test_needs_nothing_but_the_standard_library():
    tree = ast.parse(MAKE.read_text(encoding="utf-8"))
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules <= sys.stdlib_module_names


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command):
    done = subprocess.run([sys.executable, *command, "--help"], cwd=settings.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


def test_the_users_own_index_is_asked_and_no_other(monkeypatch, tmp_path):
    monkeypatch.setattr(make, "PYTHON", sys.executable)
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    (tmp_path / "pip.conf").write_text("[global]\nextra-index-url = https://extra.example/simple\n")
    assert make.mirror() == {}
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://mirror.example/simple\n")
    assert make.mirror() == {"UV_DEFAULT_INDEX": "https://mirror.example/simple"}
