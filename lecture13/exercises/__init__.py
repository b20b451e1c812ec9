"""Exercises that tell you at once: ``exercises.check("09.1", my_fgsm)``.

A chapter's checks stand in ``exercises/chNN.py``, each a function that takes the answer and says with :func:`expect`
and :func:`close` what is not right yet; what it returns is the insight that a correct answer earns::

    @exercise("09.1", title="FGSM in one line")
    def _(answer):
        adversarial = answer(model, images, labels, 0.1)
        expect(adversarial.shape == images.shape, "One adversarial image for each image, of the same shape.")
        close(adversarial, oracle, "Move each pixel by ε, in the direction of the gradient's sign.")
        return "One gradient is enough: the loss is nearly linear in the pixels."
"""

import functools
import html
import importlib
import linecache
import pkgutil
import re
import traceback
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

Status = Literal["correct", "not yet", "not attempted"]
_MARKS = {"correct": ("✓", "#2e7d32"), "not yet": ("✗", "#b45309"), "not attempted": ("○", "#5f6b7a")}


class NotYet(Exception):
    """What an answer does not do yet, kindly said."""


class NotAttempted(Exception):
    """The answer is the stub as it was."""


@dataclass(frozen=True)
class Feedback:
    """What a check found. A notebook shows it; ``.require()`` raises unless the answer is correct."""

    name: str
    title: str
    status: Status
    message: str

    @property
    def passed(self) -> bool:
        """Whether the answer is correct."""
        return self.status == "correct"

    def require(self) -> None:
        """Raise AssertionError unless the answer is correct."""
        if not self.passed:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        mark, _ = _MARKS[self.status]
        return f"{mark} Exercise {self.name}, {self.title}: {self.status}. {self.message}".rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        mark, colour = _MARKS[self.status]
        lines = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.message, quote=False)).split("\n")
        head = f"Exercise {self.name}, {html.escape(self.title)}: {self.status}"
        return (
            f'<div style="border-left:.35em solid {colour};padding:.4em .9em;margin:.5em 0">'
            f'<strong><span aria-hidden="true">{mark}</span> {head}.</strong> {"<br>".join(lines)}</div>'
        )


@dataclass(frozen=True)
class Exercise:
    """One registered check."""

    name: str
    title: str
    run: Callable[..., str | None]


_registry: dict[str, Exercise] = {}


def exercise(name: str, *, title: str) -> Callable[[Callable[..., str | None]], Callable[..., str | None]]:
    """Register the decorated function as the check of exercise ``name``, "chapter.number" such as ``"09.1"``.

    The function takes the answer (and the context given to :func:`check` by name), raises :class:`NotYet` through
    :func:`expect` and :func:`close`, and may return the insight of a correct answer.
    """
    if not re.fullmatch(r"\d\d\.\d+", name):
        raise ValueError(f'exercise name {name!r}; expected chapter.number, such as "09.1"')

    def register(run: Callable[..., str | None]) -> Callable[..., str | None]:
        if name in _registry and _registry[name].run.__module__ != run.__module__:
            raise ValueError(f"exercise {name} is registered twice, by {_registry[name].run.__module__} already")
        _registry[name] = Exercise(name, title, run)
        return run

    return register


def names() -> tuple[str, ...]:
    """Every exercise there is, in order."""
    for chapter in _chapters():
        importlib.import_module(f"{__name__}.ch{chapter}")
    return tuple(sorted(_registry, key=_order))


def check(name: str, answer: Any, *, attempted: bool = False, **context: Any) -> Feedback:
    """Check an answer to exercise ``name``.

    Args:
        name: such as ``"09.1"``.
        answer: what the exercise asks for: a function, number, text, tensor, or a tuple or dict of them.
        attempted: take a stub for an answer, to prove that it fails the check itself.
        context: what the check needs besides, such as a model trained in the notebook.

    Returns:
        The feedback; an untouched stub (``...``, None, an empty text, or a function that gives nothing) is "not
        attempted", never an error. The global random state of torch and NumPy stays as it was.

    Raises:
        ValueError: an unknown exercise.
    """
    task = _find(name)
    feedback = functools.partial(Feedback, task.name, task.title)
    if not attempted and _is_stub(answer):
        return feedback("not attempted", "Replace the `...` and run the check again.")
    state = np.random.get_state()  # noqa: NPY002  an answer may draw from the global state
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(0)
            np.random.seed(0)  # noqa: NPY002
            insight = task.run(_watched(answer, attempted), **context)
    except NotAttempted as reason:
        return feedback("not attempted", str(reason))
    except NotYet as reason:
        return feedback("not yet", str(reason))
    except Exception as error:  # whatever an answer of an unexpected kind made the check stumble over
        kind = type(answer).__name__
        return feedback("not yet", f"The check cannot use this answer (a {kind}): {type(error).__name__}: {error}")
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return feedback("correct", insight or "")


def expect(condition: Any, message: str) -> None:
    """Say ``message`` (what was expected, what came, a nudge) unless ``condition`` holds."""
    if not bool(condition):
        raise NotYet(message)


def close(answer: Any, expected: Any, message: str, *, rtol: float = 1e-4, atol: float = 1e-6) -> None:
    """Expect numbers, arrays or tensors within ``atol + rtol · |expected|``; say what came beside what was expected."""
    try:
        got, wanted = _array(answer), _array(expected)
    except (TypeError, ValueError, RuntimeError):
        raise NotYet(f"{message}\nExpected numbers, but got {answer!r}.") from None
    if got.shape != wanted.shape:
        raise NotYet(f"{message}\nExpected the shape {wanted.shape}, but got {got.shape}.")
    apart = ~np.isclose(got, wanted, rtol=rtol, atol=atol)
    if apart.any():
        index = tuple(map(int, np.unravel_index(apart.argmax(), apart.shape)))
        where = f" at index {index}; {apart.sum()} of {apart.size} values differ" if index else ""
        raise NotYet(f"{message}\nExpected {wanted[index]:.6g}, but got {got[index]:.6g}{where}.")


def _order(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split(".")))


def _chapters() -> tuple[str, ...]:
    return tuple(sorted(module.name[2:] for module in pkgutil.iter_modules(__path__) if module.name.startswith("ch")))


def _find(name: str) -> Exercise:
    chapter = str(name).split(".")[0]
    if chapter not in _chapters():
        raise ValueError(f"unknown exercise {name!r}; there are exercises in the chapters {', '.join(_chapters())}")
    importlib.import_module(f"{__name__}.ch{chapter}")
    if name not in _registry:
        known = ", ".join(other for other in sorted(_registry, key=_order) if other.startswith(f"{chapter}."))
        raise ValueError(f"unknown exercise {name!r}; chapter {chapter} has {known}")
    return _registry[name]


def _is_stub(answer: Any) -> bool:
    if isinstance(answer, tuple | list):
        return any(map(_is_stub, answer))
    if isinstance(answer, Mapping):
        return any(map(_is_stub, answer.values()))
    return (
        answer is ... or answer is None or answer is NotImplemented or (isinstance(answer, str) and not answer.strip())
    )


def _watched(answer: Any, attempted: bool) -> Any:
    """The answer, with the student's functions inside it telling a stub from a mistake, and where a mistake stands."""
    if isinstance(answer, types.FunctionType):
        return _watched_function(answer, attempted)
    if type(answer) in (tuple, list):
        return type(answer)(_watched(part, attempted) for part in answer)
    if type(answer) is dict:
        return {key: _watched(part, attempted) for key, part in answer.items()}
    return answer


def _watched_function(function: types.FunctionType, attempted: bool) -> Callable:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            result = function(*args, **kwargs)
        except NotImplementedError:
            if attempted:
                raise
            raise NotAttempted("Your function raises NotImplementedError: write its body in that place.") from None
        except Exception as error:
            if not attempted and "ellipsis" in str(error):
                raise NotAttempted("A `...` is still left in your function: replace it.") from None
            raise NotYet(_describe(error, function)) from error
        if not attempted and (result is ... or result is NotImplemented):
            raise NotAttempted("Your function still gives `...`: replace it.")
        if not attempted and result is None:
            raise NotAttempted("Your function returns nothing. If you wrote it already, is its `return` missing?")
        return result

    return call


def _describe(error: Exception, function: types.FunctionType) -> str:
    """Name the error and the line of the student's code that it came from."""
    text = f"Your function raised {type(error).__name__}: {error}"
    source = function.__code__.co_filename
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source]
    if not lines:  # the call itself did not fit
        return f"{text}\nIs the list of arguments as in the exercise?"
    return f"{text}\nin line {lines[-1]}: `{linecache.getline(source, lines[-1]).strip()}`"


def _array(numbers: Any) -> np.ndarray:
    if numbers is None:  # NumPy would take it for NaN
        raise TypeError("None is no number")
    if isinstance(numbers, torch.Tensor):
        numbers = numbers.detach().cpu()
    return np.asarray(numbers, dtype=float)
