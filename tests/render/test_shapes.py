"""Coverages against areas in closed form."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture13.render import shapes

SIDE = 64
PITCH = 1 / SIDE
STEPS = (torch.arange(SIDE) + 0.5) * PITCH
X, Y = STEPS[None, None, :], STEPS[None, :, None]
inner = st.floats(0.3, 0.7)


def area(cover: torch.Tensor) -> float:
    assert cover.min() >= 0 and cover.max() <= 1
    return float(cover.double().sum()) * PITCH**2


@settings(deadline=None, max_examples=30)
@given(inner, inner, st.floats(0.05, 0.28))
def test_the_area_of_a_disc(x, y, radius):
    a_twentieth_of_a_sample_along_the_edge = 2 * math.pi * radius * PITCH / 20
    cover = shapes.ellipse(X, Y, x, y, radius, radius, PITCH)
    assert area(cover) == pytest.approx(math.pi * radius**2, abs=a_twentieth_of_a_sample_along_the_edge)


@settings(deadline=None, max_examples=30)
@given(inner, inner, st.floats(0.08, 0.28), st.floats(0.08, 0.28))
def test_the_area_of_an_ellipse(x, y, a, b):
    assert area(shapes.ellipse(X, Y, x, y, a, b, PITCH)) == pytest.approx(math.pi * a * b, rel=0.02)


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_rectangle_is_exact(left, top, wide, high):
    cover = shapes.rectangle(X, Y, left, top, left + wide, top + high, PITCH)
    assert area(cover) == pytest.approx(wide * high, abs=1e-5)


def test_a_half_plane_covers_half_of_the_sample_on_its_edge():
    assert shapes.cover(torch.tensor([-1.0, -0.25, 0.0, 0.25, 1.0]), 1.0).tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]


@settings(deadline=None, max_examples=30)
@given(st.floats(0.05, 0.45), st.floats(0.55, 0.95), st.floats(0.1, 0.9))
def test_the_area_of_a_triangle(left, right, tip):
    cover = shapes.convex(X, Y, [(tip, 0.2), (right, 0.8), (left, 0.8)], PITCH)
    assert area(cover) == pytest.approx((right - left) * 0.6 / 2, rel=0.02)


def test_corners_the_wrong_way_round_cover_nothing():
    assert area(shapes.convex(X, Y, [(0.2, 0.8), (0.8, 0.8), (0.5, 0.2)], PITCH)) == 0
