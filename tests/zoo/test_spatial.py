"""The recipe against poses: what a batch is moved by, which pose is kept, and the canvas."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from lecture13 import attacks, zoo
from lecture13.zoo.recipes import sign_poses


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return sign_poses.PLAIN.build().eval()


@pytest.fixture
def batch():
    return torch.rand(12, 3, 32, 32, generator=chance(1)), torch.arange(12)


def bare(recipe, **changes):
    """A recipe without the augmentations that come before the pose."""
    return replace(recipe, augment=(), **changes)


def test_without_poses_nothing_moves(net, batch):
    images, labels = bare(sign_poses.PLAIN).augmented(net, *batch, chance())
    assert torch.equal(images, batch[0]) and torch.equal(labels, batch[1])


def test_random_poses_are_uniform_within_the_limits_whatever_the_net_says(net, batch):
    shape, corner = (300, 3, 32, 32), torch.zeros(300, 3, 32, 32)
    corner[:, :, 15:17, 15:17] = 1  # a dot in the middle, which shows the shift
    images, _ = bare(sign_poses.ROTATED).augmented(net, corner, torch.zeros(300).long(), chance())
    assert images.shape == shape
    steps = torch.arange(32.0)
    right = (images[:, 0].sum(1) * steps).sum(1) / images[:, 0].sum((1, 2)) - 15.5
    down = (images[:, 0].sum(2) * steps).sum(1) / images[:, 0].sum((1, 2)) - 15.5
    for moved in (right, down):
        assert 3.0 < moved.abs().max() <= 3.2 + 1e-3 and abs(moved.mean()) < 0.35  # a standard error of .11
    other, _ = bare(sign_poses.ROTATED).augmented(net, corner, torch.ones(300).long(), chance())
    assert torch.equal(images, other)


def test_of_ten_poses_the_worst_is_kept(net, batch):
    images, labels = batch
    found, _ = bare(sign_poses.WORST).augmented(net, images, labels, chance())
    again, tried = chance(), []
    for _ in range(10):
        pose = torch.rand(12, 3, generator=again) * 2 - 1
        moved = attacks.rotate_and_translate(images, 30 * pose[:, 0], 3.2 * pose[:, 1:])
        tried.append(cross_entropy(net(moved), labels, reduction="none").detach())
    loss = cross_entropy(net(found), labels, reduction="none").detach()
    worst = torch.stack(tried).amax(0)
    assert (loss <= worst + 1e-4).all() and loss.mean() > torch.stack(tried).mean()
    wrong = net(found).argmax(1) != labels
    torch.testing.assert_close(loss[wrong], worst[wrong])  # of misclassified poses, the one of highest loss


def test_training_leaves_the_mode_of_the_net_alone(batch):
    net = sign_poses.PLAIN.build().train()
    sign_poses.WORST.augmented(net, *batch, chance())
    assert net.training and all(p.requires_grad and p.grad is None for p in net.parameters())


def test_a_canvas_is_said_wherever_its_images_are(net):
    small = replace(sign_poses.CANVAS, test_examples=12)
    images, labels = small._load("test", 12, 32)
    plain, same = sign_poses.PLAIN._load("test", 12, 32)
    assert torch.equal(labels, same) and torch.equal(images, attacks.black_canvas(plain, 30.0, (3.2, 3.2)))
    assert small.trained_on == "signs at 32×32, train split, on a black canvas"
    assert small.measure(net).data == "signs at 32×32, test split, on a black canvas"
    assert sign_poses.PLAIN.trained_on == "signs at 32×32, train split"


def test_a_worst_case_training_is_the_same_from_the_same_seed(tmp_path, monkeypatch):
    name = sign_poses.WORST.name
    monkeypatch.setitem(zoo.RECIPES, name, replace(sign_poses.WORST, test_examples=12))
    first, again, other = (
        zoo.train(name, folder=tmp_path / str(index), steps=2, examples=64, seed=seed)
        for index, seed in enumerate((0, 0, 1))
    )
    assert first.sha256 == again.sha256 != other.sha256 and first.settings["tries"] == 10


def test_the_nets_differ_in_what_they_are_shown_and_in_nothing_else():
    first, *others = (recipe.settings() for recipe in sign_poses.RECIPES)
    assert {key for other in others for key in first if first[key] != other[key]} == {"augment", "tries", "canvas"}
    shared = zoo.recipe("sign-classifier").settings()
    assert {key for key in shared if shared[key] != first[key]} == {"augment"}
    assert zoo.recipe("sign-classifier").steps == sign_poses.PLAIN.steps
