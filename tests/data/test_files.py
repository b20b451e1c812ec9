import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from lecture13.data.files import CorruptData, decode, fetch, fit, read_image


@pytest.fixture
def photograph(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    file = tmp_path / "photograph.png"
    Image.fromarray(pixels).save(file)
    return file


def test_decoding_gives_pillows_pixels(photograph):
    found = decode([lambda: read_image(photograph)] * 2, None)
    expected = torch.from_numpy(np.array(Image.open(photograph))).permute(2, 0, 1) / 255
    assert torch.equal(found, torch.stack([expected] * 2))


@pytest.mark.parametrize("size", [16, 25])
def test_the_middle_is_cut_as_torchvision_cuts_it(photograph, size):
    image = read_image(photograph)
    reference = v2.Compose([v2.Resize(round(size * 256 / 224)), v2.CenterCrop(size)])(image)
    assert np.array_equal(np.array(fit(image, size, margin=256 / 224)), np.array(reference))


def test_without_cutting_both_sides_are_scaled(photograph):
    image = read_image(photograph)
    assert np.array_equal(np.array(fit(image, 20, crop=False)), np.array(v2.Resize((20, 20))(image)))


def test_grey_images_become_colour(tmp_path):
    Image.new("L", (4, 4), 51).save(tmp_path / "grey.png")
    assert torch.allclose(decode([lambda: read_image(tmp_path / "grey.png")], None), torch.tensor(0.2))


def test_different_sizes_need_a_size(photograph, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "small.png")
    both = [lambda: read_image(photograph), lambda: read_image(tmp_path / "small.png")]
    with pytest.raises(ValueError, match=r"image 1 has 8×8 pixels, the first 60×40: give a size="):
        decode(both, None)
    assert decode(both, 8).shape == (2, 3, 8, 8)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_truncated_image_is_named(photograph, tmp_path, ending):
    file = tmp_path / f"cut.{ending}"
    Image.open(photograph).save(file)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(CorruptData, match=f"{file} cannot be read as an image"):
        read_image(file)
    with pytest.raises(CorruptData, match=r"missing\.png"):
        read_image(tmp_path / "missing.png")


def write(folder, name="set/data.bin", content=b"whole"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def test_a_download_appears_whole_and_leaves_nothing_beside(tmp_path):
    fetch("set", tmp_path, "set", write)
    assert (tmp_path / "set/data.bin").read_bytes() == b"whole"
    assert [p.name for p in tmp_path.iterdir() if p.name != ".partial"] == ["set"]
    assert not (tmp_path / ".partial/set").exists()


def test_a_download_that_breaks_off_is_never_taken_for_whole(tmp_path):
    def breaks(folder):
        write(folder, "set/half.bin")
        write(folder, "archive.zip", b"checked by its hash")
        raise OSError("connection lost")

    with pytest.raises(ConnectionError, match="downloading 'set' failed: connection lost"):
        fetch("set", tmp_path, "set", breaks)
    assert not (tmp_path / "set").exists()

    def resumes(folder):
        assert (folder / "archive.zip").read_bytes() == b"checked by its hash"
        assert not (folder / "set/half.bin").exists()
        write(folder)

    fetch("set", tmp_path, "set", resumes)
    assert (tmp_path / "set/data.bin").exists() and not (tmp_path / "set/half.bin").exists()


def test_what_is_there_is_not_overwritten(tmp_path):
    write(tmp_path, content=b"mine")
    with pytest.raises(CorruptData, match="is there but not whole: move it away"):
        fetch("set", tmp_path, "set", write)
    assert (tmp_path / "set/data.bin").read_bytes() == b"mine"


def test_a_data_folder_that_cannot_be_written_says_so(tmp_path, monkeypatch):
    from pathlib import Path

    def refused(self, *_, **__):
        raise OSError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(PermissionError, match=r"cannot write to the data folder .*Read-only.*LECTURE13_DATA"):
        fetch("set", tmp_path, "set", write)
