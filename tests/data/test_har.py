import zipfile
from pathlib import Path

import numpy as np
import pooch
import pytest

from lecture13 import data
from lecture13.data import CorruptData, har

NAMES = ("WALKING", "WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS", "SITTING", "STANDING", "LAYING")


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(har, "ROWS", {"train": 12, "test": 6})
    folder = tmp_path / har.PLACE
    generator = np.random.default_rng(0)
    for split, rows in har.ROWS.items():
        (folder / split).mkdir(parents=True)
        # the published files' format: 16 columns a number, in exponents of three digits
        table = generator.uniform(-1, 1, (rows, 561))
        numbers = np.char.mod("% .7e", table)
        numbers = np.char.rjust(np.char.replace(np.char.replace(numbers, "e-0", "e-00"), "e+0", "e+00"), 16)
        lines = "\n".join("".join(row) for row in numbers)
        (folder / split / f"X_{split}.txt").write_text(lines + "\n")
        (folder / split / f"y_{split}.txt").write_text("".join(f"{i % 6 + 1}\n" for i in range(rows)))
        np.save(tmp_path / f"{split}.npy", table)
    (folder / "activity_labels.txt").write_text("".join(f"{i} {name}\n" for i, name in enumerate(NAMES, 1)))
    return tmp_path


@pytest.mark.parametrize("split", ["train", "test"])
def test_features_and_labels_as_published(root, split):
    found = data.load("har", split, root=root)
    assert np.allclose(found.images.numpy(), np.load(root / f"{split}.npy"), atol=1e-6)
    assert found.labels.tolist() == [i % 6 for i in range(len(found))]
    assert found.classes[1] == "walking upstairs" and len(found.classes) == 6
    assert "UCI HAR" in found.source


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("train/X_train.txt", lambda text: text[: len(text) // 2]),
        ("train/X_train.txt", lambda text: "\n".join(text.splitlines()[:-3])),
        ("train/y_train.txt", lambda text: text[:10]),
        ("train/y_train.txt", lambda text: text.replace("6", "7")),
        ("train/y_train.txt", lambda text: "walking"),
    ],
)
def test_a_damaged_file_is_named(root, file, damage):
    path = root / har.PLACE / file
    path.write_text(damage(path.read_text()))
    with pytest.raises(CorruptData, match=file):
        data.load("har", root=root)


@pytest.mark.parametrize("file", ["train/X_train.txt", "activity_labels.txt"])
def test_a_missing_file_is_named(root, file):
    (root / har.PLACE / file).unlink()
    with pytest.raises(CorruptData, match=file):
        data.load("har", root=root)


def packed(root, tmp_path):
    """The published archive's form: an archive in an archive."""
    inner, outer = tmp_path / "UCI HAR Dataset.zip", tmp_path / "outer.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        for file in (root / har.PLACE).rglob("*.txt"):
            archive.write(file, file.relative_to(root))
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, inner.name)
    return outer


def test_a_download_is_checked_by_its_sha256_and_unpacked(root, tmp_path, monkeypatch):
    archive, target = packed(root, tmp_path), tmp_path / "elsewhere"

    def serve(*_, **__):
        return lambda url, output, pooch: Path(output).write_bytes(archive.read_bytes())

    monkeypatch.setattr(pooch.core, "choose_downloader", serve)
    with pytest.raises(ConnectionError, match="SHA256"):
        data.load("har", root=target, download=True)
    assert not (target / har.PLACE).exists()
    monkeypatch.setattr(har, "SHA256", pooch.file_hash(archive))
    assert len(data.load("har", root=target, download=True)) == 12
