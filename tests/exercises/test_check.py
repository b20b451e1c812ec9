import sys
import types
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from lecture13 import exercises
from lecture13.exercises import close, exercise, expect


@pytest.fixture(autouse=True)
def chapter(monkeypatch):
    """A chapter 98 of exercises that stands beside the real ones for one test."""
    module = types.ModuleType("lecture13.exercises.ch98")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(exercises, "_registry", {})
    monkeypatch.setattr(exercises, "_chapters", lambda: ("98",))

    @exercise("98.1", title="Double it")
    def double(answer):
        x = torch.randn(3)
        close(answer(x), 2 * x, "Each entry doubles.")
        return "Linear, with slope `2`."

    @exercise("98.2", title="Two numbers")
    def two(answer, total=3):
        expect(len(answer) == 2, f"Two numbers are asked for, but {len(answer)} came. Is one missing?")
        close(sum(answer), total, f"They add up to {total}.")

    @exercise("98.10", title="A word")
    def word(answer):
        expect(answer.strip().lower() == "gradient", f"Not {answer!r}. What does backpropagation compute?")


def stub(x): ...


def stub_with_docstring(x):
    """Double x."""


def stub_that_raises(x):
    raise NotImplementedError


def stub_in_the_middle(x):
    doubled = ...
    return doubled * 1.0


def stub_in_a_call(x):
    return torch.add(x, ...)


def stub_that_is_given_back(x):
    return NotImplemented


STUBS = [stub, stub_with_docstring, stub_that_raises, stub_in_the_middle, stub_in_a_call, stub_that_is_given_back]


def test_correct():
    feedback = exercises.check("98.1", lambda x: x + x)
    assert feedback.passed and feedback.status == "correct" and feedback.title == "Double it"
    assert str(feedback) == "✓ Exercise 98.1, Double it: correct. Linear, with slope `2`."
    feedback.require()


@pytest.mark.parametrize("answer", [*STUBS, ..., None, NotImplemented, "", " \n", (1, ...), [None], {"a": ...}])
def test_an_untouched_stub_is_not_attempted_and_no_error(answer):
    feedback = exercises.check("98.1", answer)
    assert feedback.status == "not attempted" and not feedback.passed
    with pytest.raises(AssertionError, match="not attempted"):
        feedback.require()


@pytest.mark.parametrize("answer", [*STUBS, ..., None, "", (1, ...)])
def test_a_stub_taken_for_an_answer_fails_the_check_itself(answer):
    assert exercises.check("98.1", answer, attempted=True).status == "not yet"


def test_an_answer_that_is_not_right_yet_learns_what_came_and_what_was_expected():
    feedback = exercises.check("98.2", (1, 1.5))
    assert feedback.status == "not yet"
    assert feedback.message == "They add up to 3.\nExpected 3, but got 2.5."
    assert exercises.check("98.2", (1,)).message.endswith("but 1 came. Is one missing?")
    with pytest.raises(AssertionError, match=r"not yet\. They add up"):
        feedback.require()


def test_a_mistake_in_the_students_function_is_shown_with_its_line():
    def broken(x):
        y = x + 1
        return y.double(1, 2, 3)

    feedback = exercises.check("98.1", broken)
    assert feedback.status == "not yet"
    assert "Your function raised TypeError: double()" in feedback.message
    line = broken.__code__.co_firstlineno + 2
    assert f"in line {line}: `return y.double(1, 2, 3)`" in feedback.message


def test_a_mistake_deep_in_a_library_shows_the_students_line():
    def deep(x):
        return np.linalg.inv(np.zeros((2, 2)))

    assert "`return np.linalg.inv(np.zeros((2, 2)))`" in exercises.check("98.1", deep).message


def test_wrong_arguments_are_told_apart():
    feedback = exercises.check("98.1", lambda x, y: x)
    assert feedback.status == "not yet" and "Is the list of arguments as in the exercise?" in feedback.message


def test_an_answer_of_another_kind_is_not_an_error():
    feedback = exercises.check("98.1", 7)
    assert feedback.status == "not yet" and "cannot use this answer (a int)" in feedback.message


def test_context_reaches_the_check():
    assert exercises.check("98.2", (2, 3), total=5).passed
    assert exercises.check("98.2", [np.float32(1), torch.tensor(2.0)]).passed


def test_words():
    assert exercises.check("98.10", " Gradient ").passed
    assert "Not 'loss'." in exercises.check("98.10", "loss").message


def test_unknown_exercises_list_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown exercise '98.3'; chapter 98 has 98.1, 98.2, 98.10"):
        exercises.check("98.3", ...)
    with pytest.raises(ValueError, match=r"unknown exercise '97.1'; there are exercises in the chapters 98"):
        exercises.check("97.1", ...)
    assert exercises.names() == ("98.1", "98.2", "98.10")


def test_names_of_exercises():
    with pytest.raises(ValueError, match=r"exercise name '1'; expected chapter.number"):
        exercise("1", title="x")

    def elsewhere(answer): ...

    elsewhere.__module__ = "lecture13.exercises.ch97"
    with pytest.raises(ValueError, match=r"98.1 is registered twice"):
        exercise("98.1", title="x")(elsewhere)


def test_the_random_state_stays_and_every_check_draws_the_same():
    @exercise("98.3", title="Chance")
    def chance(answer):
        return f"{torch.rand(1).item()} {np.random.rand()}"  # noqa: NPY002

    torch.manual_seed(5), np.random.seed(5)  # noqa: NPY002
    expected = (torch.rand(1).item(), np.random.rand())  # noqa: NPY002
    torch.manual_seed(5), np.random.seed(5)  # noqa: NPY002
    first = exercises.check("98.3", 1)
    assert (torch.rand(1).item(), np.random.rand()) == expected  # noqa: NPY002
    assert exercises.check("98.3", 1).message == first.message


@pytest.mark.parametrize(
    ("answer", "expected", "message"),
    [
        (
            torch.tensor([1.0, 2.0, 4.0], requires_grad=True),
            [1, 2, 3],
            r"Expected 3, but got 4 at index \(2,\); 1 of 3",
        ),
        (np.ones((2, 2)), np.ones(2), r"Expected the shape \(2,\), but got \(2, 2\)"),
        (float("nan"), 1.0, "Expected 1, but got nan"),
        ("one", 1.0, "Expected numbers, but got 'one'"),
        (..., 1.0, "Expected numbers, but got Ellipsis"),
        (None, 1.0, "Expected numbers, but got None"),
        (1.001, 1.0, "Expected 1, but got 1.001"),
    ],
)
def test_close_says_how_far_off(answer, expected, message):
    with pytest.raises(exercises.NotYet, match=r"^Near\.\n(" + message + ")"):
        close(answer, expected, "Near.")


def test_close_within_its_tolerance():
    close(1.05, 1, "", rtol=0.1)
    close([0.0, 1e-8], torch.zeros(2), "")


class Texts(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.seen = []
        self.feed(source)

    def handle_data(self, data):
        self.seen.append(data)


def test_html_says_in_words_what_its_colour_says():
    shown = {
        status: exercises.Feedback("98.1", "Sign < bound", status, "Use `x < 0`.\nThen <b>.")._repr_html_()
        for status in ("correct", "not yet", "not attempted")
    }
    assert len({markup.split(">")[0] for markup in shown.values()}) == 3
    for status, markup in shown.items():
        assert f" Exercise 98.1, Sign < bound: {status}." in Texts(markup).seen
        assert "<code>x &lt; 0</code>" in markup and "Then &lt;b&gt;." in markup
        assert '<span aria-hidden="true">' in markup
