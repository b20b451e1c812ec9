"""How a check is judged: right answers pass, a wrong one is told what is wrong with it."""

from typing import Any

import pytest

from lecture13 import exercises


def judge(name: str, answer: Any, says: str | None, **context: Any) -> None:
    """The answer is correct (``says`` is None), or not yet, and the feedback matches ``says``."""
    found = exercises.check(name, answer, **context)
    if says is None:
        assert found.status == "correct", str(found)
    else:
        assert found.status == "not yet"
        with pytest.raises(AssertionError, match=says):
            found.require()


def judge_stub(name: str, stub: Any, **context: Any) -> None:
    """A stub left alone is no attempt; taken for one, it fails the check itself."""
    assert exercises.check(name, stub, **context).status == "not attempted"
    assert exercises.check(name, stub, attempted=True, **context).status == "not yet"
