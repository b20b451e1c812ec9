import hashlib

import pytest
import torch

from lecture13.gan.scores import inception_v3
from lecture13.gan.scores.inception_v3 import InceptionV3


@pytest.fixture
def weights(tmp_path, monkeypatch):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"not really")
    monkeypatch.setattr(inception_v3, "SHA256", hashlib.sha256(b"not really").hexdigest()[:8])
    return path


def test_weights_that_are_not_there_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE13_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"6726825d\.pth: call InceptionV3\(download=True\)"):
        InceptionV3()
    with pytest.raises(FileNotFoundError, match=r"mine\.pth"):
        InceptionV3(weights=tmp_path / "mine.pth")


def test_other_weights_are_refused(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="expected 6726825d"):
        InceptionV3(weights=path)


def test_a_download_is_checked(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *args, **options: asked.append((args, options)))
    with pytest.raises(FileNotFoundError):
        InceptionV3(weights=tmp_path / "w.pth", download=True)
    assert asked == [((inception_v3.WEIGHTS, str(tmp_path / "w.pth")), {"hash_prefix": "6726825d"})]


def test_unknown_layers_are_refused():
    with pytest.raises(ValueError, match="layer='fc'; known: features, logits"):
        InceptionV3("fc")


def test_without_torch_fidelity_it_says_what_to_install(weights, monkeypatch):
    monkeypatch.setattr("torchmetrics.image.fid._TORCH_FIDELITY_AVAILABLE", False)
    with pytest.raises(ModuleNotFoundError, match="pip install torch-fidelity"):
        InceptionV3(weights=weights)


def test_it_gets_bytes_and_is_named(weights, monkeypatch):
    class Net(torch.nn.Module):
        def __init__(self, kind, layers, path, antialias):
            super().__init__()
            self.asked = kind, layers, path, antialias

        def forward(self, images):
            assert images.dtype == torch.uint8
            return images.float().mean((2, 3))

    monkeypatch.setattr("torchmetrics.image.fid.NoTrainInceptionV3", Net)
    net = InceptionV3(weights=weights)
    assert net.net.asked == ("inception-v3-compat", ["2048"], str(weights), False)
    assert net.name.endswith("(FID)") and not InceptionV3("logits", weights=weights).name.endswith("(FID)")
    torch.testing.assert_close(net(torch.full((2, 3, 4, 4), 0.5)), torch.full((2, 3), 128.0))
