import pytest

from lecture13 import zoo
from lecture13.__main__ import main


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setenv("LECTURE13_DEVICE", "cpu")
    monkeypatch.delenv("LECTURE13_PROFILE", raising=False)


def test_without_arguments_it_lists_its_commands(capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    assert all(f"\n    {command} " in text for command in ("zoo", "train", "doctor"))


def test_an_unknown_command_lists_the_known(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["fly"])
    assert exit.value.code == 2
    error = capsys.readouterr().err
    assert all(command in error for command in ("fly", "zoo", "train", "doctor"))


def test_zoo_has_a_line_for_every_net(capsys):
    assert main(["zoo"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["net", "metric", "value", "on", "parameters", "file"]
    assert [line.split()[0] for line in lines] == list(zoo.names())
    card = zoo.card("lenet-digits")
    assert f"{100 * card.value:.1f} %" in lines[0] and "431,080" in lines[0] and "863 kB" in lines[0]


def test_zoo_says_what_is_not_trained_yet(capsys, monkeypatch):
    def card(name):
        raise FileNotFoundError

    monkeypatch.setattr(zoo, "card", card)
    assert main(["zoo"]) == 0
    assert capsys.readouterr().out.count("not trained yet") == len(zoo.names())


def test_train_then_again_then_resume(capsys, tmp_path):
    line = ["train", "fc-digits", "--profile", "smoke", "--steps", "3", "--seed", "5", "--folder", str(tmp_path)]
    line += ["--precision", "32-true"]
    assert main(line) == 0
    text = capsys.readouterr().out
    again = f"train fc-digits --folder {tmp_path} --steps 3 --seed 5 --profile smoke --device cpu "
    again += "--precision 32-true --resume"
    assert f"Checkpoint: {tmp_path / 'fc-digits.ckpt'}" in text and again in text
    card = zoo.card("fc-digits", folder=tmp_path)
    assert (card.steps, card.seed, card.examples) == (3, 5, 256)
    assert f"accuracy {100 * card.value:.1f} % on 360 of digits" in text
    assert main(line) == 1
    assert "holds an earlier training" in capsys.readouterr().err
    assert main([*line, "--resume"]) == 0
    assert zoo.card("fc-digits", folder=tmp_path).sha256 == card.sha256
    assert main([*line, "--steps", "4", "--resume", "--precision", "bf16-mixed"]) == 1
    assert "precision was '32-true' and is 'bf16-mixed'" in capsys.readouterr().err


def test_smoke_cuts_the_steps(tmp_path):
    assert main(["train", "fc-digits", "--profile", "smoke", "--folder", str(tmp_path)]) == 0
    assert zoo.card("fc-digits", folder=tmp_path).steps == 20


@pytest.mark.parametrize("written", [True, False])
def test_ctrl_c_says_where_it_stands_and_how_to_go_on(capsys, tmp_path, monkeypatch, written):
    def train(name, **_):
        if written:
            (tmp_path / "fc-digits.ckpt").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(zoo, "train", train)
    assert main(["train", "fc-digits", "--folder", str(tmp_path)]) == 130
    error = capsys.readouterr().err
    kept = f"What is saved is in {tmp_path / 'fc-digits.ckpt'}" if written else "No checkpoint was written yet"
    assert kept in error and "To go on: python -m lecture13 train fc-digits" in error and "--resume" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lenet"], "no net 'lenet' in the zoo; known: lenet-digits"),
        (["fc-digits", "--profile", "tiny"], "unknown profile 'tiny'"),
        (["fc-digits", "--device", "gpu"], "unknown device 'gpu'"),
        (["fc-digits", "--seed", "-1"], "seed -1; expected"),
    ],
)
def test_wrong_settings_are_one_clear_line(capsys, arguments, message):
    assert main(["train", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize("steps", ["0", "-3", "many", "1.5"])
def test_steps_must_be_a_number_above_0(capsys, steps):
    with pytest.raises(SystemExit):
        main(["train", "fc-digits", f"--steps={steps}"])
    assert f"'{steps}' is no whole number above 0" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written(capsys, tmp_path):
    (tmp_path / "file").touch()
    line = ["train", "fc-digits", "--profile", "smoke", "--folder", str(tmp_path / "file" / "zoo")]
    assert main(line) == 1
    assert "cannot write to" in capsys.readouterr().err


def test_a_missing_package_sends_to_the_doctor(capsys, monkeypatch):
    def names():
        raise ModuleNotFoundError("No module named 'sklearn'")

    monkeypatch.setattr(zoo, "names", names)
    assert main(["zoo"]) == 1
    assert "No module named 'sklearn'. What is missing: python -m lecture13 doctor" in capsys.readouterr().err


def test_doctor_reports_and_its_status_tells(capsys, monkeypatch):
    from lecture13 import doctor

    monkeypatch.setattr(doctor, "examine", lambda: [(True, "Python", "3.12"), (True, "data here", "digits")])
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out == "ok  Python: 3.12\nok  data here: digits\n"
    monkeypatch.setattr(doctor, "examine", lambda: [(True, "Python", "3.12"), (False, "missing", "pot")])
    assert main(["doctor"]) == 1
    assert "!!  missing: pot" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "missing", list)
    assert main(["doctor", "--install-missing"]) == 0
    assert capsys.readouterr().out == "Nothing is missing.\n"
