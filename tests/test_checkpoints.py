import pytest
import torch
from torch import nn

from lecture13 import checkpoints
from lecture13.checkpoints import Checkpoint, CheckpointError


def checkpoint(step: int = 3, **settings) -> Checkpoint:
    torch.manual_seed(step)
    state = {"model": nn.Linear(40, 50).state_dict()}
    return Checkpoint(step, settings, state, {"loss": torch.arange(float(step))}, seconds=1.5)


def test_what_is_saved_is_what_is_loaded(tmp_path):
    saved = checkpoint(rate=0.1)
    checkpoints.save(tmp_path / "new" / "run.ckpt", saved)
    found = checkpoints.load(tmp_path / "new" / "run.ckpt", {"rate": 0.1})
    assert (found.step, found.settings, found.seconds) == (3, {"rate": 0.1}, 1.5)
    assert torch.equal(found.state["model"]["weight"], saved.state["model"]["weight"])
    assert found.metrics["loss"].tolist() == [0, 1, 2]
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["run.ckpt"]  # nothing is left beside


def test_none_where_nothing_was_saved(tmp_path):
    assert checkpoints.load(tmp_path / "run.ckpt") is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "run.ckpt"
    checkpoints.save(path, checkpoint())
    content = bytearray(path.read_bytes())
    if damage == "flipped":  # one bit among the weights, which torch.load would take for a weight
        place = content.find(checkpoint().state["model"]["weight"].numpy().tobytes())
        assert place > 0
        content[place + 100] ^= 4
    path.write_bytes(
        {"cut": content[:-50], "flipped": content, "empty": b"", "text": b"<html>not found</html>"}[damage]
    )
    with pytest.raises(CheckpointError, match=r"run\.ckpt is damaged .*delete it"):
        checkpoints.load(path)


def test_other_settings_are_refused_by_name(tmp_path):
    path = tmp_path / "run.ckpt"
    checkpoints.save(path, checkpoint(rate=0.1, widths=[1, 2], data="digits"))
    with pytest.raises(CheckpointError, match=r"rate was 0\.1 and is 0\.2; decay was None and is 0\.9"):
        checkpoints.load(path, {"rate": 0.2, "widths": (1, 2), "data": "digits", "decay": 0.9})
    assert checkpoints.load(path, {"rate": 0.1, "widths": (1, 2), "data": "digits"}).step == 3


def test_settings_must_be_plain():
    with pytest.raises(TypeError, match="settings must be plain"):
        checkpoints.plain({"model": nn.Linear(1, 1)})


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path):
    resource = pytest.importorskip("resource", reason="limits on file sizes are Unix's")
    path = tmp_path / "run.ckpt"
    checkpoints.save(path, checkpoint(3))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # the system itself stops the write in its middle
    try:
        with pytest.raises(CheckpointError, match=r"step 4 to .*File too large.*one before it still is .*run\.ckpt"):
            checkpoints.save(path, checkpoint(4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert checkpoints.load(path).step == 3
    assert [file.name for file in tmp_path.iterdir()] == ["run.ckpt"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="Nothing was saved before"):
        checkpoints.save(tmp_path / "file" / "run.ckpt", checkpoint())
    with pytest.raises(CheckpointError, match=r"cannot write to .*file.*LECTURE13_DATA"):
        checkpoints.writable(tmp_path / "file")


def test_the_probe_leaves_nothing(tmp_path):
    checkpoints.writable(tmp_path / "a" / "b")
    assert not list((tmp_path / "a" / "b").iterdir())
