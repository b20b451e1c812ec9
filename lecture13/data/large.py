"""The large real sets, of which a run decodes only the images that it asks for: LSUN, CelebA, ImageNet."""

import io
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torchvision import datasets

from lecture13.data.files import CorruptData, MissingData, Source, decode, read_image

LSUN_SPLITS = {"train": "train", "validation": "val"}
CELEBA_SPLITS = {"train": "train", "validation": "valid", "test": "test"}
IMAGENET_SPLITS = {"train": "train", "validation": "val"}


def lsun(root: Path, split: str, size: int | None) -> Source:
    """The categories that are there, ``lsun/<category>_<train|val>_lmdb``; the middle of each image, 64×64 by default.

    Read with lmdb itself: torchvision's LSUN leaves a pickle of the keys in the working folder, and trusts one it
    finds there.

    Raises:
        MissingData: no category of that split is there, or the package lmdb is missing.
        CorruptData: a database cannot be opened, or an image in it not be decoded; it is named.
    """
    try:
        import lmdb
    except ImportError as error:
        raise MissingData("LSUN comes as lmdb databases: pip install lmdb") from error
    ending = f"_{LSUN_SPLITS[split]}_lmdb"
    folders = sorted(folder for folder in (root / "lsun").glob(f"*{ending}") if folder.is_dir())
    if not folders:
        raise MissingData(f"no category of LSUN's split {split!r}: expected {root / 'lsun'}/CATEGORY{ending}")
    keys, labels = [], []
    for label, folder in enumerate(folders):
        try:
            with lmdb.open(str(folder), readonly=True, lock=False) as base, base.begin() as view:
                found = [(folder, key) for key in view.cursor().iternext(values=False)]
        except lmdb.Error as error:
            raise CorruptData(f"{folder} cannot be opened ({error}): get it again") from error
        keys += found
        labels += [label] * len(found)

    def image(folder: Path, key: bytes) -> Image.Image:
        with lmdb.open(str(folder), readonly=True, lock=False) as base, base.begin() as view:
            packed = view.get(key)
        try:
            return Image.open(io.BytesIO(packed)).convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise CorruptData(f"image {key.decode()} of {folder} cannot be decoded ({error}): get it again") from error

    def read(indices: Tensor) -> Tensor:
        return decode([partial(image, *keys[i]) for i in indices.tolist()], size or 64)

    classes = tuple(folder.name.removesuffix(ending) for folder in folders)
    return Source(torch.tensor(labels), classes, read, "LSUN")


def celeba(root: Path, split: str, size: int | None) -> Source:
    """Aligned faces, the middle of each, 64×64 by default; labelled by the attribute "Smiling".

    Raises:
        CorruptData: a table is missing or not as published; it is named.
    """
    folder = root / datasets.CelebA.base_folder
    for _, md5, name in datasets.CelebA.file_list:
        if not name.endswith(".zip") and not datasets.utils.check_integrity(folder / name, md5):
            raise CorruptData(f"{folder / name} is missing, or not as published: get it again")
    found = datasets.CelebA(root, CELEBA_SPLITS[split])
    labels = found.attr[:, found.attr_names.index("Smiling")].long()

    def read(indices: Tensor) -> Tensor:
        files = [folder / "img_align_celeba" / found.filename[i] for i in indices.tolist()]
        return decode([partial(read_image, file) for file in files], size or 64)

    return Source(labels, ("not smiling", "smiling"), read, "CelebA (aligned)")


def imagenet(root: Path, split: str, size: int | None) -> Source:
    """ILSVRC 2012 in its 1000 classes, as torchvision's weights expect it: the middle 224 of 256 pixels by default.

    Raises:
        MissingData: the split's folder is not there.
        CorruptData: the development kit is missing or damaged, or a class folder is none of ImageNet's; it is named.
    """
    folder = root / "imagenet"
    images = folder / IMAGENET_SPLITS[split]
    if not images.is_dir():
        raise MissingData(f"no images of ImageNet's split {split!r}: expected {images}/WORDNET-ID/IMAGE.JPEG")
    meta, kit = folder / "meta.bin", folder / datasets.imagenet.ARCHIVE_META["devkit"][0]
    try:
        if not meta.exists():
            datasets.imagenet.parse_devkit_archive(folder)
        names = datasets.imagenet.load_meta_file(folder)[0]
    except Exception as error:  # whatever tarfile, scipy and torch say of a damaged archive
        raise CorruptData(f"{kit} is missing or damaged ({error}): put it there again") from error
    wordnet = sorted(names)  # the order of the weights' logits
    found = datasets.ImageFolder(images)
    unknown = [name for name in found.classes if name not in names]
    if unknown:
        raise CorruptData(f"{images / unknown[0]} is no class of ImageNet: move it away")
    number = torch.tensor([wordnet.index(name) for name in found.classes])

    def read(indices: Tensor) -> Tensor:
        files = [Path(found.samples[i][0]) for i in indices.tolist()]
        return decode([partial(read_image, file) for file in files], size or 224, margin=256 / 224)

    classes = tuple(names[name][0] for name in wordnet)
    return Source(number[torch.tensor(found.targets)], classes, read, "ImageNet (ILSVRC 2012)")
