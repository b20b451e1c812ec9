"""The small real sets' loaders, on small files of the published formats, against torchvision's own reading."""

import gzip
import hashlib
import pickle
import struct

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image
from torchvision import datasets

from lecture13 import data
from lecture13.data import CorruptData, MissingData, folders, small

RNG = np.random.default_rng(0)


def md5(file):
    return hashlib.md5(file.read_bytes()).hexdigest()


def pixels_of(dataset):
    return torch.stack([torch.from_numpy(np.array(image)) for image, _ in dataset])


def write_idx(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    file.write_bytes(head + array.tobytes())


@pytest.fixture(params=["MNIST", "FashionMNIST"])
def idx(request, tmp_path):
    for prefix, count in (("train", 30), ("t10k", 20)):
        raw = tmp_path / request.param / "raw"
        write_idx(raw / f"{prefix}-images-idx3-ubyte", RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        write_idx(raw / f"{prefix}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8) % 10)
    return request.param, {"MNIST": "mnist", "FashionMNIST": "fashion-mnist"}[request.param], tmp_path


@pytest.mark.parametrize("split", ["train", "test"])
def test_idx_files_as_torchvision_reads_them(idx, split):
    kind, name, root = idx
    found, reference = data.load(name, split, root=root), getattr(datasets, kind)(root, train=split == "train")
    assert torch.equal((found.images[:, 0] * 255).round(), pixels_of(reference).float())
    assert found.labels.tolist() == [label for _, label in reference]
    assert found.images.shape[1:] == (1, 28, 28) and len(found.classes) == 10
    assert data.load(name, split, root=root, size=32, count=4).images.shape == (4, 1, 32, 32)


@pytest.mark.parametrize("part", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
@pytest.mark.parametrize("damage", [lambda b: b[:-5], lambda b: b + b"x", lambda b: b[:3], lambda b: b"GIF8" + b[4:]])
def test_a_damaged_idx_file_is_named(idx, part, damage):
    kind, name, root = idx
    file = root / kind / "raw" / part
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(CorruptData, match=str(file)):
        data.load(name, root=root)


def test_a_missing_idx_file_is_named_and_its_archive_is_read(idx):
    kind, name, root = idx
    file = root / kind / "raw" / "train-images-idx3-ubyte"
    whole, before = gzip.compress(file.read_bytes()), data.load(name, root=root).images
    file.unlink()
    with pytest.raises(CorruptData, match=f"{file} is missing"):
        data.load(name, root=root)
    zipped = file.with_name(file.name + ".gz")
    zipped.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptData, match=f"{zipped} is damaged"):
        data.load(name, root=root)
    assert not file.exists()
    zipped.write_bytes(whole)
    assert torch.equal(data.load(name, root=root).images, before)


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    folder = tmp_path / datasets.CIFAR10.base_folder
    folder.mkdir()
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

    def write(name, content):
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, md5(folder / name)]

    def batch():
        return {"data": RNG.integers(0, 256, (6, 3072), dtype=np.uint8), "labels": list(range(6))}

    monkeypatch.setattr(datasets.CIFAR10, "train_list", [write(f"data_batch_{i}", batch()) for i in (1, 2)])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [write("test_batch", batch())])
    meta = write("batches.meta", {"label_names": list(names)})
    monkeypatch.setattr(datasets.CIFAR10, "meta", {"filename": meta[0], "key": "label_names", "md5": meta[1]})
    return tmp_path


@pytest.mark.parametrize("split", ["train", "test"])
def test_cifar10_as_torchvision_reads_it(cifar, split):
    found, reference = data.load("cifar10", split, root=cifar), datasets.CIFAR10(cifar, train=split == "train")
    assert torch.equal((found.images * 255).round(), pixels_of(reference).permute(0, 3, 1, 2).float())
    assert found.labels.tolist() == reference.targets and found.classes == tuple(reference.classes)
    assert found.source.startswith("CIFAR-10, 32×32")


@pytest.mark.parametrize("name", ["data_batch_2", "batches.meta"])
def test_a_damaged_batch_is_named(cifar, name):
    file = cifar / datasets.CIFAR10.base_folder / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorruptData, match=f"{file} is not as published"):
        data.load("cifar10", root=cifar)
    file.unlink()
    with pytest.raises(CorruptData, match=f"{file} is missing"):
        data.load("cifar10", root=cifar)


def test_a_jpeg_copy_of_cifar10_says_that_it_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "complete", lambda found, *_: found)
    for name in ("airplane", "truck"):
        (tmp_path / "cifar10-jpeg/test" / name).mkdir(parents=True)
        Image.new("RGB", (32, 32), (200, 10, 10)).save(tmp_path / "cifar10-jpeg/test" / name / "0.jpg")
    found = data.load("cifar10", "test", root=tmp_path)
    assert "JPEG copy" in found.source and found.classes == ("airplane", "truck")
    assert data.available("cifar10", root=tmp_path)


def test_a_jpeg_copy_that_is_not_whole_is_named(tmp_path):
    (tmp_path / "cifar10-jpeg/test/airplane").mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(tmp_path / "cifar10-jpeg/test/airplane/0.jpg")
    with pytest.raises(CorruptData, match="airplane holds 1 images of 1000"):
        data.load("cifar10", "test", root=tmp_path)


@pytest.fixture
def svhn(tmp_path, monkeypatch):
    (tmp_path / "svhn").mkdir()
    lists = {}
    for split in ("train", "test"):
        file = tmp_path / "svhn" / f"{split}_32x32.mat"
        images = RNG.integers(0, 256, (32, 32, 3, 10), dtype=np.uint8)
        labels = np.arange(1, 11, dtype=np.uint8)[:, None]  # the published files call the digit zero 10
        scipy.io.savemat(file, {"X": images, "y": labels})
        lists[split] = ["", file.name, md5(file)]
    monkeypatch.setattr(datasets.SVHN, "split_list", lists)
    return tmp_path


def test_svhn_as_torchvision_reads_it(svhn):
    found, reference = data.load("svhn", "test", root=svhn), datasets.SVHN(svhn / "svhn", "test")
    assert torch.equal((found.images * 255).round(), pixels_of(reference).permute(0, 3, 1, 2).float())
    assert found.labels.tolist() == [*range(1, 10), 0] and found.labels.dtype == torch.int64


def test_a_damaged_mat_file_is_named(svhn):
    file = svhn / "svhn/train_32x32.mat"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(CorruptData, match=str(file)):
        data.load("svhn", root=svhn)


@pytest.fixture
def gtsrb(tmp_path):
    base = tmp_path / "gtsrb"
    for label in (0, 14):
        folder = base / f"GTSRB/Training/{label:05}"
        folder.mkdir(parents=True)
        for i in range(2):
            Image.fromarray(RNG.integers(0, 256, (40 + i, 50, 3), dtype=np.uint8)).save(folder / f"00000_{i:05}.ppm")
    test = base / "GTSRB/Final_Test/Images"
    test.mkdir(parents=True)
    rows = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for i, label in enumerate((14, 2, 33)):
        Image.fromarray(RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(test / f"{i:05}.ppm")
        rows.append(f"{i:05}.ppm;32;32;5;5;27;27;{label}")
    (base / "GT-final_test.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_gtsrb_as_torchvision_reads_it(gtsrb):
    found, reference = data.load("gtsrb", "test", root=gtsrb), datasets.GTSRB(gtsrb, "test")
    assert torch.equal((found.images * 255).round(), pixels_of(reference).permute(0, 3, 1, 2).float())
    assert found.labels.tolist() == [14, 2, 33] and found.classes[14] == "stop" and len(found.classes) == 43
    train = data.load("gtsrb", root=gtsrb)
    assert train.images.shape == (4, 3, 32, 32)
    assert train.labels.tolist() == [0, 0, 14, 14]
    assert "4 of 26640 images" in train.source


@pytest.mark.parametrize(
    ("split", "name", "damage"),
    [
        ("train", "GTSRB/Training/00014/00000_00001.ppm", lambda b: b[:100]),
        ("test", "GTSRB/Final_Test/Images/00001.ppm", lambda b: b[:100]),
        ("test", "GT-final_test.csv", lambda b: b[:-4]),
    ],
)
def test_a_damaged_file_of_gtsrb_is_named(gtsrb, split, name, damage):
    file = gtsrb / "gtsrb" / name
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(CorruptData, match=str(file)):
        data.load("gtsrb", split, root=gtsrb)


@pytest.mark.parametrize("name", ["GTSRB/Final_Test/Images/00001.ppm", "GT-final_test.csv"])
def test_a_missing_file_of_gtsrb_is_named(gtsrb, name):
    (gtsrb / "gtsrb" / name).unlink()
    with pytest.raises(CorruptData, match=str(gtsrb / "gtsrb" / name)):
        data.load("gtsrb", "test", root=gtsrb)


def test_a_missing_half_of_gtsrb_is_named(tmp_path):
    (tmp_path / "gtsrb").mkdir()
    with pytest.raises(CorruptData, match=r"GTSRB/Training is missing"):
        data.load("gtsrb", root=tmp_path)


def test_resizing_is_antialiased():
    board = torch.zeros(1, 1, 8, 8)
    board[..., ::2, ::2] = board[..., 1::2, 1::2] = 1
    small_board = small.resize(board, 4)
    assert small_board.shape == (1, 1, 4, 4)
    assert (small_board - 0.5).abs().max() < 0.1  # without antialiasing it would be black and white


def test_a_torchvision_download_passes_through_the_partial_folder(tmp_path, monkeypatch):
    def download(self):
        folder = self.raw_folder
        assert ".partial" in folder
        raise RuntimeError("Error downloading train-images-idx3-ubyte.gz")

    monkeypatch.setattr(datasets.MNIST, "download", download)
    with pytest.raises(ConnectionError, match=r"downloading 'mnist' failed: Error downloading train-images"):
        data.load("mnist", root=tmp_path, download=True)
    with pytest.raises(MissingData):
        data.load("mnist", root=tmp_path)
