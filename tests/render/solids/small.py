"""Small meshes, and poses without chance, shared by the tests of solids."""

import torch

from lecture13.render.solids import Mesh, Poses

#: All that is left to chance is the camera and the background.
STILL = {"blur": (0, 0), "noise": (0, 0), "exposure": (0, 0), "tint": (1, 1), "background": ("colours",)}
STILL |= {"ambient": (1, 1), "shine": (0, 0)}


def texture(height=9, width=11, seed=0, dtype=torch.float32):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def soup(count=12, seed=0, dtype=torch.float32):
    """Triangles anywhere, which cut through each other and do not close."""
    generator = torch.Generator().manual_seed(seed)
    middles = torch.rand(count, 1, 3, generator=generator, dtype=torch.float64) * 1.6 - 0.8
    corners = middles + torch.randn(count, 3, 3, generator=generator, dtype=torch.float64) * 0.35
    uv = torch.rand(3 * count, 2, generator=generator, dtype=torch.float64)
    index = torch.arange(3 * count).view(-1, 3)
    return Mesh(corners.reshape(-1, 3).to(dtype), uv.to(dtype), index, index, texture(), "soup")


def cube(side=1.0, colours=None):
    """A closed cube, all of whose faces show the whole texture."""
    half = side / 2
    points = torch.cartesian_prod(*[torch.tensor([-half, half])] * 3)
    quads = torch.tensor([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    faces = torch.cat([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    uv = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    face_uv = torch.tensor([[0, 1, 2]] * 6 + [[0, 2, 3]] * 6)
    return Mesh(points, uv, faces, face_uv, texture() if colours is None else colours, "cube")


def shots(count, seed=0, **ranges):
    return Poses(**(STILL | ranges)).draw(count, torch.Generator().manual_seed(seed))
