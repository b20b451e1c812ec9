import pytest
import torch
from torch import nn

from lecture13 import zoo
from lecture13.data import Dataset
from lecture13.gan.methods import FIGURE_3
from lecture13.papers.runs import figure3, parts, store
from lecture13.profile import SIZES, use

BUDGET = {"size": 32, "width": 4, "depth": 1, "batch": 4, "steps": 2, "single": 2, "speed": 5.0}
BUDGET |= {"images": 8, "samples": 40}


class Card:
    value = 0.75


@pytest.fixture
def run(monkeypatch):
    """Random images in CIFAR-10's place, and a classifier that was never trained."""
    monkeypatch.setitem(SIZES, "methods.curves", (BUDGET, BUDGET, BUDGET))
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(3072, 10)).eval()
    monkeypatch.setattr(zoo, "load", lambda name, folder: net)
    monkeypatch.setattr(zoo, "card", lambda name, folder: Card)

    def load(name, split="train", *, count):
        images = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(count))
        return Dataset(images, torch.zeros(count).long(), ("a",), name, split, "random images")

    monkeypatch.setattr(figure3.data, "load", load)
    return use("smoke", device="cpu")


def test_a_run_is_recorded_and_read(run, monkeypatch, tmp_path):
    chosen = {name: FIGURE_3[name] for name in ("weight clipping", "DCGAN")}
    monkeypatch.setattr(figure3, "FIGURE_3", chosen)
    with pytest.raises(ValueError, match="no method of Figure 3"):
        figure3.record(run, tmp_path)
    figure3.train(run, tmp_path)
    figure3.record(run, tmp_path, into=tmp_path)
    curves = figure3.load(folder=tmp_path)
    assert list(curves.cells) == list(chosen) and curves.missing == []
    assert (curves.samples, curves.classifier) == (40, 0.75)
    assert curves.score == "inception score by the course's CIFAR-10 classifier"
    cell, samples = parts.read_cell(parts.path(tmp_path, "dcgan", "DCGAN"))
    assert curves.cells["DCGAN"] == cell and torch.equal(curves.sheets["DCGAN"], samples[: figure3.SHEET])
    assert cell.scores[-1][0] == cell.iterations == 4
    assert cell.scores[-1][3] == pytest.approx(figure3.Judge(tmp_path).score(samples).value)
    assert 1 <= curves.real <= 10 and curves.origin.data == "random images, 8 of the train split"


def test_the_recorded_curves():
    curves = figure3.load()
    assert set(curves.cells) <= set(FIGURE_3)
    for method, cell in curves.cells.items():
        assert cell.iterations == curves.budget.iterations(FIGURE_3[method])
        assert all(1 <= score <= 10 for *_, score in cell.scores)
        iterations = [iteration for iteration, *_ in cell.scores]
        assert iterations == sorted(set(iterations)) and iterations[-1] == cell.iterations
    assert "course's CIFAR-10 classifier" in curves.score
    assert sum(file.stat().st_size for file in store.FOLDER.glob("figure3.*")) < 400_000
