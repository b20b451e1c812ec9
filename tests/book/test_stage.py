import nbformat
import pytest
import yaml

from book import settings, stage


@pytest.fixture
def house(tmp_path, monkeypatch, write_notebook):
    """A small house: one page, one notebook with a solution, executed at ``smoke``."""
    book = tmp_path / "book"
    (book / "assets").mkdir(parents=True)
    (book / "intro.md").write_text("# Hello\n")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "_toc.yml").write_text(
        yaml.safe_dump({"root": "intro", "parts": [{"chapters": [{"file": "notebooks/01_good"}]}]})
    )
    (tmp_path / "_config.yml").write_text(yaml.safe_dump({"course": {"solutions": False}, "title": "t"}))
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    monkeypatch.setattr(settings, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(settings, "NOTEBOOKS", tmp_path / "notebooks")
    source = write_notebook("01_good", "1 + 1", solution="the answer")
    executed = nbformat.read(source, as_version=4)
    executed.metadata.papermill = {"input_path": "somewhere"}
    executed.cells[-2].metadata.papermill = {"duration": 1}
    injected = nbformat.v4.new_code_cell('profile = "smoke"', metadata={"tags": ["injected-parameters"]})
    executed.cells.insert(3, injected)
    copy = tmp_path / "_build" / "executed" / "smoke" / source.name
    copy.parent.mkdir(parents=True)
    nbformat.write(executed, copy)
    return tmp_path


def staged(house, **options):
    target = house / "_build" / "source"
    stage.stage("smoke", target, house / "vendor", **options)
    return target


def test_the_runners_traces_are_gone(house):
    text = (staged(house) / "notebooks" / "01_good.ipynb").read_text()
    assert "papermill" not in text and "injected-parameters" not in text
    assert "1 + 1" in text and "the answer" in text


def test_solutions_are_left_out_where_asked(house):
    assert settings.shows_solutions() is False
    assert "the answer" not in (staged(house, solutions=False) / "notebooks" / "01_good.ipynb").read_text()


def test_smoke_puts_a_banner_on_every_page_and_own_settings_stay_out(house):
    config = yaml.safe_load((staged(house) / "_config.yml").read_text())
    assert config["html"]["announcement"] == stage.SMOKE_BANNER
    assert "course" not in config


def test_a_page_that_is_not_there_is_named(house):
    (house / "_toc.yml").write_text(
        "root: intro\nparts: [{chapters: [{file: parts/a, sections: [{file: parts/b}]}]}]\n"
    )
    with pytest.raises(settings.BuildError, match="parts/a, parts/b"):
        staged(house)


def test_a_notebook_that_was_not_executed_is_named(house):
    (house / "_build" / "executed" / "smoke" / "01_good.ipynb").unlink()
    with pytest.raises(settings.BuildError, match=r"01_good.ipynb .* --profile smoke"):
        staged(house)


def test_settings_say_what_they_expect(house):
    (house / "_config.yml").write_text("course: {solutions: maybe}\nrepository: {url: my fork}\n")
    with pytest.raises(settings.BuildError, match="'maybe'"):
        settings.shows_solutions()
    with pytest.raises(settings.BuildError, match="'my fork'"):
        settings.repository_url()
    with pytest.raises(settings.BuildError, match=r"no notebook '77' .* 01_good"):
        settings.notebook_paths(["77"])


def test_code_that_only_writes_sentences_is_closed_and_no_other():
    def shown(source, *outputs):
        cell = nbformat.v4.new_code_cell(
            source, outputs=[nbformat.v4.new_output("display_data", out) for out in outputs]
        )
        page = stage.published(nbformat.v4.new_notebook(cells=[cell]), solutions=True)
        return "hide-input" not in page.cells[0].metadata.get("tags", [])

    words, picture = {"text/markdown": "62 %", "text/plain": ""}, {"image/png": ""}
    assert not shown('display(Markdown(f"{share}"))', words)
    assert shown('display(Markdown(f"{share}"))', words, picture)
    assert shown('display(Markdown("a table"))', {**words, "text/html": "<table>"})
    assert shown("import torch\nrun.banner()", words)
    assert shown("x = 1")
    told = nbformat.v4.new_code_cell('display(Markdown(f"{share}"))')
    told.outputs = [nbformat.v4.new_output("display_data", words)]
    cells = [nbformat.v4.new_markdown_cell("In code:"), told]  # code that was announced stays open
    page = stage.published(nbformat.v4.new_notebook(cells=cells), solutions=True)
    assert "hide-input" not in page.cells[1].metadata.get("tags", [])
