import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lecture13.render.camera import Camera, frame, project

FACE = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [0.0, 0.0], [0.5, -0.25]])


def pinhole(camera, points, distance, angle):
    """The closed form of a sign turned about the vertical, in NumPy."""
    u, v = points.double().numpy().T
    half, turn = camera.sign / 2, math.radians(angle)
    x, y, z = half * u * math.cos(turn), half * v, distance - half * u * math.sin(turn)
    return np.stack([camera.focal * x / z, camera.focal * y / z], 1)


@given(distance=st.floats(2, 200), angle=st.floats(-85, 85), pixels=st.integers(10, 4000), field=st.floats(10, 120))
def test_homographies_are_the_pinhole_cameras_closed_form(distance, angle, pixels, field):
    camera = Camera(pixels=pixels, field=field)
    found = project(camera.homography(distance, angle), FACE)[0]
    np.testing.assert_allclose(found, pinhole(camera, FACE, distance, angle), rtol=2e-4, atol=1e-3 * pixels / 1000)


def test_tilt_and_roll_against_the_product_of_rotations():
    camera = Camera()
    distance, angle, tilt, roll = 7.0, 35.0, 12.0, -8.0
    a, e, r = np.radians([angle, tilt, roll])
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    lift = np.array([[1, 0, 0], [0, np.cos(e), -np.sin(e)], [0, np.sin(e), np.cos(e)]])
    spin = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    points = np.concatenate([FACE.numpy() * camera.sign / 2, np.zeros((len(FACE), 1))], 1)
    x, y, z = (spin @ lift @ turn @ points.T) + np.array([[0], [0], [distance]])
    found = project(camera.homography(distance, angle, tilt=tilt, roll=roll), FACE)[0]
    np.testing.assert_allclose(found, camera.focal * np.stack([x / z, y / z], 1), rtol=1e-4, atol=1e-2)


def test_the_nearer_edge_is_the_taller_one():
    left, right = project(Camera().homography(5.0, 30.0), torch.tensor([[-1.0, 1.0], [1.0, 1.0]]))[0]
    assert right[1] > left[1] > 0  # from the sign's right, its right edge is nearer
    top, bottom = project(Camera().homography(5.0, 0.0, tilt=30.0), torch.tensor([[1.0, -1.0], [1.0, 1.0]]))[0]
    assert top[0] > bottom[0] > 0  # from above, the upper edge


def test_width_is_focal_length_times_sign_over_distance():
    camera = Camera()
    assert camera.focal == pytest.approx(320 * math.sqrt(3))
    edges = project(camera.homography(torch.tensor([5.0, 40.0]), 0.0), torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
    assert (edges[:, 1, 0] - edges[:, 0, 0]).tolist() == pytest.approx([camera.width(5.0), camera.width(40.0)])
    assert camera.width(40.0) == pytest.approx(34.64, abs=0.01)


@pytest.mark.parametrize(("distance", "angle"), [(5, 0), (5, 60), (40, -45)])
def test_the_frame_is_the_square_around_the_sign(distance, angle):
    homography = Camera().homography(float(distance), float(angle), tilt=5.0, roll=3.0)
    cut = frame(homography, 1.0)
    inside = torch.linalg.inv(cut) @ homography
    corners = project(inside, FACE[:4])[0]
    low, high = corners.amin(0), corners.amax(0)
    assert (high - low).max() == pytest.approx(2, abs=1e-3) and torch.allclose(low, -high, atol=1e-3)
    wider = frame(homography, 2.0, torch.tensor([[0.25, 0.0]]))
    assert wider[0, 0, 0] == pytest.approx(2 * cut[0, 0, 0].item(), rel=1e-5)
    assert wider[0, 0, 2] == pytest.approx((cut[0, 0, 2] + 0.25 * 2 * wider[0, 0, 0]).item(), rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"pixels": 0}, ValueError, r"pixels=0; expected from 1"),
        ({"field": 180.0}, ValueError, r"field=180; expected from 1 to 179 degrees"),
        ({"sign": -1}, ValueError, r"sign=-1; expected .* feet"),
        ({"pixels": "many"}, TypeError, r"pixels='many' is a str"),
    ],
)
def test_wrong_cameras_are_named(settings, error, says):
    with pytest.raises(error, match=says):
        Camera(**settings)


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ({"distance": 1.0, "angle": 0.0}, r"distance=1 feet; expected more than 1.25"),
        ({"distance": 5.0, "angle": 90.0}, r"angle=90 degrees; the face is seen only"),
        ({"distance": 5.0, "angle": torch.tensor([0.0, -120.0])}, r"angle=-120 degrees"),
        ({"distance": 5.0, "angle": 0.0, "tilt": 95.0}, r"tilt=95 degrees"),
    ],
)
def test_a_camera_that_sees_no_face_is_an_error(place, says):
    with pytest.raises(ValueError, match=says):
        Camera().homography(**place)


def test_a_corner_behind_the_camera_is_an_error():
    with pytest.raises(ValueError, match=r"distance=1\.3 feet at angle=80 and tilt=60 degrees: a corner"):
        Camera().homography(torch.tensor([9.0, 1.3]), 80, tilt=60)
    with pytest.raises(ValueError, match="NaN"):
        Camera().homography(5, 0, roll=float("nan"))


def test_points_of_another_shape():
    with pytest.raises(ValueError, match=r"shape \(3,\); expected \(P, 2\)"):
        project(Camera().homography(5.0, 0.0), torch.zeros(3))
