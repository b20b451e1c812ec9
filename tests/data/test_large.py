"""The large sets' loaders, on small files of the published formats."""

import hashlib
import io

import lmdb
import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from lecture13 import data
from lecture13.data import CorruptData, MissingData


def packed(grey: int, ending: str = "webp") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (grey, grey, grey)).save(buffer, ending)
    return buffer.getvalue()


@pytest.fixture
def lsun(tmp_path):
    for category, greys in (("bedroom", (50, 60, 70)), ("tower", (150, 160))):
        (tmp_path / "lsun").mkdir(exist_ok=True)
        with (
            lmdb.open(str(tmp_path / "lsun" / f"{category}_train_lmdb"), map_size=2**20) as base,
            base.begin(write=True) as view,
        ):
            for i, grey in enumerate(greys):
                view.put(hashlib.sha1(bytes([i, grey])).hexdigest().encode(), packed(grey))
    return tmp_path


def test_lsun_reads_the_categories_that_are_there(lsun, monkeypatch):
    monkeypatch.chdir(lsun)
    found = data.load("lsun", root=lsun)
    assert found.images.shape == (5, 3, 64, 64)
    assert found.classes == ("bedroom", "tower") and found.labels.tolist() == [0, 0, 0, 1, 1]
    greys = (found.images.mean((1, 2, 3)) * 255).round()
    assert sorted(greys[:3].tolist()) == pytest.approx([50, 60, 70], abs=2)
    assert sorted(greys[3:].tolist()) == pytest.approx([150, 160], abs=2)
    assert data.load("lsun", root=lsun, count=2, size=16).images.shape == (2, 3, 16, 16)
    assert [p.name for p in lsun.iterdir()] == ["lsun"]  # torchvision's reader would leave a pickle here


def test_a_split_of_lsun_that_is_not_there(lsun):
    with pytest.raises(MissingData, match="CATEGORY_val_lmdb"):
        data.load("lsun", "validation", root=lsun)


def test_a_damaged_database_or_image_of_lsun_is_named(lsun):
    folder = lsun / "lsun/tower_train_lmdb"
    with lmdb.open(str(folder), map_size=2**20) as base, base.begin(write=True) as view:
        view.put(b"broken", packed(9)[:20])
    with pytest.raises(CorruptData, match=f"image broken of {folder}"):
        data.load("lsun", root=lsun)
    (folder / "data.mdb").write_bytes(b"no database")
    with pytest.raises(CorruptData, match=f"{folder} cannot be opened"):
        data.load("lsun", root=lsun)


@pytest.fixture
def celeba(tmp_path, monkeypatch):
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{i:06}.jpg" for i in range(1, 7)]
    for i, name in enumerate(names):
        Image.new("RGB", (178, 218), (20 * i, 20 * i, 20 * i)).save(folder / "img_align_celeba" / name)
    tables = {
        "list_attr_celeba.txt": "6\nMale Smiling \n"
        + "".join(f"{n} -1 {1 if i % 2 else -1:2}\n" for i, n in enumerate(names)),
        "identity_CelebA.txt": "".join(f"{n} 7\n" for n in names),
        "list_bbox_celeba.txt": "6\nimage_id x_1 y_1 width height\n" + "".join(f"{n} 1 2 3 4\n" for n in names),
        "list_landmarks_align_celeba.txt": "6\nlefteye_x lefteye_y\n" + "".join(f"{n} 1 2\n" for n in names),
        "list_eval_partition.txt": "".join(f"{n} {i // 2}\n" for i, n in enumerate(names)),
    }
    files = []
    for name, text in tables.items():
        (folder / name).write_text(text)
        files.append(("", hashlib.md5(text.encode()).hexdigest(), name))
    monkeypatch.setattr(datasets.CelebA, "file_list", files)
    return tmp_path


@pytest.mark.parametrize(("split", "greys"), [("train", (0, 20)), ("validation", (40, 60)), ("test", (80, 100))])
def test_celeba_splits_and_smiles(celeba, split, greys):
    found = data.load("celeba", split, root=celeba)
    assert found.images.shape == (2, 3, 64, 64)
    assert (found.images.mean((1, 2, 3)) * 255).tolist() == pytest.approx(greys, abs=2)
    assert found.labels.tolist() == [0, 1] and found.classes == ("not smiling", "smiling")


def test_a_damaged_table_or_face_is_named(celeba):
    face = celeba / "celeba/img_align_celeba/000002.jpg"
    face.write_bytes(face.read_bytes()[:300])
    with pytest.raises(CorruptData, match=str(face)):
        data.load("celeba", root=celeba)
    table = celeba / "celeba/list_eval_partition.txt"
    table.write_text(table.read_text()[:-10])
    with pytest.raises(CorruptData, match=str(table)):
        data.load("celeba", root=celeba)


@pytest.fixture
def imagenet(tmp_path):
    folder = tmp_path / "imagenet"
    names = {"n03": ("giant panda", "panda"), "n01": ("tench",), "n02": ("goldfish",)}
    folder.mkdir()
    torch.save((names, ["n01"]), folder / "meta.bin")  # what torchvision makes of the development kit
    for wordnet, grey in (("n01", 40), ("n03", 200)):
        (folder / "val" / wordnet).mkdir(parents=True)
        Image.new("RGB", (300, 260), (grey, grey, grey)).save(folder / "val" / wordnet / "ILSVRC2012_val_1.JPEG")
    return tmp_path


def test_imagenet_numbers_its_classes_as_the_weights_do(imagenet):
    found = data.load("imagenet", "validation", root=imagenet)
    assert found.images.shape == (2, 3, 224, 224)
    assert found.labels.tolist() == [0, 2]  # n02 has no image here, and keeps its number
    assert found.classes == ("tench", "goldfish", "giant panda")
    assert np.allclose(found.images.mean((1, 2, 3)) * 255, [40, 200], atol=2)


def test_imagenet_without_its_kit_or_with_a_foreign_folder(imagenet):
    (imagenet / "imagenet/val/cats").mkdir()
    Image.new("RGB", (9, 9)).save(imagenet / "imagenet/val/cats/1.JPEG")
    with pytest.raises(CorruptData, match="val/cats is no class of ImageNet"):
        data.load("imagenet", "validation", root=imagenet)
    (imagenet / "imagenet/meta.bin").unlink()
    with pytest.raises(CorruptData, match=r"ILSVRC2012_devkit_t12.tar.gz is missing or damaged"):
        data.load("imagenet", "validation", root=imagenet)


def test_a_split_of_imagenet_that_is_not_there(imagenet):
    with pytest.raises(MissingData, match="imagenet/train"):
        data.load("imagenet", "train", root=imagenet)
