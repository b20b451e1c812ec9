"""A textured triangle mesh: corners in space, corners on the texture, and the triangles between them."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

CREASE = 40.0  # degrees: faces that meet at less are one smooth surface


@dataclass(frozen=True)
class Mesh:
    """Triangles with a texture, as a Wavefront OBJ file holds them.

    x is to the right, y is up, z comes towards a viewer at azimuth and elevation 0. A triangle's corners run
    anticlockwise as seen from outside. Positions and texture coordinates have lists of their own, because one point of
    a surface can be two points of its texture: those on either side of a seam.

    Raises:
        TypeError, ValueError: tensors of other shapes or dtypes than below, NaN, indices of corners that are not
            there, or a closed surface that is inside out.
    """

    #: (V, 3) floating, finite.
    positions: Tensor
    #: (U, 2) floating in [0, 1]: u to the right, v **up**, as in OBJ files.
    uv: Tensor
    #: (F, 3) int64 into ``positions``, and into ``uv``; F ≥ 1.
    faces: Tensor
    face_uv: Tensor
    #: (1, 3, H, W) floating in [0, 1], row 0 at v = 1.
    texture: Tensor
    name: str = "mesh"

    def __post_init__(self) -> None:
        for what, width in (("positions", 3), ("uv", 2)):
            values = getattr(self, what)
            floats = isinstance(values, Tensor) and values.is_floating_point()
            if not floats or values.ndim != 2 or values.shape[1] != width:
                raise ValueError(f"{what} are {_kind(values)}; expected a floating tensor (N, {width})")
            if not bool(values.isfinite().all()):
                raise ValueError(f"{what} hold values that are NaN or infinite")
        if bool(((self.uv < 0) | (self.uv > 1)).any()):
            worst = self.uv[((self.uv < 0) | (self.uv > 1)).any(1)][0].tolist()
            raise ValueError(f"texture coordinates {tuple(worst)} lie outside [0, 1]; a texture is not repeated here")
        for what, there in (("faces", self.positions), ("face_uv", self.uv)):
            index = getattr(self, what)
            if not isinstance(index, Tensor) or index.dtype != torch.int64 or index.ndim != 2 or index.shape[1] != 3:
                raise ValueError(f"{what} are {_kind(index)}; expected an int64 tensor (F, 3)")
            if not len(index):
                raise ValueError(f"the mesh {self.name!r} has no triangle; expected one or more")
            if int(index.min()) < 0 or int(index.max()) >= len(there):
                raise ValueError(
                    f"{what} run from {int(index.min())} to {int(index.max())}; expected 0 … {len(there) - 1}"
                )
        if len(self.faces) != len(self.face_uv):
            raise ValueError(f"{len(self.faces)} faces and {len(self.face_uv)} face_uv; expected as many")
        check_texture(self.texture)
        a, b, c = self.corners.double().unbind(1)
        if self.closed and float((torch.linalg.cross(a, b) * c).sum()) < 0:  # six times the volume inside
            raise ValueError(
                f"the mesh {self.name!r} is inside out: its triangles run clockwise as seen from outside; give each "
                "face's corners in the other order"
            )

    @cached_property
    def corners(self) -> Tensor:
        """float32 (F, 3, 3): the position of each corner of each triangle."""
        return self.positions[self.faces].float()

    @cached_property
    def radius(self) -> float:
        """Of the sphere around the origin that holds the mesh; cameras measure their distance in it."""
        return float(self.positions[self.faces.unique()].norm(dim=1).max())

    @cached_property
    def closed(self) -> bool:
        """Whether the surface bounds a solid: every edge is run through as often one way as the other.

        Then the back of a triangle is never seen, and need not be drawn.
        """
        start, end = self.faces.flatten(), self.faces.roll(-1, 1).flatten()
        there, back = (
            (start * len(self.positions) + end).sort().values,
            (end * len(self.positions) + start).sort().values,
        )
        return torch.equal(there, back)

    @cached_property
    def normals(self) -> Tensor:
        """float32 (F, 3, 3): a unit normal at each corner of each triangle, smooth but across creases of over 40°.

        The mean of the normals of the faces that meet there and are at less than 40° to the corner's own, weighted by
        area.
        """
        a, b, c = self.corners.double().unbind(1)
        areas = torch.linalg.cross(b - a, c - a)  # along the normal, twice the area long
        units = torch.nn.functional.normalize(areas, dim=1)
        vertex, order = self.faces.flatten().sort(stable=True)  # corners that share a vertex stand together
        _, inverse, counts = vertex.unique_consecutive(return_inverse=True, return_counts=True)
        first = counts.cumsum(0) - counts
        mates = counts[inverse]  # so many corners stand at this one's vertex
        here = torch.arange(len(order)).repeat_interleave(mates)
        turn = torch.arange(len(here)) - (mates.cumsum(0) - mates).repeat_interleave(mates)
        face, other = order[here] // 3, order[first[inverse[here]] + turn] // 3
        smooth = (units[face] * units[other]).sum(1) > torch.cos(torch.deg2rad(torch.tensor(CREASE)))
        total = torch.zeros(3 * len(self.faces), 3, dtype=torch.float64)
        total.index_add_(0, order[here], areas[other] * smooth[:, None])
        return torch.nn.functional.normalize(total, dim=1).view(-1, 3, 3).float()

    def faces_towards(self, eye: Tensor) -> tuple[Tensor, Tensor]:
        """The triangles that can be seen from a point: all of them, or of a closed mesh those that face it.

        Args:
            eye: (3,).

        Returns:
            Their corners (K, 3, 3), and what the corners carry (K, 3, 5): the place on the texture in ``grid_sample``'s
            coordinates, and the normal, which on an open mesh is turned to the eye's side.
        """
        planes, carried = self._surface
        front = planes[:, :3] @ eye > planes[:, 3]
        if self.closed:
            seen = front.nonzero()[:, 0]
            return self.corners[seen], carried[seen]
        side = torch.where(front, 1.0, -1.0).to(carried)[:, None, None]
        return self.corners, torch.cat([carried[..., :2], carried[..., 2:] * side], 2)

    @cached_property
    def _surface(self) -> tuple[Tensor, Tensor]:
        """Each face's plane n·x = d as (F, 4), and what its corners carry (F, 3, 5)."""
        a, b, c = self.corners.unbind(1)
        across = torch.linalg.cross(b - a, c - a)
        planes = torch.cat([across, (across * a).sum(1, keepdim=True)], 1)
        u, v = self.uv[self.face_uv].float().unbind(2)
        return planes, torch.cat([torch.stack([2 * u - 1, 1 - 2 * v], 2), self.normals], 2)

    def fitted(self) -> "Mesh":
        """Moved and scaled so that its bounding box is centred on the origin and its radius is 1."""
        used = self.positions[self.faces.unique()]
        moved = self.positions - (used.amin(0) + used.amax(0)) / 2
        return replace(self, positions=moved / moved[self.faces.unique()].norm(dim=1).max())

    def painted(self, texture: Tensor) -> "Mesh":
        """The same mesh with another texture (1, 3, H, W)."""
        return replace(self, texture=texture)


def check_texture(texture: Tensor) -> Tensor:
    """``texture``, if it is floating (N, 3, H, W), finite and in [0, 1].

    Raises:
        TypeError, ValueError: anything else.
    """
    if not isinstance(texture, Tensor) or not texture.is_floating_point():
        raise TypeError(f"the texture is {_kind(texture)}; expected a floating tensor (1, 3, H, W) in [0, 1]")
    if texture.ndim != 4 or texture.shape[1] != 3 or not texture.numel():
        raise ValueError(f"the texture has shape {tuple(texture.shape)}; expected (1, 3, H, W)")
    low, high = (float(value) for value in texture.detach().aminmax())
    if not (low >= 0 and high <= 1):  # NaN too
        raise ValueError(f"the texture's values lie in [{low:g}, {high:g}]; expected [0, 1]")
    return texture


def _kind(values: object) -> str:
    return f"{values.dtype} {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
