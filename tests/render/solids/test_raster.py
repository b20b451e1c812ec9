"""The rasteriser beside rays: every pixel's ray, cut with every triangle, in NumPy."""

import numpy as np
import pytest
import torch

from lecture13.render.solids import Mesh, look, solid
from lecture13.render.solids.raster import rasterise
from lecture13.render.solids.views import FOCUS
from tests.render.solids.small import cube, shots, soup

NEAR = 1e-3  # barycentric: this close to an edge, rounding decides


def cast(mesh, shot, size):
    """Möller & Trumbore 1997, in double precision: mask, uv, and which pixels are near an edge or a second surface."""
    turn = shot.rotation[0].double().numpy()
    steps = (2 * np.arange(size) + 1) / size - 1
    right, down = np.meshgrid(steps, steps)
    shift = shot.shift[0].double().numpy()
    rays = np.stack([(right - 2 * shift[0]) / FOCUS, -(down - 2 * shift[1]) / FOCUS, -np.ones_like(right)], -1).reshape(
        -1, 3
    )
    rays = rays @ turn  # to the solid's coordinates
    eye = float(shot.distance[0]) * mesh.radius * turn[2]
    a, b, c = mesh.positions.double().numpy()[mesh.faces.numpy()].transpose(1, 0, 2)
    one, two = b - a, c - a
    p = np.cross(rays[:, None], two)
    determinant = (p * one).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (p * (eye - a)).sum(-1) / determinant
        q = np.cross(eye - a, one)
        v = (q * rays[:, None]).sum(-1) / determinant
        t = (q * two).sum(-1) / determinant
    shares = np.stack([1 - u - v, u, v], -1)
    least = np.where(np.isfinite(shares).all(-1), shares.min(-1), -np.inf)
    hit = (least >= 0) & (t > 0)
    depth = np.where(hit, t, np.inf)
    order = np.sort(depth, 1)
    with np.errstate(invalid="ignore"):
        second = order[:, 1] - order[:, 0] < 1e-4 if depth.shape[1] > 1 else np.zeros(len(depth), bool)
    unsure = (np.abs(least) < NEAR).any(1) | second
    first = depth.argmin(1)
    corners = mesh.uv.double().numpy()[mesh.face_uv.numpy()][first]
    uv = (shares[np.arange(len(first)), first][..., None] * corners).sum(1)
    return hit.any(1).reshape(size, size), uv.reshape(size, size, 2), unsure.reshape(size, size)


def agree(mesh, size, count=3, seed=0, least=20, **ranges):
    drawn = shots(count, seed, **ranges)
    views = look(mesh, drawn, size=size, samples=1)
    sure = covered = 0
    for i in range(count):
        mask, uv, unsure = cast(mesh, drawn[i : i + 1], size)
        ours = views.mask[i].numpy()
        assert (ours == mask)[~unsure].all()
        place = views.uv[i].numpy()
        found = np.stack([(place[..., 0] + 1) / 2, (1 - place[..., 1]) / 2], -1)
        both = mask & ours & ~unsure
        np.testing.assert_allclose(found[both], uv[both], atol=2e-3)
        assert np.abs(found[both] - uv[both]).mean() < 1e-4 if both.any() else True
        sure, covered = sure + both.sum(), covered + mask.sum()
    assert covered >= least and sure > 0.6 * covered
    return sure


@pytest.mark.parametrize("seed", range(6))
def test_random_triangles_in_random_poses_are_where_rays_meet_them(seed):
    agree(soup(seed=seed), 24, seed=seed)


@pytest.mark.parametrize("distance", [1.3, 2.0, 12.0])
def test_from_near_and_far_and_off_the_middle(distance):
    agree(soup(20, seed=9), 32, count=2, seed=4, distance=(distance, distance), shift=(-0.3, 0.3), least=5)


def test_a_closed_solid_whose_backs_are_left_out():
    agree(cube(), 32, seed=1)
    agree(solid("baseball", texels=64), 16, count=2, seed=2)


def test_the_nearer_of_two_triangles_is_seen_whatever_their_order():
    near, far = (
        torch.tensor([[[-1.0, -1, 2], [1, -1, 2], [0, 1, 2]]]),
        torch.tensor([[[-2.0, -2, 4], [2, -2, 4], [0, 2, 4]]]),
    )
    for order in ([near, far], [far, near]):
        hits = rasterise(torch.cat(order), torch.zeros(2, dtype=torch.int64), 1, 16)
        assert (hits.depth == 2).all() and len(hits.pixel) > 20
        assert torch.equal(hits.pixel, hits.pixel.unique())


def test_neighbours_share_their_edge_without_cracks_or_overlaps():
    """A square of many triangles covers each pixel, wherever their edges run."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        middle = torch.rand(2, generator=generator) * 0.6 - 0.3
        ring = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]]) * 1.1
        fan = torch.stack([torch.stack([middle, ring[i], ring[(i + 1) % 4]]) for i in range(4)])
        corners = torch.cat([fan * 3, torch.full((4, 3, 1), 3.0)], 2)
        hits = rasterise(corners, torch.zeros(4, dtype=torch.int64), 1, 64)
        assert len(hits.pixel) == 64 * 64
        assert (hits.weights > -1e-3).all() and torch.allclose(hits.weights.sum(1), torch.ones(()))


def test_depth_and_weights_are_those_of_the_plane():
    corners = torch.tensor([[[-2.0, -2, 2], [4, -1, 5], [0, 3, 3]]], dtype=torch.float64)
    hits = rasterise(corners, torch.zeros(1, dtype=torch.int64), 1, 32)
    points = (hits.weights[..., None] * corners[0]).sum(1)
    torch.testing.assert_close(points[:, 2], hits.depth)
    column, row = hits.pixel % 32, hits.pixel // 32
    torch.testing.assert_close(points[:, 0] / points[:, 2], (2 * column + 1) / 32 - 1.0, check_dtype=False)
    torch.testing.assert_close(points[:, 1] / points[:, 2], (2 * row + 1) / 32 - 1.0, check_dtype=False)


def test_images_of_a_batch_do_not_mix():
    one, two = soup(seed=1), soup(seed=2)
    drawn = shots(4, seed=3)
    together = look([one, two, two, one], drawn, size=16)
    for i, mesh in enumerate([one, two, two, one]):
        alone = look(mesh, drawn[i : i + 1], size=16)
        for name in ("uv", "mask", "shading", "base", "noise", "lens"):
            torch.testing.assert_close(getattr(together, name)[i], getattr(alone, name)[0])


def test_nothing_and_out_of_sight():
    empty = torch.zeros(0, dtype=torch.int64)
    assert len(rasterise(torch.zeros(0, 3, 3), empty, 2, 8).pixel) == 0
    aside = torch.tensor([[[10.0, 10, 1], [11, 10, 1], [10, 11, 1]]])
    assert len(rasterise(aside, torch.zeros(1, dtype=torch.int64), 1, 8).pixel) == 0
    edge_on = torch.tensor([[[-1.0, 0, 2], [1, 0, 2], [0, 0, 3]]])
    assert len(rasterise(edge_on, torch.zeros(1, dtype=torch.int64), 1, 8).pixel) == 0


def test_what_is_behind_the_eye_is_an_error():
    with pytest.raises(ValueError, match="depth z=-1"):
        rasterise(torch.tensor([[[0.0, 0, 1], [1, 0, -1], [0, 1, 1]]]), torch.zeros(1, dtype=torch.int64), 1, 8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_the_gpu_sees_the_same():
    mesh: Mesh = soup(seed=5)
    corners = mesh.corners + torch.tensor([0.0, 0.0, 4.0])
    image = torch.zeros(len(corners), dtype=torch.int64)
    here, there = rasterise(corners, image, 1, 64), rasterise(corners.cuda(), image.cuda(), 1, 64)
    assert torch.equal(here.pixel, there.pixel.cpu()) and torch.equal(here.triangle, there.triangle.cpu())
