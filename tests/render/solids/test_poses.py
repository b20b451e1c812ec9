import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.spatial.transform import Rotation

from lecture13.render.chance import Chance
from lecture13.render.solids import BACKGROUNDS, Poses


def draw(count=4000, seed=0, **ranges):
    return Poses(**ranges).draw(count, torch.Generator().manual_seed(seed))


def test_rotations_are_even_over_all_rotations():
    """Of an even rotation, each entry is even on [−1, 1], and the angle's density is (1 − cos θ)/π."""
    rotation = draw().rotation.double().numpy()
    for i in range(3):
        for j in range(3):
            assert stats.kstest(rotation[:, i, j], stats.uniform(-1, 2).cdf).pvalue > 1e-4
    angle = np.arccos(np.clip((np.trace(rotation, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert stats.kstest(angle, lambda t: (t - np.sin(t)) / math.pi).pvalue > 1e-4


def test_a_rotation_is_roll_after_elevation_after_azimuth():
    shots = draw(20)
    angles = torch.stack([shots.roll, shots.elevation, -shots.azimuth], 1).numpy()
    np.testing.assert_allclose(shots.rotation, Rotation.from_euler("ZXY", angles, degrees=True).as_matrix(), atol=1e-5)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "to_the_camera"),
    [(0, 0, (0, 0, 1)), (90, 0, (1, 0, 0)), (180, 0, (0, 0, -1)), (0, 90, (0, 1, 0))],
)
def test_where_the_camera_stands(azimuth, elevation, to_the_camera):
    shots = draw(1).moved(azimuth=azimuth, elevation=elevation, roll=0.0)
    torch.testing.assert_close(shots.rotation[0, 2], torch.tensor(to_the_camera).float(), atol=1e-6, rtol=0)
    if elevation < 90:
        torch.testing.assert_close(shots.rotation[0, 1], torch.tensor([0.0, 1, 0]), atol=1e-6, rtol=0)  # up is up


def test_every_quantity_keeps_to_its_range():
    ranges = {"azimuth": (10, 20), "elevation": (-5, 40), "roll": (0, 1), "distance": (2, 5), "ambient": (0.1, 0.2)}
    ranges |= {"shine": (0.3, 0.4), "blur": (0.5, 1), "noise": (0.1, 0.2)}
    shots = draw(500, **ranges, shift=(0.1, 0.3), lamp=(20, 30), exposure=(1, 2), tint=(0.5, 0.6))
    for name, (low, high) in ranges.items():
        values = getattr(shots, name)
        assert (
            low - 1e-4 <= values.min() < low + 0.1 * (high - low)
            and high - 0.1 * (high - low) < values.max() <= high + 1e-4
        )
    assert shots.shift.shape == (500, 2) and shots.shift.min() >= 0.1 and shots.shift.max() < 0.3
    angle = torch.rad2deg(torch.acos(shots.lamp[:, 2]))
    assert angle.min() > 19.9 and angle.max() < 30.1
    torch.testing.assert_close(shots.lamp.norm(dim=1), torch.ones(500))
    assert shots.gain.min() >= 2 * 0.5 and shots.gain.max() <= 4 * 0.6
    assert set(shots.background.tolist()) == {0, 1, 2}
    assert set(draw(50, background=("noise",)).background.tolist()) == {BACKGROUNDS.index("noise")}


def test_a_range_of_one_point_holds_a_quantity():
    shots = draw(5, distance=(3, 3), elevation=(30, 30), exposure=(0, 0), tint=(1, 1))
    assert torch.equal(shots.distance, torch.full((5,), 3.0)) and torch.equal(shots.gain, torch.ones(5, 3))
    torch.testing.assert_close(shots.elevation, torch.full((5,), 30.0))


def test_chance_is_the_generators_and_a_shot_is_its_keys():
    one, two = draw(6, seed=1), draw(6, seed=1)
    assert all(torch.equal(getattr(one, name), getattr(two, name)) for name in vars(one))
    assert not torch.equal(one.azimuth, draw(6, seed=2).azimuth)
    chance = Chance.of_images(3, 0, 10)
    assert torch.equal(Poses().of(chance).roll[4:6], Poses().of(chance[torch.tensor([4, 5])]).roll)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert torch.equal(Poses().draw(3).roll, Poses().draw(3).roll)
    assert torch.equal(torch.get_rng_state(), before)


def test_turned_changes_what_it_is_told():
    shots = draw(3)
    turned = shots.moved(azimuth=torch.tensor([1.0, 2, 3]), distance=4)
    assert turned.azimuth.tolist() == [1, 2, 3] and turned.distance.tolist() == [4, 4, 4]
    assert torch.equal(turned.keys, shots.keys) and torch.equal(turned.roll, shots.roll)
    assert len(shots[1:]) == 2 and len(replace(shots)) == 3


@pytest.mark.parametrize(
    ("ranges", "error", "message"),
    [
        ({"distance": (3, 2)}, ValueError, r"distance=\(3, 2\); expected \(low, high\) with 1.2 ≤ low ≤ high"),
        ({"distance": (0.5, 2)}, ValueError, r"distance=\(0.5, 2\)"),
        ({"elevation": (-100, 0)}, ValueError, "≤ 90 degrees"),
        ({"noise": 0.1}, ValueError, "noise=0.1; expected"),
        ({"noise": ("0", "1")}, TypeError, "noise="),
        ({"tint": (1, float("nan"))}, ValueError, "tint="),
        ({"background": ()}, ValueError, "expected one or more of scenes, noise, colours"),
        ({"background": "scenes"}, ValueError, "background='scenes'"),
        ({"background": ("beach",)}, ValueError, "background="),
    ],
)
def test_a_wrong_range_is_named(ranges, error, message):
    with pytest.raises(error, match=message):
        Poses(**ranges)


def test_a_wrong_count_is_named():
    with pytest.raises(ValueError, match="count=-1"):
        Poses().draw(-1)
