from dataclasses import replace

import numpy as np
import pytest
import torch

from lecture13.render.camera import project
from lecture13.render.faces import faces
from lecture13.render.snapshots import FACE, Snapshots, photograph

PLAIN = {"tilt": (0, 0), "roll": (0, 0), "shift": (0, 0), "exposure": (0, 0), "tint": (1, 1), "blur": (0, 0)}
STILL = Snapshots(distance=(5, 5), angle=(0, 0), margin=(1, 1), noise=(0, 0), size=16, **PLAIN)


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def test_from_the_front_in_full_light_a_sign_is_what_it_is():
    sign = torch.rand(1, 3, 4, 4, generator=chance()).repeat_interleave(8, 2).repeat_interleave(8, 3)
    found = STILL(sign, chance())
    assert found.shape == (1, 3, 16, 16)
    inner = found[0, :, 1::4, 1::4]  # the pixels in the middle of each patch
    assert torch.allclose(inner, sign[0, :, 4::8, 4::8], atol=0.02)


@pytest.mark.parametrize(("distance", "angle"), [(5.0, 0.0), (6.0, 40.0), (8.0, -55.0)])
def test_a_dot_lands_where_the_homography_says(distance, angle):
    dot = torch.zeros(1, 1, 64, 64)
    dot[..., 14:18, 44:48] = 1  # middle at u = .4375, v = −.5
    still = replace(STILL, size=64)
    shots = still.draw(1, chance()).moved(distance=distance, angle=angle)
    image = still.take(dot, shots)[0, 0]
    homography = still.camera.homography(distance, angle)
    corners = project(homography, torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]))[0]
    low, high = corners.amin(0), corners.amax(0)
    middle, half = (low + high) / 2, (high - low).max() / 2
    expected = (project(homography, torch.tensor([[0.4375, -0.5]]))[0, 0] - middle) / half * 32 + 31.5
    steps = torch.arange(64.0)
    found = torch.stack([(image.sum(0) * steps).sum(), (image.sum(1) * steps).sum()]) / image.sum()
    assert torch.allclose(found, expected, atol=0.3)


def test_pictures_are_linear_in_the_sign_where_nothing_is_cut():
    snapshots = Snapshots(noise=(0, 0), exposure=(-1, -0.5), cover=torch.ones(24, 24))
    a, b = torch.rand(2, 6, 3, 24, 24, generator=chance(), dtype=torch.float64) / 2
    shots = snapshots.draw(6, chance(1))
    nothing = snapshots.take(torch.zeros_like(a), shots)
    assert torch.allclose(
        snapshots.take(a + b, shots), snapshots.take(a, shots) + snapshots.take(b, shots) - nothing, atol=1e-6
    )


def test_the_gradient_passes_gradcheck():
    snapshots = Snapshots(noise=(0, 0), exposure=(-1, -0.5), size=6, cover=torch.ones(5, 5))
    shots = snapshots.draw(2, chance())
    signs = (torch.rand(2, 3, 5, 5, generator=chance(1), dtype=torch.float64) * 0.8 + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: snapshots.take(s, shots), (signs,), eps=1e-5, atol=1e-5)


def test_far_away_detail_goes_and_the_mean_stays():
    stripes = (torch.arange(64) % 8 < 4).float().expand(1, 3, 64, 64)
    shots = STILL.draw(1, chance())
    spread = [STILL.take(stripes, shots.moved(distance=d))[0, :, 4:-4, 4:-4].std().item() for d in (5, 100, 400)]
    assert spread[0] > 2 * spread[1] > 2 * spread[2]
    assert STILL.take(stripes, shots.moved(distance=400.0)).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("sigma", [0.8, 2.0])
def test_the_lens_spreads_a_dot_by_its_standard_deviation(sigma):
    dot = torch.zeros(1, 1, 64, 64)
    dot[..., 31:33, 31:33] = 1
    still = replace(STILL, size=64)
    shots, steps = still.draw(1, chance()), torch.arange(64.0) - 31.5
    spread = []
    for blur in (0.0, sigma):
        image = still.take(dot, replace(shots, blur=torch.tensor([blur])))[0, 0]
        spread.append(((image.sum(0) * steps.square()).sum() / image.sum()).item())
    assert spread[1] - spread[0] == pytest.approx(sigma**2, rel=0.03)  # variances of blurs add up


def test_nothing_of_a_sign_is_seen_beyond_its_horizon():
    """A face seen nearly edge on, in a wide cut: the ray through a pixel meets its plane behind the camera, or not."""
    near = Snapshots(distance=(1.4, 1.4), angle=(80, 80), margin=(3, 3), noise=(0, 0), size=32, **PLAIN)
    near = replace(near, cover=torch.ones(32, 32))
    shots = near.draw(1, chance())
    images = [near.take(torch.full((1, 3, 32, 32), level), shots) for level in (0.0, 1.0)]
    seen = (images[1] - images[0])[0, 0]
    corners = project(near.camera.homography(1.4, 80.0), torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]]))[0]
    width, height = (corners.amax(0) - corners.amin(0)).tolist()
    columns = (seen > 0.5).any(0).sum().item()
    assert columns == pytest.approx(32 / 3 * width / max(width, height), abs=1.5)  # one sign, and no second one


def test_noise_is_that_of_the_sensors_pixels_that_make_one_of_the_picture():
    grey = torch.full((1, 3, 8, 8), 0.5)
    noisy = replace(STILL, noise=(0.1, 0.1), size=64)
    shots = noisy.draw(1, chance())
    near = noisy.take(grey, shots).std().item()
    width = noisy.camera.width(5.0)
    assert near == pytest.approx(0.1 * 64 / width, rel=0.03)
    assert noisy.take(grey, shots.moved(distance=200.0)).std().item() == pytest.approx(0.1, rel=0.03)


def test_behind_a_cover_stands_a_scene_and_light_multiplies():
    every = faces(48)
    snapshots = replace(STILL, margin=(1.5, 1.5), cover=every[0, 3])
    shots = snapshots.draw(3, chance())
    images = snapshots.take(every[:1, :3].expand(3, -1, -1, -1), shots)
    assert (images[0, :, 0] - images[1, :, 0]).abs().max() > 0.02  # other scenes
    assert torch.allclose(images[0, :, 8, 4], images[1, :, 8, 4], atol=1e-5)  # the same sign
    dim = snapshots.take(every[:1, :3].expand(3, -1, -1, -1), replace(shots, gain=shots.gain / 2))
    assert torch.allclose(dim, images / 2, atol=1e-6)


def test_the_same_generator_gives_the_same_pictures():
    signs = torch.rand(5, 3, 16, 16, generator=chance())
    snapshots = Snapshots()
    assert torch.equal(snapshots(signs, chance(3)), snapshots(signs, chance(3)))
    assert not torch.equal(snapshots(signs, chance(3)), snapshots(signs, chance(4)))
    before = torch.get_rng_state()
    assert torch.equal(snapshots(signs), snapshots(signs)) and torch.equal(before, torch.get_rng_state())
    shots = snapshots.draw(5, chance(3))
    assert torch.equal(snapshots.take(signs, shots)[2:4], snapshots.take(signs[2:4], shots[2:4]))


def test_draws_lie_in_their_ranges():
    snapshots = Snapshots(distance=(10, 20), angle=(-30, 5), shift=(0.1, 0.2))
    shots = snapshots.draw(500, chance())
    assert 10 <= shots.distance.min() < 11 and 19 < shots.distance.max() <= 20
    assert -30 <= shots.angle.min() < -29 and 4 < shots.angle.max() <= 5
    assert shots.shift.shape == (500, 2) and shots.shift.min() >= 0.1 and shots.shift.max() <= 0.2
    assert shots.gain.shape == (500, 3)
    tinted = Snapshots(exposure=(0, 0), tint=(0.8, 1.1)).draw(500, chance()).gain
    assert 0.8 <= tinted.min() < 0.81 and 1.09 < tinted.max() <= 1.1
    assert abs(np.corrcoef(tinted.T)[0, 1]) < 0.15  # each channel by itself


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"angle": (95, 120)}, ValueError, r"angle=\(95, 120\).*85 degrees: from further aside the face is not seen"),
        ({"distance": (1, 4)}, ValueError, r"more than 1.25, half the sign"),
        ({"distance": (8, 4)}, ValueError, r"distance=\(8, 4\).*low ≤ high"),
        ({"blur": 0.5}, ValueError, r"blur=0.5; expected \(low, high\)"),
        ({"noise": ("a", "b")}, TypeError, r"noise="),
        ({"size": 3}, ValueError, r"size=3"),
        ({"cover": torch.zeros(4, 4)}, ValueError, r"cover has shape \(4, 4\).*above 0"),
        ({"cover": torch.full((4, 4), 255.0)}, ValueError, r"cover lies in \[255, 255\]; expected \[0, 1\]"),
        ({"cover": torch.tensor([[1.0, torch.nan]])}, ValueError, r"cover lies in \[nan, nan\]"),
        ({"cover": [[1.0]]}, ValueError, r"cover has shape list"),
        ({"distance": (1.3, 9), "tilt": (0, 50)}, ValueError, r"tilt=49.* degrees: a corner of the sign lies behind"),
    ],
)
def test_wrong_ranges_are_named(settings, error, says):
    with pytest.raises(error, match=says):
        Snapshots(**settings)


def test_signs_of_another_number_or_shape():
    shots = STILL.draw(2, chance())
    with pytest.raises(ValueError, match=r"\(3, 3, 8, 8\) for 2 shots"):
        STILL.take(torch.rand(3, 3, 8, 8), shots)
    with pytest.raises(ValueError, match=r"cover has \(4, 4\)"):
        replace(STILL, cover=torch.ones(4, 4)).take(torch.rand(2, 3, 8, 8), shots)
    with pytest.raises(ValueError, match=r"signs lie in \[0, 255\]; expected \[0, 1\]"):
        STILL.take(torch.tensor([0.0, 255.0]).view(2, 1, 1, 1).expand(2, 3, 4, 4), shots)
    with pytest.raises(ValueError, match=r"count=-1"):
        STILL.draw(-1)


def test_photographs_are_snapshots_of_the_faces_of_the_classes():
    labels = torch.tensor([0, 6, 0])
    found = photograph(labels, Snapshots(), chance(2))
    face = faces(FACE)[6]
    alone = replace(Snapshots(), cover=face[3])
    shots = Snapshots().draw(3, chance(2))
    assert torch.allclose(found[1:2], alone.take(face[None, :3], shots[1:2]), atol=1e-6)
    assert found.shape == (3, 3, 32, 32) and (found[0] - found[2]).abs().max() > 0.05
