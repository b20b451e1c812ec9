import dataclasses
import functools
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lecture13 import data, zoo
from lecture13.checkpoints import CheckpointError
from lecture13.zoo import cards, supervised
from lecture13.zoo.recipes import RECIPES

SHIPPED = [name for name in zoo.names() if cards.paths(name)[1].exists()]


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """A trial training of the smallest kind: its folder."""
    folder = tmp_path_factory.mktemp("zoo")
    zoo.train("fc-digits", folder=folder, steps=4, examples=100)
    return folder


@pytest.fixture
def copy(trial, tmp_path):
    return shutil.copytree(trial, tmp_path / "copy")


# ---- the nets that ship


def test_all_recipes_ship_their_net():
    # learnt from images that may not be passed on
    kept_back = {"cifar10-classifier", "lenet-cifar10", "nin-cifar10", "gtsrb-cnn"}
    needs_data = {"har-provable", "svhn-provable"}
    assert set(RECIPES) - set(SHIPPED) == kept_back | needs_data
    assert all(recipe.name == name for name, recipe in RECIPES.items())


@functools.cache
def once(*arguments, **options):
    """``data.load``, whose scenes two cards are measured on."""
    return data.load(*arguments, **options)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_is_true(name, monkeypatch):
    source = getattr(zoo.recipe(name), "data", "scenes")
    if not data.available(source):
        pytest.skip(f"{source}, on which this card is measured, is not here: set LECTURE13_DATA to its folder")
    monkeypatch.setattr(supervised, "data", SimpleNamespace(load=once))
    card, net = zoo.card(name), zoo.load(name)
    measured = zoo.recipe(name).measure(net)
    assert (measured.metric, measured.n, measured.data) == (card.metric, card.n, card.measured_on)
    # another machine's rounding may turn a close decision: one image, or one pixel in five thousand;
    # it shifts a distance
    counts = "distance" not in card.metric
    near = {"abs": 1.01 / card.n if not card.also else 2e-4} if counts else {"rel": 1e-3}
    assert measured.value == pytest.approx(card.value, **near)
    assert measured.also == pytest.approx(card.also, abs=2e-3 if counts else 1.01 * 2 / card.n)
    assert card.settings == json.loads(json.dumps(zoo.recipe(name).settings())), "the recipe changed: train it again"
    assert card.steps == zoo.recipe(name).steps and card.examples is None
    assert card.parameters == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_small_and_loads_as_float32(name):
    weights = cards.paths(name)[0]
    assert weights.stat().st_size == zoo.card(name).bytes < 1_100_000
    net = zoo.load(name)
    assert not net.training and all(p.dtype == torch.float32 and p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("name", [name for name in SHIPPED if "-seed-" in name])
def test_a_net_that_names_its_seed_was_trained_from_it(name):
    assert name.endswith(f"-seed-{zoo.card(name).seed}")


def test_a_card_writes_shares_in_percent_and_distances_as_they_are():
    assert zoo.card("lenet-digits").shown.endswith(" %")
    assert zoo.card("dcgan-scenes").shown == f"{zoo.card('dcgan-scenes').value:.3f}"


def test_loading_leaves_chance_alone(trial):
    before = torch.get_rng_state()
    zoo.load("fc-digits", folder=trial)
    assert torch.equal(before, torch.get_rng_state())


# ---- training


def test_a_trial_writes_weights_card_and_checkpoint(trial):
    assert sorted(file.name for file in trial.iterdir()) == [
        "fc-digits.ckpt",
        "fc-digits.json",
        "fc-digits.safetensors",
    ]
    card = zoo.card("fc-digits", folder=trial)
    assert (card.steps, card.examples, card.seed, card.n) == (4, 100, 0, 360)
    assert card.seconds > 0 and card.device.startswith("cpu") and card.torch == torch.__version__
    net = zoo.load("fc-digits", folder=trial)
    assert zoo.recipe("fc-digits").measure(net).value == card.value  # of the file, not of the net before rounding


def test_the_same_seed_gives_the_same_file(trial, tmp_path):
    again = zoo.train("fc-digits", folder=tmp_path / "again", steps=4, examples=100)
    assert again.sha256 == zoo.card("fc-digits", folder=trial).sha256
    other = zoo.train("fc-digits", folder=tmp_path / "other", steps=4, examples=100, seed=1)
    assert other.sha256 != again.sha256


def test_a_finished_training_resumes_to_the_same_file(copy):
    before = (copy / "fc-digits.safetensors").read_bytes()
    (copy / "fc-digits.safetensors").unlink()
    zoo.train("fc-digits", folder=copy, steps=4, examples=100)
    assert (copy / "fc-digits.safetensors").read_bytes() == before


def test_a_checkpoint_is_not_touched_unasked(copy):
    before = (copy / "fc-digits.ckpt").read_bytes()
    with pytest.raises(FileExistsError, match=r"fc-digits\.ckpt holds an earlier training: resume"):
        zoo.train("fc-digits", folder=copy, steps=4, examples=100, resume=False)
    with pytest.raises(CheckpointError, match=r"steps was 4 and is 5"):
        zoo.train("fc-digits", folder=copy, steps=5, examples=100)
    assert (copy / "fc-digits.ckpt").read_bytes() == before


def test_the_default_folder_is_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    assert zoo.checkpoint_path("fc-digits") == tmp_path / "zoo" / "fc-digits.ckpt"


# ---- what can be wrong


@pytest.mark.parametrize("call", [zoo.load, zoo.card, zoo.train, zoo.recipe, zoo.checkpoint_path])
def test_unknown_names_list_the_known_ones(call):
    with pytest.raises(ValueError, match=r"no net 'lenet' in the zoo; known: lenet-digits, fc-digits"):
        call("lenet")


def test_a_damaged_file_is_named(copy):
    weights = copy / "fc-digits.safetensors"
    content = bytearray(weights.read_bytes())
    content[5000] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ValueError, match=r"fc-digits\.safetensors is damaged .*SHA-256.*python -m lecture13 train"):
        zoo.load("fc-digits", folder=copy)


def test_weights_of_an_older_recipe_are_refused(trial, monkeypatch):
    monkeypatch.setitem(RECIPES, "fc-digits", dataclasses.replace(RECIPES["fc-digits"], options={"classes": 7}))
    with pytest.raises(ValueError, match=r"weights of 'fc-digits' are of another recipe.*train it again"):
        zoo.load("fc-digits", folder=trial)


def test_missing_files_say_how_to_get_them(copy):
    (copy / "fc-digits.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no weights .*train fc-digits"):
        zoo.load("fc-digits", folder=copy)
    (copy / "fc-digits.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"no card .*train fc-digits"):
        zoo.load("fc-digits", folder=copy)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"name": "fc-digits", "colour": "red"}'])
def test_what_is_no_card_is_named(copy, text):
    (copy / "fc-digits.json").write_text(text)
    with pytest.raises(ValueError, match=r"fc-digits\.json is not the card of a net"):
        zoo.card("fc-digits", folder=copy)


# ---- half precision and measures


def test_packing_rounds_to_half_and_keeps_counters():
    net, other = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    net(torch.randn(5, 3))
    content = cards.pack(net)
    cards.unpack(other, content)
    assert other.num_batches_tracked == 1 and other.running_var.dtype == torch.float32
    assert torch.equal(other.running_var, net.running_var.half().float())


@pytest.mark.parametrize("value", [1e5, float("nan"), float("inf")])
def test_what_half_precision_cannot_hold_is_refused(value):
    net = nn.Linear(2, 2)
    nn.init.constant_(net.weight, value)
    with pytest.raises(ValueError, match="weight holds values beyond half precision"):
        cards.pack(net)


class Constant(nn.Module):
    """Says the same class everywhere."""

    def __init__(self, classes, choice, pixels):
        super().__init__()
        self.logits = nn.Parameter(torch.eye(classes)[choice])
        self.pixels = pixels

    def forward(self, images):
        if self.pixels:
            return self.logits.view(1, -1, 1, 1).expand(len(images), -1, *images.shape[2:])
        return self.logits.expand(len(images), -1)


def test_accuracy_is_the_share_that_is_right():
    plan = RECIPES["fc-digits"]
    labels = plan._load("test", None, 28)[1]
    measured = plan.measure(Constant(10, 7, pixels=False))
    assert measured.value == pytest.approx(np.mean(labels.numpy() == 7)) and measured.n == 360


def test_intersection_over_union_by_its_definition():
    plan = dataclasses.replace(RECIPES["scene-segmenter"], test_examples=12, also_size=64)
    maps = plan._load("test", 12, 32)[1].numpy()
    classes = plan.options["classes"]
    measured = plan.measure(Constant(classes, 0, pixels=True))
    share = np.mean(maps == 0)  # everything is called class 0: intersection = its pixels, union = all pixels
    assert measured.metric == "pixel accuracy" and measured.n == 12
    assert measured.value == pytest.approx(share)
    assert measured.also["mean IoU"] == pytest.approx(share / classes)
    assert measured.also["at 64×64, 3 images"] == pytest.approx(np.mean(plan._load("test", 12, 64)[1].numpy() == 0))
    each = [value for name, value in measured.also.items() if name.startswith("IoU ")]
    assert each == pytest.approx([share] + [0.0] * (classes - 1))


def test_the_segmenters_recipe_trains_on_maps(tmp_path, monkeypatch):
    small = dataclasses.replace(RECIPES["scene-segmenter"], test_examples=8, batch_size=4)
    monkeypatch.setitem(RECIPES, "scene-segmenter", small)
    card = zoo.train("scene-segmenter", folder=tmp_path, steps=2, examples=8)
    assert 0 <= card.also["at 64×64, 2 images"] <= 1  # a step at each size, the larger with a quarter of the images
    assert card.metric == "pixel accuracy" and 0 <= card.also["mean IoU"] <= card.value <= 1
