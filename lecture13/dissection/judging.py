"""What a segmenter of scenes tells about a generated picture, by kind: objects, parts of buildings, basic colours.

A drawn scene comes with its maps; a generated one has only what a segmenter sees in it. The segmenter names surfaces,
"roof" beside "tree"; the paper counts objects and parts apart. A roof is both: part "roof" of object "building".
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lecture13.render.concepts import COLOURS, CONCEPTS, name_colours

#: surface → the part of a building that it is.
PARTS = {"building": "wall", "roof": "roof", "window": "window", "door": "door"}

#: kind → names, for :func:`~lecture13.dissection.dissect`; a map's values are indices into them.
KINDS: dict[str, tuple[str, ...]] = {
    "object": tuple(name for name in CONCEPTS["surface"] if name not in set(PARTS) - {"building"}),
    "part": ("none", *PARTS.values()),
    "colour": COLOURS,
}


class SceneJudge(nn.Module):
    """Pictures → {"object", "part", "colour": uint8 (N, H, W)}, indices into :data:`KINDS`.

    Objects and parts are the segmenter's word; colours are read off the pixels (:func:`~.concepts.name_colours`).

    Args:
        segmenter: images (N, 3, H, W) in [0, 1] → logits (N, K, H, W) of the K surfaces of a scene.
        scale: what brings the pictures to [0, 1] first, such as :func:`lecture13.gan.images.to_unit` for a generator's.

    Raises:
        ValueError: when called, logits of another number of surfaces.
    """

    def __init__(self, segmenter: nn.Module, scale: Callable[[Tensor], Tensor] | None = None):
        super().__init__()
        self.segmenter, self.scale = segmenter, scale
        surfaces = CONCEPTS["surface"]
        objects = [KINDS["object"].index("building" if name in PARTS else name) for name in surfaces]
        parts = [KINDS["part"].index(PARTS.get(name, "none")) for name in surfaces]
        self.register_buffer("kinds", torch.tensor([objects, parts], dtype=torch.uint8), persistent=False)

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:  # noqa: D102
        images = pictures if self.scale is None else self.scale(pictures)
        logits = self.segmenter(images)
        if logits.ndim != 4 or logits.shape[1] != self.kinds.shape[1]:
            raise ValueError(
                f"the segmenter gave shape {tuple(logits.shape)}; expected logits (N, {self.kinds.shape[1]}, H, W), "
                f"one for each of the surfaces {', '.join(CONCEPTS['surface'])}"
            )
        objects, parts = self.kinds[:, logits.argmax(1)]
        return {"object": objects, "part": parts, "colour": name_colours(images)}
