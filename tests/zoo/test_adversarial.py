from dataclasses import replace

import pytest
import torch

from lecture13.checkpoints import CheckpointError
from lecture13.processes import OneProcess
from lecture13.zoo.recipes import dcgan_digits, dcgan_scenes

DIGITS = replace(dcgan_digits.RECIPE, maps=(4, 3), noise=5, batch_size=8)


def trial(recipe, folder, steps, **options):
    options = {"seed": 0, "examples": 40, **options}
    net, history = recipe.train(OneProcess(), steps=steps, checkpoint=folder / f"{recipe.name}.ckpt", **options)
    return net, history


def test_a_generator_of_digits_by_label(tmp_path):
    net, history = trial(DIGITS, tmp_path, 3)
    assert len(history) == 3 and set(history.metrics) == {"critic", "generator"} and not net.training
    assert net(torch.randn(2, 5), torch.tensor([3, 9])).shape == (2, 1, 28, 28)
    assert history.metrics["critic"][0] == pytest.approx(trial(DIGITS, tmp_path / "again", 1)[1].metrics["critic"][0])


def test_a_recipe_goes_on_from_the_one_before(tmp_path):
    first = replace(DIGITS, name="first")
    second = replace(DIGITS, name="second", continues="first")
    alone, _ = trial(second, tmp_path / "alone", 4)
    trial(first, tmp_path, 2)
    continued, history = trial(second, tmp_path, 4)
    assert len(history) == 4
    assert all(torch.equal(a, b) for a, b in zip(alone.parameters(), continued.parameters(), strict=True))
    with pytest.raises(CheckpointError, match="other settings"):
        trial(replace(second, learning_rate=1e-3), tmp_path, 5)


def test_scenes_are_drawn_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    monkeypatch.setattr("lecture13.data.stock.PART", 16)
    small = replace(dcgan_scenes.PASS_1, size=16, maps=(4, 3), noise=5, batch_size=4)
    assert small.r1 and small.resize
    net, _ = trial(small, tmp_path, 2, examples=16)
    assert net(torch.randn(2, 5)).shape == (2, 3, 16, 16)
    assert len(list((tmp_path / "scenes").rglob("*.npy"))) == 1


def test_the_snapshots_are_one_game():
    """Passes of 50 000 images: the same settings, the same seed, more and more steps."""
    chain = dcgan_scenes.PASS_1, dcgan_scenes.PASS_5, dcgan_scenes.RECIPE
    assert [recipe.steps * recipe.batch_size / 50_000 for recipe in chain] == [1, 5, 8]
    assert all(recipe.settings() == chain[0].settings() for recipe in chain)
    assert [recipe.continues for recipe in chain] == [None, chain[0].name, chain[1].name]
    assert "50000 images" in chain[0].trained_on


def test_the_penalty_is_r1_on_an_eighth_of_the_batch():
    x, recipe = torch.randn(16, 6), replace(DIGITS, r1=0.3)

    def critic(at):  # the gradient at x is 2x, so R1 is the mean of ‖2x‖²
        return at.square().sum(1)

    expected = 0.3 / 2 * 4 * x[:2].square().sum(1).mean().item()
    assert recipe._penalty(critic, x, None).item() == pytest.approx(expected)
    assert recipe._penalty(critic, x[:3], None).item() == pytest.approx(0.3 / 2 * 4 * x[0].square().sum().item())
