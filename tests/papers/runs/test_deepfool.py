import json
from functools import partial

import pytest
import torch
from torch import nn

from lecture13 import attacks, data, papers, zoo
from lecture13.data import Dataset
from lecture13.papers import records
from lecture13.papers.runs import deepfool, store
from lecture13.profile import SIZES, use


@pytest.fixture
def affine():
    """Logits ``(N, 3)`` of images ``(N, 1, 2, 2)``, and 40 images."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).eval()
    images = torch.rand(40, 1, 2, 2)
    return net, images, net(images).argmax(1)


def test_the_smallest_epsilon_by_the_closed_form(affine):
    net, images, labels = affine
    weights = net[1].weight.detach()
    # FGSM ascends log Σ exp(z_k − z_y); on an affine net the sign it follows is that of Σ p_k (w_k − w_y)
    p = net(images).detach().softmax(1)
    signs = (p @ weights - weights[labels]).sign()
    scores = net(images).detach()
    gaps, gains = scores.gather(1, labels[:, None]) - scores, signs @ weights.T
    gains = gains - gains.gather(1, labels[:, None])
    leaves = torch.where(gains > 0, gaps / gains, torch.inf)  # z_k overtakes z_y at this ε
    leaves = leaves.scatter(1, labels[:, None], torch.inf).amin(1).sort().values
    for rate in (0.5, 0.9):
        found = deepfool.smallest_epsilon(net, images, labels, rate=rate)
        exact = leaves[round(rate * 40) - 1].item()
        assert exact <= found <= exact * 1.0101


def test_no_epsilon_is_said(affine):
    net, images, labels = affine
    nn.init.zeros_(net[1].weight)
    net[1].bias.data = torch.eye(3)[0]
    with pytest.raises(ValueError, match=r"FGSM misclassifies 0\.0% .*expected 90% by ε = 2"):
        deepfool.smallest_epsilon(net, images, torch.zeros_like(labels))


def test_an_affine_net_needs_one_iteration_and_a_stuck_image_all(affine):
    net, images, _ = affine
    assert deepfool.iterations(net, images).tolist() == [1] * 40
    nn.init.zeros_(net[1].weight)
    assert deepfool.iterations(net, images[:2], most=4).tolist() == [4, 4]


def test_iterations_are_those_after_which_the_image_has_left():
    net, images = zoo.load("lenet-digits"), data.load("digits", "test", size=28).images[:12]
    needed = deepfool.iterations(net, images)
    before = net(images).argmax(1)
    for image, count, label in zip(images, needed.tolist(), before, strict=True):
        left = [
            bool(net(attacks.deepfool(net, image[None], max_iterations=allowed)).argmax(1) != label)
            for allowed in range(1, count + 1)
        ]
        assert left == [False] * (count - 1) + [True]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Handwritten digits and their nets in the place of MNIST and its nets; nets of CIFAR-10 are not there."""
    known = zoo.card

    def card(name, folder=None):
        if "cifar10" in name:
            raise FileNotFoundError(name)
        return known(name.replace("mnist", "digits"))

    def load(name, split, **how):
        found = data.embedded.digits(split, 28, 30)
        return Dataset(found.images, found.labels, found.classes, name, split, "digits, and so on")

    monkeypatch.setattr(deepfool.zoo, "card", card)
    monkeypatch.setattr(deepfool.zoo, "load", partial(_load, zoo.load))
    monkeypatch.setattr(deepfool.data, "load", load)
    monkeypatch.setattr(deepfool.data, "available", lambda name: True)
    monkeypatch.setattr(records, "FOLDER", tmp_path / "recorded")
    for size, count in (("images", 16), ("lbfgs_images", 3)):
        monkeypatch.setitem(SIZES, f"deepfool_table.{size}", (count, count, count))
    return use("full", device="cpu")


def _load(load, name, device, folder):
    return load(name.replace("mnist", "digits"), device=device)


def test_a_run_is_resumed_recorded_and_read(run, tmp_path):
    with pytest.raises(ValueError, match="no classifier of Table 1"):
        deepfool.record(run, tmp_path)
    deepfool.train(run, tmp_path)
    files = sorted(tmp_path.glob("deepfool--*.json"))
    assert [file.name for file in files] == ["deepfool--fc-mnist.json", "deepfool--lenet-mnist.json"]
    before = files[1].stat().st_mtime_ns
    files[0].unlink()
    deepfool.train(run, tmp_path)  # the first again, the second not
    assert files[0].exists() and files[1].stat().st_mtime_ns == before

    (tmp_path / "recorded").mkdir()
    deepfool.record(run, tmp_path, into=tmp_path / "runs")
    origin, rows = deepfool.load(folder=tmp_path / "runs")
    assert list(rows) == ["LeNet (MNIST)", "FC500-150-10 (MNIST)"] and origin.profile == "full"
    row = rows["LeNet (MNIST)"]
    assert {name: attack.count for name, attack in row.attacks.items()} == {"DeepFool": 16, "FGSM": 16, "L-BFGS": 3}
    assert "test images 0–15" in row.data and "LeNet" in row.data
    assert row.attacks["L-BFGS"].on_few == row.attacks["L-BFGS"].relative_l2 != row.attacks["DeepFool"].on_few
    assert all(attack.milliseconds > 0 for attack in row.attacks.values())
    assert row.attacks["FGSM"].success.value >= 0.85 and row.attacks["DeepFool"].success.value == 1

    cells = papers.recorded("deepfool-table-1")
    assert {key[0] for key in cells} == set(rows) and len(cells) == 14
    assert cells["LeNet (MNIST)", "ρ̂ FGSM"].value == row.attacks["FGSM"].relative_l2.value
    authors = papers.recorded("deepfool-authors-code")
    assert 1 <= authors["LeNet (MNIST)", "mean iterations"].value <= authors["LeNet (MNIST)", "most iterations"].value


def test_results_of_two_commits_are_not_mixed(run, tmp_path):
    deepfool.train(run, tmp_path)
    file = tmp_path / "deepfool--fc-mnist.json"
    content = json.loads(file.read_text())
    content["origin"]["commit"] = "0123456789ab"
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="are of several runs"):
        deepfool.record(run, tmp_path, into=tmp_path)


def test_the_recorded_table():
    if not (store.FOLDER / "deepfool.json").exists():
        pytest.skip("no run of Table 1 is recorded yet")
    origin, rows = deepfool.load()
    cells = papers.recorded("deepfool-table-1")
    for row, found in rows.items():
        assert {name: cells[row, name].value for name in found.cells()} == found.cells()
        sizes = [found.attacks[name].relative_l2.value for name in ("DeepFool", "FGSM")]
        assert sizes == sorted(sizes) and found.attacks["DeepFool"].success.value > 0.99
        assert cells[row, "test error"].commit == origin.commit
