import math

import pytest
import torch

from lecture13.gan import lines, transport


@pytest.mark.parametrize("theta", [-1.0, -0.3, 0.0, 0.02, 2.0])
def test_distance_of_the_drawn_lines_is_the_closed_form(theta):
    """The same heights on both lines: then every point moves straight across."""
    drawn = lines.Line(theta)(lines.prior(50, torch.Generator().manual_seed(0)))
    (real,) = lines.data(0, 50, torch.Generator().manual_seed(0))
    assert transport.wasserstein(real, drawn) == pytest.approx(lines.wasserstein(theta), abs=1e-7)


def test_divergence_knows_only_whether_the_lines_meet():
    assert lines.jensen_shannon(0.0) == 0.0
    assert lines.jensen_shannon(1e-9) == lines.jensen_shannon(-5.0) == pytest.approx(math.log(2))


def test_the_generator_has_one_parameter_and_draws_its_line():
    G = lines.Line(0.7)
    assert [p.numel() for p in G.parameters()] == [1]
    points = G(lines.prior(1000))
    assert points.shape == (1000, 2) and (points[:, 0] == G.theta).all()
    assert points[:, 1].min() >= 0 and points[:, 1].max() <= 1 and points[:, 1].std() > 0.2
    points[:, 0].mean().backward()
    assert G.theta.grad == pytest.approx(1.0)
