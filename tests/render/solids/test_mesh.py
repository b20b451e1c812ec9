import math
from dataclasses import replace

import pytest
import torch

from lecture13.render.solids import Mesh
from lecture13.render.solids.atlas import assemble
from lecture13.render.solids.parts import ellipsoid
from tests.render.solids.small import cube, soup, texture


def test_a_cube_has_sharp_edges_and_flat_faces():
    mesh = cube()
    a, b, c = mesh.corners.unbind(1)
    flat = torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=1)
    torch.testing.assert_close(mesh.normals, flat[:, None].expand(-1, 3, -1))
    torch.testing.assert_close((mesh.normals * mesh.corners).sum(2), torch.full((12, 3), 0.5))  # they point outwards


def test_a_sphere_is_smooth():
    ball = assemble([ellipsoid((0, 0, 0), (1, 1, 1), lambda u, v, p: p, around=32, rows=17)], "ball")
    away = torch.nn.functional.normalize(ball.corners, dim=2)
    angle = torch.rad2deg(torch.acos((away * ball.normals).sum(2).clamp(-1, 1)))
    assert angle.max() < 6 and angle.mean() < 1  # the facets are 11° wide


def test_closed_or_not():
    assert cube().closed and not soup().closed
    hole = cube()
    assert not replace(hole, faces=hole.faces[1:], face_uv=hole.face_uv[1:]).closed
    turned = hole.faces.clone()
    turned[0] = turned[0].flip(0)
    assert not replace(hole, faces=turned).closed


def test_fitted_is_round_the_origin_with_radius_one():
    mesh = cube()
    mesh = replace(mesh, positions=mesh.positions * torch.tensor([3.0, 1.0, 2.0]) + 7).fitted()
    assert mesh.radius == pytest.approx(1)
    torch.testing.assert_close(mesh.positions.amax(0), -mesh.positions.amin(0))
    sides = mesh.positions.amax(0) * 2
    torch.testing.assert_close(sides, torch.tensor([3.0, 1.0, 2.0]) * 2 / math.sqrt(14))


def test_points_that_no_face_uses_do_not_count():
    mesh = cube()
    far = replace(mesh, positions=torch.cat([mesh.positions, torch.tensor([[100.0, 0, 0]])]))
    assert far.radius == mesh.radius and far.fitted().radius == pytest.approx(1)


def test_faces_towards_a_point():
    mesh = cube()
    corners, carried = mesh.faces_towards(torch.tensor([3.0, 0.2, -0.1]))
    assert len(corners) == 2 and torch.equal(corners[..., 0], torch.full((2, 3), 0.5))
    torch.testing.assert_close(carried[..., 2:], torch.tensor([1.0, 0, 0]).expand(2, 3, 3))
    corners, carried = soup().faces_towards(eye := torch.tensor([5.0, 0, 0]))
    assert len(corners) == 12
    assert ((carried[..., 2:] * (eye - corners)).sum(2) > 0).all()  # an open surface looks at the eye


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("positions", torch.zeros(8, 2), r"positions are torch.float32 \(8, 2\); expected a floating tensor \(N, 3\)"),
        ("positions", torch.full((8, 3), torch.nan), "positions hold values that are NaN or infinite"),
        ("uv", torch.zeros(4, 2, dtype=torch.int64), r"uv are torch.int64"),
        ("uv", torch.full((4, 2), 1.5), r"texture coordinates \(1.5, 1.5\) lie outside \[0, 1\]"),
        ("faces", torch.full((12, 3), 8), r"faces run from 8 to 8; expected 0 … 7"),
        ("faces", torch.full((12, 3), -1), "faces run from -1"),
        ("faces", torch.zeros(0, 3, dtype=torch.int64), "the mesh 'cube' has no triangle"),
        ("faces", torch.zeros(12, 4, dtype=torch.int64), r"expected an int64 tensor \(F, 3\)"),
        ("face_uv", torch.zeros(11, 3, dtype=torch.int64), "12 faces and 11 face_uv"),
        ("texture", torch.rand(3, 8, 8), r"the texture has shape \(3, 8, 8\); expected \(1, 3, H, W\)"),
        ("texture", 2 * torch.ones(1, 3, 8, 8), r"the texture's values lie in \[2, 2\]; expected \[0, 1\]"),
        ("texture", torch.full((1, 3, 8, 8), torch.nan), "expected"),
    ],
)
def test_a_wrong_mesh_is_named(field, value, message):
    with pytest.raises(ValueError, match=message):
        replace(cube(), **{field: value})


def test_a_texture_of_whole_numbers_is_an_error():
    with pytest.raises(TypeError, match="the texture is torch"):
        cube().painted(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))


def test_a_closed_mesh_that_is_inside_out_is_an_error():
    box = cube()
    with pytest.raises(ValueError, match="'cube' is inside out: its triangles run clockwise"):
        replace(box, faces=box.faces.flip(1), face_uv=box.face_uv.flip(1))
    opened = replace(box, faces=box.faces.flip(1)[1:], face_uv=box.face_uv.flip(1)[1:])  # open: no outside
    assert not opened.closed


def test_painted_changes_the_texture_alone():
    mesh: Mesh = cube()
    other = mesh.painted(texture(seed=3))
    assert torch.equal(other.texture, texture(seed=3)) and other.positions is mesh.positions
