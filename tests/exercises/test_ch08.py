"""Chapter 08's checks: right answers pass, the usual mistakes are told apart, stubs are not attempts."""

import pytest
import torch
from torch import nn

from lecture13.render.scenes import CONCEPTS
from tests.exercises.judging import judge, judge_stub


def without(activations, units):
    changed = activations.clone()
    changed[:, units] = 0
    return changed


def in_place(activations, units):
    activations[:, units] = 0
    return activations


def of_images(activations, units):
    changed = activations.clone()
    changed[units.clamp(max=2)] = 0
    return changed


def everything(activations, units):
    return torch.zeros_like(activations)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (without, None),
        (in_place, "were changed"),
        (of_images, "which dimension are the units"),
        (everything, "All other units stay"),
        (lambda a, units: a[:, units], r"Expected the shape \(3, 6, 4, 4\)"),
        (lambda a, units: 3, "this is a int"),
    ],
)
def test_without(answer, says):
    judge("08.1", answer, says)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda before, after: 1 - after.sum() / before.sum(), None),
        (lambda before, after: (before.sum() - after.sum()).item() / before.sum().item(), None),
        (lambda before, after: after.sum() / before.sum() - 1, "the other sign"),
        (lambda before, after: (1 - after / before).mean(), "0/0"),
        (lambda before, after: (1 - after[before > 0] / before[before > 0]).mean(), "all pictures together"),
        (lambda before, after: (1 - after.sum() / before.sum()).clamp(min=0), "do not cut it off"),
        (lambda before, after: 1 - after / before, "One number"),
    ],
)
def test_gone(answer, says):
    judge("08.2", answer, says)


def insert_cell(activations, units, value, row, column):
    changed = activations.clone()
    changed[:, units, row, column] = value
    return changed


def everywhere(activations, units, value, row, column):
    changed = activations.clone()
    changed[:, units] = value[:, None, None]
    return changed


def transposed(activations, units, value, row, column):
    return insert_cell(activations, units, value, column, row)


def whole_cell(activations, units, value, row, column):
    changed = activations.clone()
    changed[:, :, row, column] = value[0]
    return changed


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (insert_cell, None),
        (everywhere, "other cells stay"),
        (transposed, "other cells stay"),
        (whole_cell, "other units of the cell"),
        (lambda a, u, v, r, c: insert_cell(a, u, v.flip(0), r, c), "its own value"),
        (lambda a, u, v, r, c: a.clone(), "Nothing has changed"),
    ],
)
def test_insert_cell(answer, says):
    judge("08.3", answer, says)


class Grower(nn.Module):
    """Each of ten units draws a tenth of a picture's trees."""

    def __init__(self):
        super().__init__()
        self.layer = nn.ReLU()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, z):
        return self.layer(z)[:, :, None, None].expand(-1, -1, 1, 8)


def segment(pictures):
    return torch.where(pictures[:, :, 0] > 0.5, CONCEPTS["surface"].index("tree"), 0)


CONTEXT = {
    "model": Grower(),
    "layer": "layer",
    "ranking": torch.arange(10),
    "z": torch.ones(4, 10),
    "segment": segment,
}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (5, None),
        (4, "40% .* More are needed"),
        (6, "60% .* Fewer are enough"),
        (11, "Expected 1 to 10 units"),
        (2.5, "this is a float"),
    ],
)
def test_half_of_the_trees(answer, says):
    judge("08.4", answer, says, **CONTEXT)


@pytest.mark.parametrize("name", ["08.1", "08.2", "08.3", "08.4"])
def test_a_stub_is_no_attempt_and_fails_the_check_itself(name):
    context = CONTEXT if name == "08.4" else {}
    stub = ... if name == "08.4" else lambda *arguments: ...
    judge_stub(name, stub, **context)
