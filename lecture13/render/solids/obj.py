"""Wavefront OBJ, the plain part of it: positions, texture coordinates, triangles and quadrilaterals, one texture."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lecture13.render.solids.mesh import Mesh

#: Statements that say nothing about the shape or the texture. (Normals are made anew, from the faces.)
_PASSED_OVER = ("o", "g", "s", "vn")
_LARGEST = torch.finfo(torch.float32).max
_SLACK = 1e-5  # what rounding may add to a texture coordinate


def read_obj(path: Path | str, *, texture: Path | str | None = None) -> Mesh:
    """A mesh from an OBJ file, with the texture that its material names (``mtllib``, then ``map_Kd``).

    Read are ``v``, ``vt``, ``f`` (three or four corners, ``v/vt`` or ``v/vt/vn``, counted from 1, or backwards from
    −1), ``mtllib`` and ``usemtl``, whose materials must share one texture; ``o``, ``g``, ``s`` and ``vn`` are passed
    over. A quadrilateral is cut in two.

    Args:
        path: the file.
        texture: an image instead of the material's.

    Raises:
        ValueError: the file is malformed; the message says in which line, and what was expected.
        FileNotFoundError: the file, its material or its texture is not there.
    """
    path = Path(path)
    found = _Reading(path)
    for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), start=1):
        found.line = number
        found.read(line.split("#", 1)[0].split())
    if not found.faces:
        raise ValueError(f"{path} has no face (a line `f v/vt v/vt v/vt`)")
    if texture is None:
        if found.material is None:
            raise ValueError(f"{path} names no material (a line `mtllib FILE.mtl`); give a texture=")
        texture = _texture_of(*found.material, found.used)
    return Mesh(
        torch.tensor(found.positions),
        torch.tensor(found.uv),
        torch.tensor(found.faces),
        torch.tensor(found.face_uv),
        read_texture(texture),
        path.stem,
    )


def write_obj(mesh: Mesh, path: Path | str) -> None:
    """Write a mesh to ``path``, its material and its texture beside it (``.mtl``, and ``.png`` with 8 bits a channel).

    Raises:
        ValueError: a path that does not end in .obj, or whose name an OBJ file cannot hold.
        OSError: as the system says.
    """
    path = Path(path)
    if path.suffix != ".obj":
        raise ValueError(f"{path.name} does not end in .obj")
    if "#" in path.stem or " ".join(path.stem.split()) != path.stem:
        raise ValueError(f"{path.name!r}: an OBJ file cannot name it; expected no #, and single spaces at most")
    lines = [f"mtllib {path.stem}.mtl", f"o {'_'.join(mesh.name.split())}", "usemtl texture"]
    lines += [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in mesh.positions.tolist()]
    lines += [f"vt {u:.9g} {v:.9g}" for u, v in mesh.uv.tolist()]
    both = torch.stack([mesh.faces, mesh.face_uv], 2) + 1
    lines += ["f " + " ".join(f"{v}/{t}" for v, t in face) for face in both.tolist()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    material = f"newmtl texture\nKd 1 1 1\nmap_Kd {path.stem}.png\n"
    path.with_suffix(".mtl").write_text(material, encoding="utf-8")
    write_texture(mesh.texture, path.with_suffix(".png"))


def read_texture(path: Path | str) -> Tensor:
    """An image file as a texture, float32 (1, 3, H, W) in [0, 1].

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is no image that can be read.
    """
    try:
        with Image.open(path) as image:
            if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut at 255
                values = np.asarray(image, dtype=np.float32)[..., None].repeat(3, 2) / 65535
            else:
                values = np.asarray(image.convert("RGB"), dtype=np.float32) / 255
    except FileNotFoundError:
        raise FileNotFoundError(f"no texture {path}") from None
    except OSError as error:
        raise ValueError(f"the texture {path} cannot be read: {error}") from error
    return torch.from_numpy(values).permute(2, 0, 1)[None].contiguous()


def write_texture(texture: Tensor, path: Path | str) -> None:
    """Write a texture (1, 3, H, W) in [0, 1] as an image, rounded to 8 bits a channel."""
    values = texture[0].detach().permute(1, 2, 0).mul(255).round().clamp(0, 255).byte().cpu()
    Image.fromarray(values.numpy()).save(path)


@dataclass
class _Reading:
    """What has been read so far."""

    path: Path
    line: int = 0
    positions: list[list[float]] = field(default_factory=list)
    uv: list[list[float]] = field(default_factory=list)
    faces: list[list[int]] = field(default_factory=list)
    face_uv: list[list[int]] = field(default_factory=list)
    material: tuple[Path, str] | None = None
    used: dict[str, str] = field(default_factory=dict)  # material → the line that uses it first

    def read(self, words: list[str]) -> None:
        """One line's words."""
        if not words or words[0] in _PASSED_OVER:
            return
        keyword, values = words[0], words[1:]
        if keyword == "v":
            self.positions.append(self.numbers(values, 3, "v x y z"))
        elif keyword == "vt":
            self.uv.append(self.place(self.numbers(values, 2, "vt u v")))
        elif keyword == "f":
            self.face(values)
        elif keyword == "mtllib":
            if not values:
                raise self.error("`mtllib` without a file")
            library = self.path.parent / " ".join(values)
            if self.material is not None and self.material[0] != library:
                raise self.error(f"a second material file, beside {self.material[0].name}; expected one")
            self.material = library, f"{self.path}, line {self.line}"
        elif keyword == "usemtl":
            self.used.setdefault(" ".join(values), f"{self.path}, line {self.line}")
        else:
            raise self.error(f"{keyword!r} is not read here: triangles and quadrilaterals (v, vt, f) with one texture")

    def numbers(self, values: list[str], count: int, form: str) -> list[float]:
        """The first ``count`` values; a weight or a third texture coordinate after them is left out."""
        try:
            found = [float(value) for value in values]
        except ValueError:
            raise self.error(f"{' '.join(values)!r} are not all numbers; expected `{form}`") from None
        if not count <= len(found) <= count + 1:
            raise self.error(f"{len(found)} numbers; expected `{form}`")
        if not (np.abs(found) <= _LARGEST).all():  # NaN too
            raise self.error(f"{' '.join(values)!r} are not all finite in 32 bits")
        return found[:count]

    def place(self, uv: list[float]) -> list[float]:
        """A texture coordinate in [0, 1]."""
        if not all(-_SLACK <= value <= 1 + _SLACK for value in uv):
            raise self.error(f"the texture coordinate {tuple(uv)} lies outside [0, 1]; a texture is not repeated here")
        return [min(max(value, 0.0), 1.0) for value in uv]

    def face(self, values: list[str]) -> None:
        """Three corners, or four as two triangles."""
        if len(values) not in (3, 4):
            raise self.error(f"a face of {len(values)} corners; expected 3 or 4: triangulate the mesh")
        corners = [self.corner(value) for value in values]
        for second in range(1, len(corners) - 1):
            triangle = (corners[0], corners[second], corners[second + 1])
            self.faces.append([corner for corner, _ in triangle])
            self.face_uv.append([uv for _, uv in triangle])

    def corner(self, text: str) -> tuple[int, int]:
        """The indices, from 0, of ``v/vt`` or ``v/vt/vn``."""
        parts = text.split("/")
        if len(parts) == 1 or (len(parts) == 3 and not parts[1]):
            raise self.error(f"the corner {text!r} has no texture coordinate; expected v/vt")
        try:
            numbers = [int(part) for part in parts if part]
        except ValueError:
            numbers = []
        if not 2 <= len(numbers) == len(parts) <= 3:
            raise self.error(f"{text!r} is no corner; expected v/vt or v/vt/vn, whole numbers")
        return self.index(numbers[0], len(self.positions), "v"), self.index(numbers[1], len(self.uv), "vt")

    def index(self, number: int, there: int, what: str) -> int:
        """From 1, or backwards from −1, to from 0."""
        if not (1 <= number <= there or -there <= number <= -1):
            raise self.error(f"{what} {number} is not there: {there} of `{what}` stand before this line")
        return number - 1 if number > 0 else there + number

    def error(self, what: str) -> ValueError:
        return ValueError(f"{self.path}, line {self.line}: {what}")


def _texture_of(material: Path, named_by: str, used: dict[str, str]) -> Path:
    """The image that ``map_Kd`` in a material file names, for every material that is used."""
    if not material.exists():
        raise FileNotFoundError(f"{named_by}: no material {material}; give a texture=")
    found: list[tuple[str, Path]] = []  # material, texture
    name = ""
    for number, line in enumerate(material.read_text(encoding="utf-8-sig", errors="replace").splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if words and words[0] == "newmtl":
            name = " ".join(words[1:])
        if words and words[0] == "map_Kd":
            if len(words) == 1 or words[1].startswith("-"):
                raise ValueError(f"{material}, line {number}: expected `map_Kd FILE`, without options")
            found.append((name, material.parent / " ".join(words[1:])))
    textures = {texture for _, texture in found}
    if len(textures) != 1:
        raise ValueError(f"{material} names {len(textures)} textures (map_Kd); expected one, or give a texture=")
    for name, line in used.items():
        if name not in dict(found):
            raise ValueError(f"{line}: the material {name!r} has no texture (map_Kd) in {material}; give a texture=")
    return textures.pop()
