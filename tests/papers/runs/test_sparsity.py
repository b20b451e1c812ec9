import pytest
import torch

from lecture13 import papers
from lecture13.data import Dataset
from lecture13.defenses.sparsity import comparison
from lecture13.papers import records
from lecture13.papers.runs import sparsity
from lecture13.profile import SIZES, use


def clothes(name, split="train", **options):
    """Random images in Fashion-MNIST's place: class 3 is bright above, class 7 below."""
    generator = torch.Generator().manual_seed(len(split))
    labels = torch.tensor([3, 7, 1]).repeat(40)
    images = 0.4 * torch.rand(120, 1, 28, 28, generator=generator)
    images[labels == 3, :, :14] += 0.5
    images[labels == 7, :, 14:] += 0.5
    return Dataset(images, labels, tuple("abcdefghij"), name, split, f"random {name}, {split}")


@pytest.fixture
def run(monkeypatch):
    sizes = {"recorded_steps": 40, "recorded_images": 12, "recorded_pgd": 3, "epsilons": (0.0, 0.3)}
    for size, value in sizes.items():
        monkeypatch.setitem(SIZES, f"sparsity.{size}", (value, value, value))
    monkeypatch.setattr("lecture13.data.load", clothes)
    return use("smoke", device="cpu")


def test_the_pair_is_chosen_and_numbered():
    images, labels = sparsity.pair(clothes("x"))
    assert len(images) == 80 and labels.tolist() == [0, 1] * 40


def test_a_run_is_measured_recorded_and_read(run, tmp_path):
    with pytest.raises(ValueError, match="no results in"):
        sparsity.record(run, tmp_path)
    sparsity.train(run, tmp_path)
    sparsity.record(run, tmp_path, into=tmp_path / "kept")
    origin, found = sparsity.load(folder=tmp_path / "kept")
    assert (
        origin.data == "random fashion-mnist, test, of these “d” and “h”"
        and found.count == 12
        and found.epsilons == [0.0, 0.3]
    )
    assert list(found.adaptive) == list(comparison.DEFENCES) and list(found.certified) == ["none", "network sparsity"]
    for name in comparison.DEFENCES:
        assert found.linear[name][0].value == found.adaptive[name][0].value  # nothing to attack with at ε = 0
        for worst, one_step in zip(found.adaptive[name], found.linear[name], strict=True):
            assert worst.value <= one_step.value
        assert found.at_half[name].value <= min(each.value for each in found.each[name].values())
        assert "random search" in found.each[name]
    for name, proven in found.certified.items():
        assert proven.value <= found.at_half[name].value  # no attack goes below what is proved
    assert all(norm <= 2 * (1 + 1e-5) for norm in found.norms["both"]) and sum(found.zeros["both"]) > 0
    assert 0 < found.half < 0.5


def test_a_full_run_also_stands_beside_the_paper_s_figure(run, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path / "recorded")
    (tmp_path / "recorded").mkdir()
    (tmp_path / "sparsity.json").write_text('{"epsilons": [0.0, 0.3]}')
    sparsity.record(run, tmp_path, into=tmp_path / "kept")
    assert not papers.recorded("sparsity-figure-6")
    sparsity.record(use("full", device="cpu"), tmp_path, into=tmp_path / "kept")
    cells = papers.recorded("sparsity-figure-6")
    assert {column: cell.value for (_, column), cell in cells.items()} == {
        "from": 0.0,
        "to": 0.3,
        "what": "pixel units, [0, 1]",
    }


def test_the_recorded_run():
    """What chapter 18 says of it."""
    origin, found = sparsity.load()
    assert origin.profile == "full" and "Dress" in origin.data and found.count == 1000
    assert found.at_half["none"].value == pytest.approx(0.5, abs=0.01)
    for name in ("front end", "network sparsity", "both"):
        assert found.at_half[name].low > found.at_half["none"].high
    assert found.certified["network sparsity"] == found.at_half["network sparsity"]  # attack and proof meet
    own = min(found.each["front end"][f"PGD, {gradient}"].low for gradient in ("exact", "projection"))
    assert own > found.at_half["front end"].high  # its own gradient misleads
