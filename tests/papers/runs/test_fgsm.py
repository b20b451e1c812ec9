import pytest
import torch
from torch import nn

from lecture13.data import Dataset
from lecture13.papers import records
from lecture13.papers.runs import fgsm
from lecture13.profile import SIZES, use


def pictures(name, split, *, size, count=None, seed=0):
    """Random images in MNIST's place: brighter ones belong to the second class."""
    count, generator = count or 24, torch.Generator().manual_seed(len(split) + seed)
    labels = torch.arange(count) % 2
    images = torch.rand(count, 1, size, size, generator=generator) * (0.4 + 0.6 * labels.view(-1, 1, 1, 1))
    return Dataset(images, labels, ("dark", "bright"), name, split, f"random {name}")


@pytest.fixture
def run(monkeypatch, tmp_path):
    for size, value in (("real_steps", 3), ("real_images", 8)):
        monkeypatch.setitem(SIZES, f"fgsm.{size}", (value, value, value))
    monkeypatch.setattr("lecture13.data.load", pictures)
    monkeypatch.setattr(records, "FOLDER", tmp_path / "recorded")
    (tmp_path / "recorded").mkdir()
    return use("full", device="cpu")


def test_a_row_is_what_the_closed_form_says():
    # logit 1 is the sum of the pixels less 8: ε = .25 moves it by 16 ε = 4, away from the label
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2)).requires_grad_(False)
    net[1].weight.copy_(torch.stack([torch.zeros(16), torch.ones(16)]))
    net[1].bias.copy_(torch.tensor([0.0, -8.0]))
    levels = torch.tensor([0.25, 0.7, 0.6, 0.74])  # scores −4, 3.2, 1.6, 3.84; after the step 0 ± 4
    labels = (levels > 0.5).long()
    images = levels.view(-1, 1, 1, 1).expand(-1, 1, 4, 4).clone()
    found = fgsm.measure(net, Dataset(images, labels, ("dark", "bright"), "x", "test", "made up"))
    after = 16 * (levels - 0.25 * (2 * labels - 1)) - 8
    wrong = (after > 0) != labels.bool()
    sure = torch.maximum(after.sigmoid(), 1 - after.sigmoid())[wrong]
    assert found["ε"] == 0.25 and found["error"] == pytest.approx(75) == 100 * wrong.float().mean().item()
    assert found["mean confidence when wrong"] == pytest.approx(100 * sure.mean().item(), rel=1e-5)


def test_a_run_is_recorded_beside_the_paper(run, tmp_path):
    with pytest.raises(ValueError, match="no results in"):
        fgsm.record(run, tmp_path)
    fgsm.train(run, tmp_path)
    files = [tmp_path / f"{plan.name}.json" for plan in fgsm.PLANS.values()]
    first = [file.stat().st_mtime_ns for file in files]
    fgsm.train(run, tmp_path)  # nothing is missing
    assert [file.stat().st_mtime_ns for file in files] == first
    fgsm.record(run, tmp_path)
    kept = records.recorded(fgsm.TABLE)
    assert {row for row, _ in kept} == set(fgsm.PLANS)
    assert all("random mnist" in cell.data and "clean error" in cell.data for cell in kept.values())


def test_one_net_alone_is_trained_on_attacked_images():
    epsilons = {row: plan.epsilon for row, plan in fgsm.PLANS.items()}
    assert [row for row, epsilon in epsilons.items() if epsilon] == ["maxout, adversarially trained (MNIST)"]
    assert len({plan.name for plan in fgsm.PLANS.values()}) == 3
    for plan in fgsm.PLANS.values():
        assert plan.build()(torch.rand(1, 1, 28, 28)).shape == (1, 10)
