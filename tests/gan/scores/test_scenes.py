import pytest
import torch

from lecture13 import models
from lecture13.data.embedded import FIRST
from lecture13.gan.scores import Features, frechet_distance, scene_distance
from lecture13.render import scenes


def test_generated_scenes_against_held_out_ones(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    monkeypatch.setattr("lecture13.data.stock.PART", 20)
    torch.manual_seed(0)
    net = models.segmenter(widths=(4, 4, 4, 6))
    generated = torch.rand(10, 3, 16, 16)
    score = scene_distance(generated, net)
    assert score.name == "Fréchet distance on scene-segmenter features"
    held_out = scenes.draw(20, size=16, first=FIRST["test"]).images.mul(255).round() / 255
    features = Features(net, "middle", name="x")
    assert score.value == pytest.approx(frechet_distance(held_out[:10], generated, features).value, rel=1e-4)
    assert score.baseline == pytest.approx(frechet_distance(held_out[:10], held_out[10:], features).value, rel=1e-4)
    assert score.baseline < score.value
    assert (score.generated, score.real) == (10, 10)
