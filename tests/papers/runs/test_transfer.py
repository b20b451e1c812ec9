import pytest
import torch
from torch import nn

from lecture13 import attacks, data
from lecture13.data import Dataset
from lecture13.estimates import Estimate
from lecture13.papers.runs import store, transfer
from lecture13.profile import SIZES, use


def affine(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3)).eval()


@pytest.fixture
def images():
    return torch.rand(24, 3, 2, 2, generator=torch.Generator().manual_seed(0))


def test_each_matrix_holds_the_attacks_it_says(images):
    nets = {name: affine(seed) for seed, name in enumerate("abc")}
    labels = nets["a"](images).argmax(1)
    found = transfer.measure(nets, images, labels, max_rmsd=40.0, steps=5)
    assert found.count == 24 and found.clean.on == () and found.clean.rmsd.value == 0
    assert found.clean.accuracy["a"].value == 1
    assert {name: made.on for name, made in found.alone.items()} == {name: (name,) for name in "abc"}
    assert found.without["b"].on == ("a", "c")
    made = attacks.ensemble([nets["a"], nets["c"]], images, labels, max_rmsd=40.0, steps=5)
    right = (nets["b"](made).argmax(1) == labels).double().mean().item()
    assert found.without["b"].accuracy["b"].value == pytest.approx(right)
    assert found.without["b"].rmsd.value == pytest.approx(attacks.rmsd(images, made).mean().item())
    assert found.without["b"].rmsd.value <= 40.0


def made(on, **accuracy):
    return transfer.Made(on, Estimate(1, 1, 1), {name: Estimate(each, 0, 1) for name, each in accuracy.items()})


def test_the_best_single_source_is_another_net():
    alone = {
        "a": made(("a",), a=0.0, b=0.5, c=0.2),
        "b": made(("b",), a=0.4, b=0.0, c=0.6),
        "c": made(("c",), a=0.3, b=0.7, c=0.1),
    }
    without = {
        "a": made(("b", "c"), a=0.3, b=0.0, c=0.0),
        "b": made(("a", "c"), a=0.0, b=0.4, c=0.0),
        "c": made(("a", "b"), a=0.0, b=0.0, c=0.25),
    }
    found = transfer.Transfer(10, made(()), alone, without)
    assert [found.best_single(name) for name in "abc"] == ["c", "a", "a"]
    assert found.wins() == ["b"]  # a draw is no win


def test_a_run_is_recorded_and_read(images, monkeypatch, tmp_path, capsys):
    def load(name, split, *, size, count, seed):
        return Dataset(images[:count], torch.zeros(count).long(), ("x", "y", "z"), name, split, "random images")

    monkeypatch.setattr(transfer.data, "load", load)
    monkeypatch.setattr(transfer.zoo, "load", lambda name, device: affine(transfer.FAMILIES.index(name)))
    monkeypatch.setattr(transfer.store, "FOLDER", tmp_path)
    monkeypatch.setitem(SIZES, "transfer_table.images", (6, 6, 6))
    found = transfer.record(use("smoke", device="cpu"), into=tmp_path)
    origin, read = transfer.load(folder=tmp_path)
    assert read == found and origin.data == "random images" and found.count == 6
    assert list(found.alone) == list(found.without) == list(transfer.FAMILIES)


def test_the_recorded_matrices():
    if not (store.FOLDER / "transfer.json").exists():
        pytest.skip("no run of Table 4 is recorded yet")
    origin, found = transfer.load()
    assert found.count >= 200
    for name, made in found.without.items():
        assert name not in made.on and made.rmsd.value <= transfer.MAX_RMSD + 0.01
        assert all(made.accuracy[other].value < found.clean.accuracy[other].value / 4 for other in made.on)  # fooled
    assert data.load("scenes", "test", count=1).source.split(",")[0] in origin.data
