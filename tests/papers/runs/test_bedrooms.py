import pytest
import torch
from torch import nn

from lecture13 import models, papers
from lecture13.gan.dcgan import Generator
from lecture13.gan.scores import frechet_distance, scene_features
from lecture13.papers import records
from lecture13.papers.runs import bedrooms
from lecture13.profile import SIZES, use

NEAR = "generated images nearer to a training image than 99 % of fresh ones are"


def batch(count, seed):
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return models.segmenter(widths=(4, 4, 4, 6)).eval()


def test_copies_are_seen_mirrored_or_not_and_fresh_images_are_not(net):
    train, real, fresh = batch(60, 0), batch(20, 1), batch(20, 2)
    copies = torch.cat([train[:10], train[10:20].flip(-1)])
    found = bedrooms.measure({"copies": copies, "fresh": batch(20, 3)}, train, real, fresh, net)
    assert found["copies"][NEAR] == 100
    assert found["fresh"][NEAR] <= 10
    frechet = found["fresh"]["Fréchet distance on scene-segmenter features"]
    assert frechet == pytest.approx(frechet_distance(real, batch(20, 3), scene_features(net)).value)


def test_the_full_run_is_recorded_beside_the_paper(tmp_path, monkeypatch, net):
    class Small(nn.Module):
        noise = 5

        def __init__(self):
            super().__init__()
            self.net = Generator(16, (8, 4), noise=5)

        def forward(self, z):
            return self.net(z)

    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr(bedrooms.zoo, "load", lambda name: net if name == "scene-segmenter" else Small())
    monkeypatch.setattr(bedrooms, "scene_bytes", lambda count, **split: batch(count, len(split)).mul(255).byte())
    for size in ("train_scenes", "scored_scenes"):
        monkeypatch.setitem(SIZES, f"dcgan.{size}", (12, 12, 12))
    assert bedrooms.main(["--record"]) == 0
    kept = papers.recorded("dcgan-bedrooms")
    assert kept["Figure 3", "passes over the data"].value == 5
    assert kept["Figure 2", NEAR].data == "12 generated scenes, 12 training scenes, drawn, 64×64"
    assert len(kept) == 6 and use("full", device="cpu").name == kept["Figure 2", NEAR].profile
