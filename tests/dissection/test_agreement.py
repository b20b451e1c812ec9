import numpy as np
import pytest
import torch

from lecture13.dissection.agreement import Line, bend, changed, differing
from lecture13.estimates import Estimate


def test_the_share_of_differing_pixels():
    first = torch.zeros(2, 4, 5, dtype=torch.uint8)
    second = first.clone()
    second[1, :2] = 3
    assert differing(first, second).tolist() == [0.0, 0.5]
    with pytest.raises(ValueError, match="expected two"):
        differing(first, second[:1])


@pytest.fixture
def scenes():
    maps = torch.zeros(3, 32, 32, dtype=torch.uint8)
    for number in range(3):
        maps[number, 8:20, 6 + number : 18 + number] = number + 1
    return maps[:, None].expand(-1, 3, -1, -1) / 4, maps


def test_images_and_maps_are_bent_alike(scenes):
    images, maps = scenes
    bent, moved = bend(images, maps, 2.0, generator=torch.Generator().manual_seed(0))
    assert moved.dtype == maps.dtype and set(moved.unique().tolist()) <= set(maps.unique().tolist())
    assert 0.02 < differing(maps, moved).mean() < 0.3
    # bilinear and nearest reading differ at the edges alone, by less than a step
    assert ((bent[:, 0] - moved / 4).abs() < 0.05).float().mean() > 0.9
    still, same = bend(images, maps, 0.0)
    torch.testing.assert_close(still, images, atol=1e-5, rtol=0)
    assert torch.equal(same, maps)


def test_changes_keep_the_format_and_the_truth(scenes):
    images, maps = scenes
    sets = changed(images, maps, generator=torch.Generator().manual_seed(0))
    assert torch.equal(sets["as drawn"][0], images)
    for name, (pictures, truth) in sets.items():
        assert pictures.shape == images.shape and pictures.min() >= 0 and pictures.max() <= 1
        assert torch.equal(truth, maps) == ("bent" not in name)
        assert name == "as drawn" or not torch.equal(pictures, images)
    again = changed(images, maps, generator=torch.Generator().manual_seed(0))
    assert all(torch.equal(sets[name][0], again[name][0]) for name in sets)


def test_the_line_and_what_each_set_would_have_been_without_itself():
    chance = np.random.default_rng(0)
    x = chance.uniform(0.05, 0.3, 9)
    y = 1.2 * x - 0.03 + chance.normal(0, 0.01, 9)
    line = Line.through({str(number): pair for number, pair in enumerate(zip(x, y, strict=True))})
    assert (line.slope, line.constant) == pytest.approx(tuple(np.polyfit(x, y, 1)))
    for left_out in range(9):
        others = np.arange(9) != left_out
        said = np.polyval(np.polyfit(x[others], y[others], 1), x[left_out])
        assert line.misses[left_out] == pytest.approx(y[left_out] - said)
    found = line.at(Estimate(0.1, 0.09, 0.12))
    worst = np.abs(line.misses).max()
    assert found.value == pytest.approx(line.constant + 0.1 * line.slope)
    assert found.low == pytest.approx(line.constant + 0.09 * line.slope - worst)
    assert found.high == pytest.approx(line.constant + 0.12 * line.slope + worst)


def test_errors_stay_shares_and_a_perfect_line_misses_nothing():
    line = Line.through({"a": (0.0, 0.0), "b": (0.1, 0.2), "c": (0.2, 0.4)})
    assert np.abs(line.misses).max() < 1e-12
    assert line.at(Estimate(0.9, 0.8, 1.0)).value == 1.0
    assert line.at(Estimate(0.0, 0.0, 0.0)).low == 0.0


@pytest.mark.parametrize("sets", [{}, {"a": (0.1, 0.1), "b": (0.2, 0.2)}, dict.fromkeys("abc", (0.1, 0.2))])
def test_too_few_sets_are_refused(sets):
    with pytest.raises(ValueError, match="expected three or more"):
        Line.through(sets)
