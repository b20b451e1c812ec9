"""Maps of photographs from label images, in which a colour says what is at a pixel."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lecture13.data.files import CorruptData, MissingData, read_image
from lecture13.dissection.concepts import NONE

#: Label colours of the LabelMeFacade photographs (Fröhlich et al. 2010; Brust et al. 2015).
FACADES: dict[str, tuple[int, int, int]] = {
    NONE: (0, 0, 0),
    "building": (128, 0, 0),
    "window": (0, 0, 128),
    "door": (128, 128, 0),
    "sky": (0, 128, 128),
    "vegetation": (0, 128, 0),
    "car": (128, 0, 128),
    "road": (128, 64, 0),
    "pavement": (128, 128, 128),
}


def read_maps(
    files: Sequence[Path | str], palette: Mapping[str, tuple[int, int, int]], *, size: int | None = None
) -> Tensor:
    """Label images whose colours name what is at each pixel: uint8 (N, H, W), indices into the palette's names.

    Args:
        files: label images (PNG), in the order of the photographs.
        palette: name → (red, green, blue) from 0 to 255, such as :data:`FACADES`; up to 256 names.
        size: side of the middle square that is cut out and scaled to size × size, as ``lecture13.data`` does with
            photographs; by the nearest pixel, so that no new label arises. None keeps images of one size as they are.

    Raises:
        MissingData: no files, or one that is not there.
        CorruptData: a file that cannot be read, or a colour that the palette does not have.
        ValueError: images of different sizes and no ``size``.
    """
    if not files:
        raise MissingData("no label images; expected the paths of one or more, such as sorted(folder.glob('*.png'))")
    colours = {tuple(colour): number for number, colour in enumerate(palette.values())}
    codes = np.array([(red * 256 + green) * 256 + blue for red, green, blue in colours])
    order = codes.argsort()
    maps = []
    for file in map(Path, files):
        if not file.is_file():
            raise MissingData(f"no label image {file}; expected one for each photograph")
        pixels = _square(np.array(read_image(file)), size).astype(np.int64)
        code = (pixels[..., 0] * 256 + pixels[..., 1]) * 256 + pixels[..., 2]
        place = order[np.searchsorted(codes, code, sorter=order).clip(max=len(codes) - 1)]
        if (codes[place] != code).any():
            wrong = tuple(pixels[codes[place] != code][0].tolist())
            raise CorruptData(f"{file} has the colour {wrong}, which no name stands for; known: {dict(palette)}")
        maps.append(torch.from_numpy(np.array(list(colours.values()), dtype=np.uint8)[place]))
        if maps[-1].shape != maps[0].shape:
            raise ValueError(
                f"{file} has {tuple(maps[-1].shape)} pixels, the first {tuple(maps[0].shape)}: give a size=, to which "
                "all are scaled"
            )
    return torch.stack(maps)


def _square(pixels: np.ndarray, size: int | None) -> np.ndarray:
    """The middle of (H, W, 3), size × size, each pixel the one that lies at its centre."""
    if size is None:
        return pixels
    height, width = pixels.shape[:2]
    side = min(height, width)
    steps = ((np.arange(size) + 0.5) * side / size).astype(int)
    return pixels[(height - side) // 2 + steps[:, None], (width - side) // 2 + steps]
