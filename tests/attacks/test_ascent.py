"""Ascents on a landscape against a climber that walks cell by cell, finite differences, and the attack itself."""

import math

import pytest
import torch
from torch import nn

from lecture13 import attacks
from lecture13.attacks import ascent
from tests.attacks.small import batch, convnet


def walk(surface, row, column):
    """Steepest ascent from one cell, a step at a time."""
    while True:
        near = [
            (float(surface[r, c]), r, c)
            for r in range(max(0, row - 1), min(len(surface), row + 2))
            for c in range(max(0, column - 1), min(len(surface[0]), column + 2))
        ]
        best, r, c = max(near, key=lambda cell: cell[0])
        if best <= surface[row, column]:
            return row * len(surface[0]) + column
        row, column = r, c


@pytest.mark.parametrize("shape", [(9, 13), (1, 7), (1, 1), (2, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_summits_are_where_a_walker_ends(shape, dtype):
    surfaces = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype)
    found = ascent.summits(surfaces)
    for surface, ends in zip(surfaces, found, strict=True):
        assert ends.tolist() == [[walk(surface, r, c) for c in range(shape[1])] for r in range(shape[0])]


def test_one_hill_has_one_summit_and_two_have_two_basins():
    x = torch.linspace(-1, 1, 21)
    hill = -(x[:, None] - 0.3).square() - x[None].square()
    assert ascent.summits(hill[None]).unique().tolist() == [13 * 21 + 10]
    two = (3 * math.pi * x).cos()[None, None].expand(1, 4, 21) - torch.arange(4)[None, :, None]
    ends = ascent.summits(two)
    assert ends.unique().tolist() == [3, 10, 17]  # the maxima of the cosine at −2/3, 0 and 2/3
    assert (ends == 10).sum() == 4 * 7  # a third of the width each


def test_a_plain_is_not_climbed():
    assert torch.equal(ascent.summits(torch.zeros(1, 2, 3)).flatten(), torch.arange(6))


@pytest.mark.parametrize("bad", [torch.zeros(3, 4), torch.zeros(0, 3, 4), torch.full((1, 2, 2), torch.nan)])
def test_what_is_no_landscape_is_refused(bad):
    with pytest.raises(ValueError, match="expected finite values"):
        ascent.summits(bad)


@pytest.fixture
def model():
    return convnet(torch.float64)


def test_paths_start_where_they_are_told_and_carry_the_loss_of_each_pose(model):
    image, starts = batch(1)[0], torch.tensor([[0.0, 0.0], [-12.0, 0.5], [20.0, -0.8]])
    poses, losses = ascent.paths(model.train(), image, 2, starts, (30.0, 0.8), steps=6)
    assert model.training and poses.shape == (7, 3, 2) and losses.shape == (7, 3)
    torch.testing.assert_close(poses[0], starts.double())
    assert (poses.abs() <= torch.tensor([30.0, 0.8]).double() + 1e-9).all()
    for pose, loss in zip(poses.flatten(0, 1), losses.flatten(), strict=True):
        there = attacks.loss_landscape(model, image[None], torch.tensor([2]), pose[:1], pose[1:])
        torch.testing.assert_close(there.view(()), loss)


def test_the_first_step_goes_where_the_loss_grows(model):
    image, start, delta = batch(1)[0], torch.tensor([[7.0, 0.3]], dtype=torch.float64), 1e-5
    poses, _ = ascent.paths(model, image, 1, start, (30.0, 0.8), steps=10)
    angles = start[0, 0] + torch.tensor([-delta, 0, delta], dtype=torch.float64)
    shifts = start[0, 1] + torch.tensor([-delta, 0, delta], dtype=torch.float64)
    loss = attacks.loss_landscape(model, image[None], torch.tensor([1]), angles, shifts)[0]
    slope = torch.stack([loss[2, 1] - loss[0, 1], loss[1, 2] - loss[1, 0]])
    torch.testing.assert_close(poses[1, 0] - start[0], 0.25 * torch.tensor([30.0, 0.8]).double() * slope.sign())


@pytest.mark.parametrize(
    ("starts", "steps", "says"),
    [
        (torch.zeros(3), 5, r"expected \(S, 2\) within ±30° and ±1 pixels"),
        (torch.tensor([[31.0, 0.0]]), 5, r"expected \(S, 2\)"),
        (torch.zeros(1, 2), 0, "steps=0; expected a whole number"),
    ],
)
def test_wrong_starts_are_named(model, starts, steps, says):
    with pytest.raises(ValueError, match=says):
        ascent.paths(model, batch(1)[0], 0, starts, (30.0, 1.0), steps=steps)


def test_a_model_detached_inside_is_named():
    class Detached(nn.Module):
        def forward(self, images):
            return images.detach().flatten(1)[:, :4]

    with pytest.raises(ValueError, match="do not depend on the images"):
        ascent.paths(Detached(), batch(1)[0], 0, torch.zeros(1, 2), (30.0, 1.0), steps=2)
