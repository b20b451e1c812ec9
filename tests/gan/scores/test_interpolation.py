import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import geometric_slerp

from lecture13.gan.scores.interpolation import linear, spherical


def unit(seed, d=5):
    vector = torch.randn(d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return vector / vector.norm()


def test_linear_against_numpy():
    start, end = torch.tensor([0.0, 2.0]), torch.tensor([1.0, -2.0])
    np.testing.assert_allclose(linear(start, end, 5), np.linspace(start.numpy(), end.numpy(), 5), atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(2, 9))
def test_spherical_against_scipy(seed, steps):
    start, end = unit(seed), unit(seed + 1)
    expected = geometric_slerp(start.numpy(), end.numpy(), np.linspace(0, 1, steps))
    np.testing.assert_allclose(spherical(start, end, steps), expected, atol=1e-9)


def test_the_arc_keeps_the_length_and_the_line_does_not():
    start, end = torch.tensor([3.0, 0.0, 0.0]), torch.tensor([0.0, 3.0, 0.0])
    torch.testing.assert_close(spherical(start, end, 7).norm(dim=1), torch.full((7,), 3.0))
    assert linear(start, end, 3)[1].norm().item() == pytest.approx(3 / 2**0.5)


def test_both_ends_are_there_also_of_other_shapes():
    start, end = torch.randn(2, 3, generator=torch.Generator().manual_seed(0)), torch.ones(2, 3)
    for walk in (linear, spherical):
        path = walk(start, end, 4)
        torch.testing.assert_close(path[[0, -1]], torch.stack([start, end]))


def test_equal_directions_go_straight():
    start = unit(0)
    torch.testing.assert_close(spherical(start, 2 * start, 5), linear(start, 2 * start, 5))


@pytest.mark.parametrize(
    ("start", "end", "steps", "said"),
    [
        (unit(0), -unit(0), 3, "opposite"),
        (unit(0), torch.zeros(5, dtype=torch.float64), 3, "zero vector"),
        (unit(0), unit(1, d=4), 3, "one shape"),
        (unit(0), unit(1), 1, "steps=1"),
    ],
)
def test_paths_that_are_none_are_refused(start, end, steps, said):
    with pytest.raises(ValueError, match=said):
        spherical(start, end, steps)
