"""Parts put together: one mesh, and one texture on which every part has a rectangle of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lecture13.render.solids.mesh import Mesh
from lecture13.render.solids.parts import Part


def assemble(parts: Sequence[Part], name: str, *, texels: int = 128) -> Mesh:
    """The mesh of all parts, fitted to radius 1, with a texture of ``texels`` × ``texels`` painted by them.

    Raises:
        ValueError: so small a texture that not every part gets its 4 × 4 texels.
    """
    places = _pack([_extent(part) for part in parts], texels)
    positions, uv, faces, face_uv = [], [], [], []
    texture = torch.zeros(texels, texels, 3)
    before, before_uv = 0, 0
    for part, (left, top, wide, high) in zip(parts, places, strict=True):
        around, along = _coordinates(part)
        # from texel centre to texel centre, so that no bilinear sample reaches into a neighbour's rectangle
        u = (left + 0.5 + around * (wide - 1)) / texels
        v = 1 - (top + 0.5 + along * (high - 1)) / texels
        corner, corner_uv, points = _triangles(part)
        positions.append(points)
        uv.append(torch.stack(torch.broadcast_tensors(u[None], v[:, None]), 2).reshape(-1, 2))
        faces.append(corner + before)
        face_uv.append(corner_uv + before_uv)
        before, before_uv = before + len(points), before_uv + len(uv[-1])
        texture[top : top + high, left : left + wide] = _paint(part, along, wide, high)
    mesh = Mesh(
        torch.cat(positions),
        torch.cat(uv),
        torch.cat(faces),
        torch.cat(face_uv),
        texture.clamp(0, 1).permute(2, 0, 1)[None].contiguous(),
        name,
    )
    return mesh.fitted()


def _rows(part: Part) -> Tensor:
    """The rings with the seam closed on the texture: (R or R + 1, M + 1, 3)."""
    points = torch.cat([part.points, part.points[:1]]) if part.meets else part.points
    return torch.cat([points, points[:, :1]], 1)


def _coordinates(part: Part) -> tuple[Tensor, Tensor]:
    """Around (M + 1,), even, and along (R,), by length, both from 0 to 1."""
    rows = _rows(part)
    steps = rows.diff(dim=0).norm(dim=2).mean(1).clamp(min=1e-6)
    along = torch.cat([torch.zeros(1), steps.cumsum(0)])
    return torch.linspace(0, 1, rows.shape[1]), along / along[-1]


def _extent(part: Part) -> tuple[float, float]:
    """How wide and how high its piece of texture should be, in units of the solid."""
    rows = _rows(part)
    length = float(rows.diff(dim=0).norm(dim=2).mean(1).sum())
    girths = rows.diff(dim=1).norm(dim=2).sum(1)
    girth = 0.5 * float(girths.max()) + 0.5 * float(girths.mean())
    return girth * part.detail**0.5, length * part.detail**0.5


def _triangles(part: Part) -> tuple[Tensor, Tensor, Tensor]:
    """Triangles (F, 3) into the positions, and into the (R, M + 1) grid of texture coordinates; positions (V, 3)."""
    rings, m, _ = part.points.shape
    vertex = torch.arange(rings * m).view(rings, m)
    ends = [row for row in (0, rings - 1) if not part.meets]
    for row in ends:
        vertex[row] = vertex[row, 0]  # one point, M times
    vertex = torch.cat([vertex, vertex[:1]]) if part.meets else vertex
    vertex = torch.cat([vertex, vertex[:, :1]], 1)
    texel = torch.arange(vertex.numel()).view_as(vertex)
    found = []
    for grid in (vertex, texel):
        a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
        found.append(torch.stack([torch.stack([a, b, c], 2), torch.stack([a, c, d], 2)], 2).reshape(-1, 3))
    corner, corner_uv = found
    real = (corner[:, 0] != corner[:, 1]) & (corner[:, 1] != corner[:, 2]) & (corner[:, 2] != corner[:, 0])
    return corner[real], corner_uv[real], part.points.reshape(-1, 3)


def _paint(part: Part, along: Tensor, wide: int, high: int) -> Tensor:
    """The colours (high, wide, 3) of its rectangle: paint, asked at the point of the surface under each texel."""
    rows = _rows(part)
    u, v = torch.linspace(0, 1, wide), torch.linspace(0, 1, high)
    row = (torch.searchsorted(along.contiguous(), v, right=True) - 1).clamp(0, len(along) - 2)
    inside = ((v - along[row]) / (along[row + 1] - along[row]))[:, None, None]
    column = (u * (rows.shape[1] - 1)).floor().long().clamp(max=rows.shape[1] - 2)
    beside = (u * (rows.shape[1] - 1) - column)[None, :, None]
    upper = torch.lerp(rows[row][:, column], rows[row][:, column + 1], beside)
    lower = torch.lerp(rows[row + 1][:, column], rows[row + 1][:, column + 1], beside)
    position = torch.lerp(upper, lower, inside)
    return part.paint(u[None].expand(high, wide), v[:, None].expand(high, wide), position)


def _pack(extents: Sequence[tuple[float, float]], texels: int) -> list[tuple[int, int, int, int]]:
    """Where each rectangle lies, (left, top, wide, high) in texels: as large as all of them fit."""
    low, high = 0.0, 16.0 * texels
    best = None
    for _ in range(24):
        scale = (low + high) / 2
        sizes = [(max(4, round(w * scale)), max(4, round(h * scale))) for w, h in extents]
        if (places := _place(sizes, texels)) is None:
            high = scale
        else:
            best, low = places, scale
    if best is None:
        raise ValueError(f"texels={texels}: too few for {len(extents)} parts; take more")
    return best


def _place(sizes: Sequence[tuple[int, int]], texels: int) -> list[tuple[int, int, int, int]] | None:
    """The largest first, each into the free rectangle that it fills best; None where they do not fit.

    Jylänki 2010, "A thousand ways to pack the bin": maximal rectangles, best short side.
    """
    places: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)] * len(sizes)
    free = [(0, 0, texels, texels)]
    for i in sorted(range(len(sizes)), key=lambda i: (-max(sizes[i]), -min(sizes[i]))):
        wide, high = sizes[i]
        room = [space for space in free if space[2] >= wide and space[3] >= high]
        if not room:
            return None
        left, top, *_ = min(room, key=lambda space: sorted((space[2] - wide, space[3] - high)))
        places[i] = (left, top, wide, high)
        free = [rest for space in free for rest in _without(space, places[i])]
        free = [one for k, one in enumerate(free) if not any(_inside(one, other) for other in free[:k] + free[k + 1 :])]
    return places


def _without(space: tuple[int, int, int, int], taken: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    """The largest rectangles of ``space`` that keep clear of ``taken``; they may overlap."""
    left, top, wide, high = space
    x, y, w, h = taken
    if x >= left + wide or x + w <= left or y >= top + high or y + h <= top:
        return [space]
    rests = [
        (left, top, x - left, high),
        (x + w, top, left + wide - x - w, high),
        (left, top, wide, y - top),
        (left, y + h, wide, top + high - y - h),
    ]
    return [rest for rest in rests if rest[2] > 0 and rest[3] > 0]


def _inside(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    (a, b, w, h), (c, d, v, g) = one, other
    within = a >= c and b >= d and a + w <= c + v and b + h <= d + g
    return within and one != other
