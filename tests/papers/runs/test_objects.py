import re
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import nn

from lecture13 import papers
from lecture13.papers import records
from lecture13.papers.runs import objects, store
from lecture13.profile import SIZES, use
from lecture13.render import solids


class Always(nn.Module):
    """A classifier that sees rifles."""

    def forward(self, images):
        logits = torch.zeros(len(images), len(solids.CLASSES))
        logits[:, solids.CLASSES.index("rifle")] = 1
        return logits + 0 * images.sum((1, 2, 3))[:, None]


@pytest.fixture
def run(monkeypatch):
    for name, value in (("steps", 1), ("targets", 2), ("poses", 6)):
        monkeypatch.setitem(SIZES, f"objects.{name}", (value, value, value))
    return use("full", device="cpu")


def made_up(label, target):
    """A pair whose shares are known, and differ."""
    number = 10 * solids.CLASSES.index(label) + solids.CLASSES.index(target)
    return objects.Pair(label, target, 1 - number / 200, 0.0, number / 1000, number / 100, 5.0)


def test_a_pair_counts_what_the_classifier_says(run, monkeypatch):
    made, tested, camera = [], [], objects.solids.camera

    def attack(model, render, texture, target, *, generator, **_):
        made.append(generator.initial_seed())
        return texture

    def shooting(*arguments, **options):
        shoot = camera(*arguments, **options)
        return lambda count, generator: (tested.append(generator.initial_seed()), shoot(count, generator))[1]

    monkeypatch.setattr(objects.attacks, "expectation", attack)
    monkeypatch.setattr(objects.solids, "camera", shooting)
    pair = objects.paint(Always(), "sea turtle", "rifle", run, 0)
    assert (pair.accuracy, pair.adversariality, pair.original_adversariality) == (0, 1, 1)
    assert pair.change == 0  # the paint was left as it is
    pair = objects.paint(Always(), "rifle", "sea turtle", run, 1)
    assert (pair.original_accuracy, pair.accuracy, pair.adversariality) == (1, 1, 0)
    assert len({*made, *tested}) == len(made) + len(tested) == 4  # tested in poses that no attack has seen


def test_the_change_is_over_the_object_alone():
    black, grey = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.5)
    small, large = (objects._change(black, grey, views(distance)) for distance in (6.0, 2.5))
    assert small == pytest.approx(large, rel=0.1)  # whatever share of the picture it fills
    # full light all over, so each pixel of the object goes from black to the grey of sRGB .5: L* = 53.39
    assert large == pytest.approx(53.39, rel=0.1)


def views(distance):
    still = {"shift": (0, 0), "blur": (0, 0), "noise": (0, 0), "shine": (0, 0), "exposure": (0, 0), "tint": (1, 1)}
    poses = solids.Poses(distance=(distance, distance), ambient=(1, 1), **still)
    return solids.look(solids.solid("baseball"), poses.draw(4, torch.Generator().manual_seed(0)))


def test_a_run_is_recorded_beside_the_paper_and_read(run, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "FOLDER", tmp_path / "tables")
    (tmp_path / "tables").mkdir()
    seen = []

    def counted(net, label, target, run, number):
        seen.append(number)
        return made_up(label, target)

    monkeypatch.setattr(objects, "paint", counted)
    monkeypatch.setattr(objects.zoo, "load", lambda name, device: Always())
    with pytest.raises(ValueError, match="no objects in"):
        objects.record(run, tmp_path)
    objects.train(run, tmp_path)
    assert len(set(seen)) == len(seen) == 2 * len(solids.CLASSES)  # no two pairs share their chance
    (tmp_path / "objects--car.json").unlink()
    yesterday = tmp_path / "objects--guitar.json"
    yesterday.write_text(re.sub(r"\d{4}-\d\d-\d\d", "2026-01-01", yesterday.read_text()))
    objects.train(run, tmp_path)  # the missing object alone, on another day
    assert len(seen) == 2 * len(solids.CLASSES) + 2
    objects.record(run, tmp_path, into=tmp_path)
    kept = objects.load(folder=tmp_path)
    assert kept.names == list(solids.CLASSES) and len(kept.pairs) == 20
    expected = [
        [made_up(p.label, p.target).adversariality for p in kept.pairs if p.label == name] for name in kept.names
    ]
    assert [row[~np.isnan(row)].tolist() for row in kept.matrix] == expected
    shown = papers.recorded(objects.TABLE)
    values = 100 * np.array([pair.adversariality for pair in kept.pairs])
    assert shown["adversarial", "adversariality"].value == pytest.approx(values.mean())
    assert shown["adversarial", "adversariality, s.d."].value == pytest.approx(values.std())
    accuracies = 100 * np.array([pair.original_accuracy for pair in kept.pairs])
    assert shown["original", "accuracy"].value == pytest.approx(accuracies.mean())
    assert "20 pairs, 6 poses each" in shown["original", "accuracy"].data


def test_objects_of_several_runs_are_not_mixed(run, tmp_path):
    for label, steps in (("car", 1), ("guitar", 2)):
        content = {"steps": steps, "poses": 6, "pairs": [asdict(made_up(label, "rifle"))]}
        store.write(f"objects--{label}", store.Origin.here(run, objects.DATA), content, folder=tmp_path)
    with pytest.raises(ValueError, match="of several runs"):
        objects.record(run, tmp_path, into=tmp_path)
