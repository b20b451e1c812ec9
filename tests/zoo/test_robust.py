"""Recipes of robust nets: a trial of each shape, on a synthetic batch where the data have to be fetched."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch

from lecture13 import zoo
from lecture13.data import Dataset
from lecture13.defenses import polytope
from lecture13.zoo import cards, robust
from lecture13.zoo.recipes import RECIPES, provable

SHAPES = {"har": ((561,), 6), "svhn": ((3, 32, 32), 10), "digits": ((1, 28, 28), 10)}


@pytest.fixture
def synthetic(monkeypatch):
    """``data.load`` with random images of the right shape."""

    def load(name, split, *, count=None, size=None):
        shape, classes = SHAPES[name]
        assert size == (None if name == "har" else shape[-1])
        chance = torch.Generator().manual_seed(int(split == "train"))
        count = count or 24
        images = torch.rand(count, *shape, generator=chance)
        labels = torch.arange(count) % classes
        return Dataset(
            images, labels, classes=tuple(map(str, range(classes))), name=name, split=split, source="synthetic"
        )

    monkeypatch.setattr(robust, "data", SimpleNamespace(load=load))


@pytest.mark.parametrize(
    ("name", "epsilon"), [("har-provable", 0.05), ("svhn-provable", 0.01), ("digits-provable", 0.1)]
)
def test_a_recipe_trains_measures_and_loads(synthetic, tmp_path, name, epsilon):
    card = zoo.train(name, folder=tmp_path, steps=4, examples=20)
    assert card.n == 24 and card.settings["defence"] == "provable"
    assert card.parameters == sum(p.numel() for p in zoo.recipe(name).build().parameters())
    net = zoo.load(name, folder=tmp_path)
    found = zoo.recipe(name).measure(net)
    (bound,) = found.also.values()
    assert 1 - found.value <= bound <= 1 and found.also == card.also
    assert next(iter(found.also)) == f"robust bound at ε = {epsilon:g}, 24 images"
    again = zoo.train(name, folder=tmp_path / "again", steps=4, examples=20)
    assert again.sha256 == card.sha256


def test_the_schedule_keeps_its_shape_in_a_trial(synthetic, tmp_path, monkeypatch):
    asked = []
    original = polytope.training_margins

    def noted(*arguments, method="dual", **options):
        asked.append(method)
        return original(*arguments, method=method, **options)

    monkeypatch.setattr(polytope, "training_margins", noted)
    recipe = zoo.recipe("digits-provable")
    zoo.train("digits-provable", folder=tmp_path, steps=30, examples=20)
    early, then = recipe.warmup * 30 // recipe.steps, recipe.mixed * 30 // recipe.steps
    assert asked == ["interval"] * early + ["mixed"] * then + ["dual"] * (30 - early - then)
    assert early and then and early + then < 30


def test_a_recipe_starts_from_the_weights_of_another(synthetic, tmp_path, monkeypatch):
    recipe = dataclasses.replace(
        zoo.recipe("digits-provable"), name="next", start="digits-provable", learning_rate=1e-9
    )
    monkeypatch.setitem(RECIPES, "next", recipe)
    monkeypatch.setattr(cards, "SHIPPED", tmp_path / "nothing ships")
    with pytest.raises(FileNotFoundError, match="next starts from digits-provable: `python"):
        zoo.train("next", folder=tmp_path, steps=4, examples=20)
    zoo.train("digits-provable", folder=tmp_path, steps=4, examples=20)
    zoo.train("next", folder=tmp_path, steps=4, examples=20, seed=5)
    first, second = (zoo.load(name, folder=tmp_path) for name in ("digits-provable", "next"))
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-4, rtol=0)


def test_the_mnist_net_is_the_papers():
    net = zoo.recipe("mnist-plain").build()
    assert sum(p.numel() for p in net.parameters()) == 166_406
    assert {recipe.epsilon for recipe in provable.RECIPES if recipe.size == 28} == {0.1}
