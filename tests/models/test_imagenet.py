"""ImageNet's classifiers: what is missing or damaged is said, what is there is used without a download."""

import hashlib
from types import SimpleNamespace

import pytest
import torch
import torchvision
from torch import nn

from lecture13.models.imagenet import imagenet


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of torch's, and no way to download."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *a, **k: pytest.fail("a download was tried"))
    return tmp_path / "hub" / "checkpoints"


def test_missing_weights_say_how_to_get_them(cache):
    with pytest.raises(FileNotFoundError, match=r"weights of googlenet.*download=True"):
        imagenet("googlenet")


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'googlenet2'.*googlenet.*resnet50"):
        imagenet("googlenet2")


def test_a_damaged_file_is_not_used(cache):
    cache.mkdir(parents=True)
    (cache / "googlenet-1378be20.pth").write_bytes(b"half of it")
    with pytest.raises(ValueError, match=r"googlenet-1378be20\.pth is damaged.*expected 1378be20"):
        imagenet("googlenet")


def test_weights_in_the_cache_are_checked_and_wrapped(cache, monkeypatch):
    content = b"weights"
    name = f"tiny-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    cache.mkdir(parents=True)
    (cache / name).write_bytes(content)
    settings = SimpleNamespace(mean=[0.5, 0.5, 0.5], std=[0.25, 0.25, 0.25])
    weights = SimpleNamespace(
        url=f"https://example.org/{name}", transforms=lambda: settings, meta={"categories": ["cat", "dog"]}
    )
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    monkeypatch.setattr(torchvision.models, "get_model_weights", lambda name: SimpleNamespace(DEFAULT=weights))
    monkeypatch.setattr(torchvision.models, "get_model", lambda name, weights: net)
    model, classes = imagenet("googlenet")
    images = torch.rand(3, 3, 2, 2)
    torch.testing.assert_close(model(images), net((images - 0.5) / 0.25))
    assert classes == ("cat", "dog") and not model.training
