"""Parts are closed, their outside is outside, and each keeps to its own rectangle of the texture."""

import math

import pytest
import torch
import torch.nn.functional as F

from lecture13.render.solids import parts
from lecture13.render.solids.atlas import _triangles, assemble
from lecture13.render.solids.mesh import Mesh


def by_place(u, v, p):
    return (p * 0.2 + 0.5).clamp(0, 1)


def volume(part):
    """By the divergence theorem: positive where the faces look outwards."""
    faces, _, points = _triangles(part)
    a, b, c = points.double()[faces].unbind(1)
    return float((torch.linalg.cross(a, b) * c).sum() / 6)


def test_volumes_are_those_of_the_closed_forms():
    assert volume(parts.box((-1, 0, 2), (1, 0.5, 5), by_place)) == pytest.approx(2 * 0.5 * 3)
    for axis in "xyz":
        ball = parts.ellipsoid((1, 2, 3), (1, 2, 3), by_place, axis=axis, around=96, rows=65)
        assert volume(ball) == pytest.approx(4 / 3 * math.pi * 6, rel=0.01)
        cylinder = [(-1.0, (3.0, 4.0), (0.5, 0.25)), (2.0, (3.0, 4.0), (0.5, 0.25))]
        assert volume(parts.tube(axis, cylinder, by_place, around=96)) == pytest.approx(3 * math.pi / 8, rel=0.01)
    assert volume(parts.ring(2.0, 0.5, by_place, around=64, rows=96)) == pytest.approx(math.pi**2, rel=0.01)
    square = [(0.0, (0, 0), (1, 1)), (1.0, (0, 0), (1, 1))]
    assert 3.6 < volume(parts.tube("z", square, by_place, around=64, power=12.0)) < 4


def test_turning_moving_and_mirroring_keep_the_outside_outside():
    part = parts.box((0, 0, 0), (1, 2, 3), by_place)
    assert volume(part.turned(x=20, y=-70, z=200).moved(5, 6, 7)) == pytest.approx(6, rel=1e-4)
    assert volume(part.mirrored()) == pytest.approx(6) and part.mirrored().points[..., 2].max() == 0
    ahead = parts.box((1, 0, 0), (2, 0.1, 0.1), by_place)
    torch.testing.assert_close(ahead.turned(z=90).points[..., 1].max(), torch.tensor(2.0))  # x turns to y
    torch.testing.assert_close(ahead.turned(y=90).points[..., 2].min(), torch.tensor(-2.0))  # and to −z about y


def test_a_smooth_tube_passes_its_stations_and_does_not_overshoot():
    stations = [(0.0, (0, 0), (0, 0)), (1.0, (0, 0), (1, 1)), (2.0, (0, 0), (1, 1)), (4.0, (0, 0), (0.2, 0.2))]
    part = parts.tube("x", stations, by_place, rows=30, around=16)
    assert part.points[..., 1].max() <= 1 + 1e-5
    assert volume(part) > 0


@pytest.fixture(scope="module")
def several():
    things = [parts.ellipsoid((i, 0, 0), (0.4, 0.2 * i + 0.1, 0.3), by_place) for i in range(4)]
    return [*things, parts.ring(1.0, 0.2, by_place), parts.box((0, 2, 0), (1, 3, 1), by_place)]


def test_the_whole_is_closed_and_of_radius_one(several):
    mesh = assemble(several, "several", texels=64)
    assert isinstance(mesh, Mesh) and mesh.closed and mesh.radius == pytest.approx(1)
    assert mesh.texture.shape == (1, 3, 64, 64)


def test_no_two_parts_share_a_texel(several):
    mesh = assemble(several, "several", texels=64)
    painted = torch.zeros(64, 64, dtype=torch.int64)
    start = 0
    for part in several:
        count = len(_triangles(part)[0])
        uv = mesh.uv[mesh.face_uv[start : start + count]].reshape(-1, 2)
        start += count
        low, high = uv.amin(0) * 64, uv.amax(0) * 64  # half a texel inside its rectangle
        left, right = math.floor(float(low[0])), math.ceil(float(high[0]))
        top, bottom = math.floor(64 - float(high[1])), math.ceil(64 - float(low[1]))
        painted[top:bottom, left:right] += 1
    assert painted.max() == 1


def test_the_texture_at_a_corner_is_the_paint_of_that_place():
    ball = parts.ellipsoid((0, 0, 0), (1, 1, 1), by_place, around=16, rows=9)
    mesh = assemble([ball], "ball", texels=128)
    place = torch.stack([2 * mesh.uv[:, 0] - 1, 1 - 2 * mesh.uv[:, 1]], 1)
    seen = F.grid_sample(mesh.texture, place[None, None], align_corners=False)[0, :, 0].T
    where = torch.zeros(len(mesh.uv), 3)
    where[mesh.face_uv.flatten()] = mesh.positions[mesh.faces.flatten()]
    used = torch.zeros(len(mesh.uv), dtype=torch.bool)
    used[mesh.face_uv.flatten()] = True
    assert (seen - by_place(None, None, where))[used].abs().max() < 0.02


def test_too_small_a_texture_is_an_error(several):
    with pytest.raises(ValueError, match="texels=8: too few for 6 parts"):
        assemble(several, "several", texels=8)
