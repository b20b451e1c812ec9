import nbformat
import pytest

from book import keys


@pytest.fixture
def key(tmp_path, monkeypatch, write_notebook):
    """The key of a notebook in a small copy of the house, and ways to change what it depends on."""
    (tmp_path / "lecture13").mkdir()
    (tmp_path / "lecture13" / "science.py").write_text("truth = 1\n")
    (tmp_path / "requirements.txt").write_text("torch==1\n")
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path / "data"))
    write_notebook("01_good", "1 + 1")
    path = tmp_path / "notebooks" / "01_good.ipynb"
    return lambda profile="smoke", parameters=None: keys.parts(path, profile, parameters or {}, root=tmp_path)


CHANGES = {
    "notebook": lambda root, write: write("01_good", "1 + 2"),
    "package": lambda root, write: (root / "lecture13" / "science.py").write_text("truth = 2\n"),
    "lock file": lambda root, write: (root / "requirements.txt").write_text("torch==2\n"),
    "data": lambda root, write: (root / "data" / "mnist.gz").write_bytes(b"images"),
}


@pytest.mark.parametrize("part", CHANGES)
def test_a_change_is_named(key, part, tmp_path, write_notebook):
    before = key()
    assert keys.changed(before, key()) == []
    CHANGES[part](tmp_path, write_notebook)
    assert keys.changed(before, key()) == [part]


def test_profile_and_parameters_count(key):
    assert keys.changed(key(), key(profile="laptop")) == ["profile"]
    assert keys.changed(key(), key(parameters={"seed": 1})) == ["parameters"]


def test_a_new_file_in_the_package_counts_and_a_cache_does_not(key, tmp_path):
    before = key()
    (tmp_path / "lecture13" / "__pycache__").mkdir()
    (tmp_path / "lecture13" / "__pycache__" / "science.pyc").write_bytes(b"x")
    assert keys.changed(before, key()) == []
    (tmp_path / "lecture13" / "more.py").write_text("")
    assert keys.changed(before, key()) == ["package"]


def test_outputs_do_not_count(key, tmp_path):
    before, path = key(), tmp_path / "notebooks" / "01_good.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].execution_count = 3
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="2")]
    nbformat.write(notebook, path)
    assert keys.changed(before, key()) == []


def test_checkpoints_in_the_data_folder_do_not_count(key, tmp_path):
    before = key()
    (tmp_path / "data" / "zoo").mkdir()
    (tmp_path / "data" / "zoo" / "lenet.ckpt").write_bytes(b"x")
    assert keys.changed(before, key()) == []
