"""The proof of an exercise must refuse what it should: an easy check, a wrong solution, an answered stub."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.notebooks.proof import prove


class Checks:
    """Stands for the module ``exercises``: exercise "twice" wants a function that doubles."""

    def __init__(self, accepts):
        self.accepts = accepts

    def check(self, name, answer, attempted=False):
        value = answer(2)
        passed = bool(self.accepts(value))
        status = "correct" if passed else "not attempted" if value is None and not attempted else "not yet"
        return SimpleNamespace(status=status, passed=passed)


STUB = "def twice(x):\n    ..."
CHECK = 'exercises.check("twice", twice)'
SOLUTION = "torch.rand(3)\nnp.random.rand()\n\n\ndef twice(x):\n    return 2 * x"


@pytest.fixture
def namespace():
    return {"exercises": Checks(lambda value: value == 4), "torch": torch, "np": np}


def test_a_good_exercise_passes_and_leaves_everything_as_it_was(namespace):
    before, torch_state, numpy_state = dict(namespace), torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    prove(namespace, STUB, CHECK, SOLUTION)
    assert namespace == before
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


def test_a_wrong_solution_is_refused(namespace):
    with pytest.raises(AssertionError, match="solution does not pass"):
        prove(namespace, STUB, CHECK, "def twice(x):\n    return 3 * x")


def test_a_check_that_accepts_anything_is_refused():
    with pytest.raises(AssertionError):
        prove({"exercises": Checks(lambda value: True), "torch": torch, "np": np}, STUB, CHECK, SOLUTION)


def test_a_stub_that_is_an_attempt_is_refused(namespace):
    with pytest.raises(AssertionError, match="the stub gives"):
        prove(namespace, "def twice(x):\n    return x", CHECK, SOLUTION)
