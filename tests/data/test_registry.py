import pytest
import torch

from lecture13 import data
from lecture13.data import registry

REAL = ("mnist", "fashion-mnist", "cifar10", "svhn", "gtsrb", "lsun", "celeba", "imagenet", "har")


def test_the_names_are_those_of_the_design():
    assert data.names() == ("digits", "scenes", "signs", "solids", *REAL)


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    return tmp_path


def test_embedded_sets_are_always_available_and_real_ones_when_there(empty):
    assert all(data.available(name) for name in ("digits", "scenes", "signs", "solids"))
    assert not any(data.available(name) for name in REAL)
    (empty / "gtsrb").mkdir()
    assert data.available("gtsrb") and "(found)" in data.describe("gtsrb")
    assert data.available("gtsrb", root=empty) and not data.available("gtsrb", root=empty / "gtsrb")


@pytest.mark.parametrize("name", [*REAL, "digits", "scenes", "signs", "solids"])
def test_a_description_is_one_line_that_starts_with_the_name(name):
    line = data.describe(name)
    assert line.startswith(f"{name}: ") and "\n" not in line
    assert ("not here" in line) == (name in REAL)


@pytest.mark.parametrize("name", REAL)
def test_a_missing_set_says_what_to_do(name, empty):
    with pytest.raises(data.MissingData) as raised:
        data.load(name)
    message = str(raised.value)
    assert str(empty) in message and "LECTURE13_DATA" in message
    assert ("download=True" in message) == (name not in ("lsun", "imagenet"))
    assert isinstance(raised.value, FileNotFoundError)


@pytest.mark.parametrize("name", ["lsun", "imagenet"])
def test_what_cannot_be_downloaded_says_where_to_put_it(name, empty):
    with pytest.raises(data.MissingData, match=f"{empty}/{name}: "):
        data.load(name, download=True)


@pytest.mark.parametrize("ask", [data.load, data.describe, data.available])
def test_an_unknown_name_lists_the_known(ask):
    with pytest.raises(ValueError, match=r"unknown data set 'mnits'; known: digits, scenes, .*har, and folder:PATH"):
        ask("mnits")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"name": "mnist", "split": "validation"}, "unknown split 'validation' of 'mnist'; it has train, test"),
        ({"name": "mnist", "size": 0}, "size=0: expected a whole number, 1 or more"),
        ({"name": "mnist", "count": -5}, "count=-5"),
        ({"name": "mnist", "count": 2.0}, "count=2.0"),
        ({"name": "mnist", "seed": -1}, "seed=-1"),
        ({"name": "mnist", "seed": 2**32}, "seed=4294967296"),
        ({"name": "har", "size": 8}, "size=8: 'har' has no images"),
    ],
)
def test_bad_settings_are_named_before_anything_is_read(bad, message):
    with pytest.raises(ValueError, match=message):
        data.load(**bad)


def test_count_chooses_by_seed_in_the_sets_order(monkeypatch, empty):
    images = torch.arange(50.0).view(50, 1, 1, 1) / 50
    source = registry.Source(torch.arange(50), tuple(map(str, range(50))), lambda i: images[i], "made up")
    monkeypatch.setitem(registry._REAL, "mnist", registry.Real("made up", lambda *_: source, "."))
    first, again, other = (data.load("mnist", count=10, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.labels, again.labels) and not torch.equal(first.labels, other.labels)
    assert (first.labels.diff() > 0).all() and torch.equal(first.images, images[first.labels])
    assert len(data.load("mnist")) == 50
    assert first.source == "made up, 1×1, train, 10 of 50"
    with pytest.raises(ValueError, match="count=51: the train split of 'mnist' has 50"):
        data.load("mnist", count=51)


def test_of_a_large_set_a_thousand_are_read_by_default(monkeypatch):
    images = torch.zeros(3000, 1, 1, 1)
    source = registry.Source(torch.zeros(3000, dtype=torch.int64), ("a",), lambda i: images[i], "made up")
    monkeypatch.setitem(registry._REAL, "lsun", registry.Real("made up", lambda *_: source, ".", large=True))
    assert len(data.load("lsun")) == 1000
