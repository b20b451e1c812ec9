from dataclasses import replace

import pytest
import torch
from torch import nn

from lecture13 import attacks, evaluation
from lecture13.data import Dataset
from lecture13.papers.runs import spatial
from lecture13.profile import SIZES, use
from lecture13.zoo.spatial import Spatial


def pictures(name, split="train", *, size, count=None, seed=0):
    """Random images in MNIST's and GTSRB's places: brighter ones belong to the second class."""
    count = count or 24
    channels, generator = 1 if name == "mnist" else 3, torch.Generator().manual_seed(len(split) + seed)
    labels = torch.arange(count) % 2
    images = torch.rand(count, channels, size, size, generator=generator) * (0.4 + 0.6 * labels.view(-1, 1, 1, 1))
    return Dataset(images, labels, ("dark", "bright"), name, split, f"random {name}")


@pytest.fixture
def run(monkeypatch):
    for size, value in (("real_steps", 3), ("real_images", 8)):
        monkeypatch.setitem(SIZES, f"spatial.{size}", (value, value, value))
    monkeypatch.setattr("lecture13.data.load", pictures)
    monkeypatch.setitem(spatial.ATTACKS, "grid of 775", lambda *a: attacks.spatial(*a, grid=(1, 1, 3)))
    monkeypatch.setitem(spatial.ATTACKS, "first-order, 50 steps", lambda *a: attacks.spatial(*a, method="first-order"))
    return use("smoke", device="cpu")


def test_every_attack_is_measured_on_the_same_images(run):
    torch.manual_seed(0)
    net, test = nn.Sequential(nn.Flatten(), nn.Linear(784, 2)), pictures("mnist", "test", size=28, count=40)
    found = spatial.measure(net, test)
    assert list(found) == [spatial.REST, *spatial.ATTACKS]
    assert found[spatial.REST].value == pytest.approx(1 - evaluation.error(net, test))
    for name, attack in spatial.ATTACKS.items():
        row = evaluation.robustness(net, attack, test)
        assert found[name].value == pytest.approx(1 - row.adversarial_error.value)
        assert found[name].low <= found[name].value <= found[name].high
        assert found[name].low == pytest.approx(1 - row.adversarial_error.high)


def test_a_run_is_recorded_and_read(run, tmp_path, monkeypatch):
    monkeypatch.setattr(spatial, "TRAININGS", {"standard": 0, "worst of 10": 10})
    seen, train = [], Spatial.train

    def counted(plan, fabric, **options):
        seen.append((plan.name, plan.tries, plan.steps))
        return train(plan, fabric, **options)

    monkeypatch.setattr(Spatial, "train", counted)
    with pytest.raises(ValueError, match="no results in"):
        spatial.record(run, tmp_path)
    spatial.train(run, tmp_path)
    assert seen[:2] == [("MNIST--standard", 0, 3), ("MNIST--worst-of-10", 10, 3)] and len(seen) == 4
    (tmp_path / "GTSRB--standard.json").unlink()
    spatial.train(run, tmp_path)  # only what is missing, from its checkpoint
    assert [name for name, *_ in seen[4:]] == ["GTSRB--standard"]
    spatial.record(run, tmp_path, into=tmp_path)
    kept = spatial.load(folder=tmp_path)
    assert list(kept.found) == [(p, t) for p in spatial.PROBLEMS for t in spatial.TRAININGS]
    assert (kept.steps, kept.count, kept.origin.data) == (3, 8, "random mnist; random gtsrb")
    text = kept._repr_markdown_()
    share = kept.found["MNIST", "standard"]["grid of 775"]
    assert "| MNIST, standard |" in text and share.percent[:5] in text and "commit" in text  # "[" is escaped
    assert share.percent in kept._repr_html_()


def test_the_nets_are_the_course_s_own_and_differ_in_poses_alone():
    for plan in spatial.PROBLEMS.values():
        net = replace(plan, name="x", steps=1).build()
        channels = 1 if plan.data == "mnist" else 3
        classes = 10 if plan.data == "mnist" else 43
        assert net(torch.rand(1, channels, plan.size, plan.size)).shape == (1, classes)
        assert plan.augment == () and (plan.max_rotation, plan.max_translation) == (30.0, 0.1)
