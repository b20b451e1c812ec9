import nbformat
import pytest

from book import settings, sources


def test_the_address_of_the_settings_is_written_into_the_install_cell(write_notebook, monkeypatch):
    path = write_notebook("01_good", "1 + 1")
    monkeypatch.setattr(settings, "repository_url", lambda: "https://example.org/my/fork")
    assert sources.stamp(path) is True
    cell = nbformat.read(path, as_version=4).cells[1]
    assert '"git+https://example.org/my/fork"' in cell.source
    assert "lecture13-course" not in cell.source
    assert sources.stamp(path) is False


def test_the_template_holds_the_address_that_is_replaced():
    assert sources.TEMPLATE.read_text().count(sources.ADDRESS) == 1


def test_a_notebook_without_install_cell_is_named(write_notebook):
    path = write_notebook("01_good")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.pop(1)
    nbformat.write(notebook, path)
    with pytest.raises(settings.BuildError, match=r"01_good\.ipynb has 0 cells"):
        sources.stamp(path)


def test_strip_takes_outputs_and_traces_and_keeps_the_rest(write_notebook):
    path = write_notebook("01_good", "1 + 1")
    clean = nbformat.read(path, as_version=4)
    dirty = nbformat.read(path, as_version=4)
    dirty.metadata.papermill = {"duration": 3}
    dirty.cells[-1].metadata.execution = {"started": "now"}
    dirty.cells[-1].metadata.mystnb = {"image": {"alt": "two"}}
    dirty.cells[-1].execution_count = 1
    dirty.cells[-1].outputs = [nbformat.v4.new_output("stream", text="2")]
    nbformat.write(dirty, path)
    assert sources.strip(path) is True
    clean.cells[-1].metadata.mystnb = {"image": {"alt": "two"}}
    assert nbformat.read(path, as_version=4) == clean
    assert sources.strip(path) is False
