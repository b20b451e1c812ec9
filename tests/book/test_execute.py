import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from book import execute, keys, settings

CODE = """\
import sys
from pathlib import Path

from book.execute import execute

execute([Path(sys.argv[1])], Path(sys.argv[2]), "smoke")"""
HIDDEN = """\
import ipywidgets

output = ipywidgets.Output()
with output:
    raise ValueError("nobody sees this")
output"""


@pytest.fixture
def run(tmp_path):
    return lambda *paths, **options: execute.execute(list(paths), tmp_path / "executed", "smoke", **options)


def test_what_runs_what_fails_and_what_is_kept(run, write_notebook, tmp_path):
    good = write_notebook("01_good", "import os", "print(profile, os.environ['LECTURE13_STATIC'], os.listdir())")
    bad = write_notebook("02_bad", "print('before')", "1 / 0", "print('after')")
    hidden = write_notebook("03_hidden", HIDDEN)
    results = run(good, bad, hidden)
    assert [result.status for result in results] == ["executed", "failed", "failed"]
    assert "1 / 0" in results[1].note and "ZeroDivisionError" in results[1].note
    assert "ValueError: nobody sees this" in results[2].note
    report = execute.report(results, "smoke")
    assert all(name in report for name in ("01_good", "02_bad", "03_hidden", "ZeroDivisionError"))

    folder = tmp_path / "executed"
    copy = nbformat.read(folder / good.name, as_version=4)
    assert copy.cells[-1].outputs[0].text == "smoke 1 []\n"
    assert not (folder / bad.name).exists() and (folder / "failed" / bad.name).exists()
    assert sorted(path.name for path in folder.iterdir()) == ["01_good.ipynb", "01_good.key.json", "failed"]

    assert [result.status for result in run(good)] == ["kept"]
    write_notebook("01_good", "import os", "1 / 0")
    assert run(good)[0].status == "failed"
    assert nbformat.read(folder / good.name, as_version=4) == copy, "a copy is replaced only by one that ran"


def test_nothing_is_found_that_an_earlier_run_trained(run, write_notebook):
    path = write_notebook(
        "01_trains",
        "from lecture13.profile import runs_folder",
        "folder = runs_folder() / 'chapter'\nfolder.mkdir()\n(folder / 'run.ckpt').touch()",
    )
    assert [run(path, force=True)[0].status for _ in range(2)] == ["executed", "executed"]


def test_an_unknown_parameter_is_refused(run, write_notebook):
    result = run(write_notebook("01_good", "1 + 1"), parameters={"epsilonn": 1})[0]
    assert result.status == "failed"
    assert "unknown parameter epsilonn" in result.note and "profile, seed" in result.note


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
def test_a_killed_build_leaves_what_was_there(run, write_notebook, tmp_path):
    path, folder = write_notebook("01_good", "print(1)"), tmp_path / "executed"
    run(path)
    before = (folder / path.name).read_bytes(), (folder / "01_good.key.json").read_bytes()
    write_notebook("01_good", "import time", "time.sleep(600)")
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(path), str(folder)], cwd=settings.ROOT, start_new_session=True
    )
    limit = time.monotonic() + 120
    while not (folder / "01_good.part").exists() and time.monotonic() < limit:
        time.sleep(0.2)
    assert (folder / "01_good.part").exists()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert ((folder / path.name).read_bytes(), (folder / "01_good.key.json").read_bytes()) == before
    write_notebook("01_good", "print(2)")
    assert run(path)[0].status == "executed"


def test_a_key_that_was_cut_short_counts_as_none(tmp_path):
    (tmp_path / "key.json").write_text('{"parts": {"noteb')
    assert keys.read(tmp_path / "key.json") is None
