import errno

import pytest

from book import build, settings
from book.execute import Result
from book.publish import replace


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_cannot_be_written_is_told_clearly(monkeypatch, capsys, number):
    def fail(*_, **__):
        raise OSError(number, "no", "some/file")

    monkeypatch.setattr(build, "execute", fail)
    assert build.main(["execute", "--profile", "smoke"]) == 1
    told = capsys.readouterr().err
    assert "cannot write some/file" in told and "Traceback" not in told


def test_other_faults_keep_their_traceback(monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EPIPE, "no")

    monkeypatch.setattr(build, "execute", fail)
    with pytest.raises(OSError, match="no"):
        build.main(["execute", "--profile", "smoke"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["book", "--profile", "huge"], "unknown profile 'huge'; choose one of smoke, laptop, full"),
        (["execute", "--profile", "smoke", "77"], "no notebook '77'"),
        (["execute", "--profile", "smoke", "-p", "seed"], "'seed'; expected NAME=VALUE"),
    ],
)
def test_bad_input_is_told_clearly(arguments, told, capsys):
    assert build.main(arguments) == 1
    assert told in capsys.readouterr().err


def test_a_failed_notebook_stops_the_site(monkeypatch, capsys):
    monkeypatch.setattr(build, "execute", lambda *_, **__: [Result("09_x", 1.0, "failed", "1 / 0")])
    monkeypatch.setattr(build, "publish", lambda *_, **__: pytest.fail("the site must not be built"))
    assert build.main(["book", "--profile", "smoke"]) == 1
    assert "1 / 0" in capsys.readouterr().out


def test_solutions_are_published_unless_the_setting_or_the_option_says_no(monkeypatch):
    asked = []

    def publish(*_, solutions, **__):
        asked.append(solutions)
        return settings.BUILD, "built"

    monkeypatch.setattr(build, "publish", publish)
    for setting, option in [(True, []), (True, ["--no-solutions"]), (False, [])]:
        monkeypatch.setattr(settings, "shows_solutions", lambda setting=setting: setting)
        build.main(["site", "--profile", "smoke", *option])
    assert asked == [True, False, False]


def test_parameters_are_python_literals_or_text():
    assert build.parameter("seed=1") == ("seed", 1)
    assert build.parameter("layers=[1, 2]") == ("layers", [1, 2])
    assert build.parameter("name=lenet") == ("name", "lenet")


def test_a_new_site_takes_the_place_of_the_old(tmp_path):
    old, new = tmp_path / "html", tmp_path / "work"
    for folder, name in ((old, "old.html"), (new, "new.html")):
        folder.mkdir()
        (folder / name).write_text("x")
    replace(new, old)
    assert [path.name for path in old.iterdir()] == ["new.html"]
    assert [path.name for path in tmp_path.iterdir()] == ["html"]
