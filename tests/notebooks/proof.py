"""Prove one exercise inside its running notebook. Its text is put into the copies that :mod:`rerun` makes."""

import ast
import random

import numpy as np
import torch


def prove(namespace: dict, stub: str, check: str, solution: str) -> None:
    """The stub is "not attempted"; forced, it fails the check; the solution passes it.

    ``namespace`` and the random states stay as they are, so that the cells that follow see no difference.
    """

    def feedback(answer: str, **options) -> object:
        """Run ``answer`` and then the check cell, in a copy of the namespace; the value of the check's last line."""
        names = dict(namespace)
        exec(answer, names)
        tree = ast.parse(check)
        *before, last = tree.body
        exec(compile(ast.Module(before, []), "check", "exec"), names)
        last.value.keywords += [ast.keyword(name, ast.Constant(value)) for name, value in options.items()]
        ast.fix_missing_locations(last)
        return eval(compile(ast.Expression(last.value), "check", "eval"), names)

    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng():
        left_alone, forced, solved = feedback(stub), feedback(stub, attempted=True), feedback(solution)
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
    assert left_alone.status == "not attempted", f"the stub gives {left_alone}"
    assert not left_alone.passed and not forced.passed, f"the stub passes its check: {forced}"
    assert solved.passed, f"the solution does not pass its check: {solved}"
