"""Checks of settings that are not in pixel units: shares, factors, degrees."""

import math
from collections.abc import Sequence
from numbers import Real


def check_number(
    name: str, value: float, *, low: float = 0.0, high: float = math.inf, open_low: bool = False, unit: str = ""
) -> float:
    """``value`` as a finite float in [low, high], or in (low, high] with ``open_low``.

    Args:
        name: of the setting, for the error.
        value: what was given.
        low, high: the range.
        open_low: leave ``low`` itself out.
        unit: how the error goes on, such as ``"degrees"``.

    Raises:
        TypeError: not a real number.
        ValueError: out of range, NaN or infinite.
    """
    wanted = f"expected a number in {'(' if open_low else '['}{low:g}, {high:g}{')' if math.isinf(high) else ']'}"
    wanted += f" {unit}" if unit else ""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} is a {type(value).__name__}; {wanted}")
    value = float(value)
    if not math.isfinite(value) or not low <= value <= high or (open_low and value == low):
        raise ValueError(f"{name}={value:g}; {wanted}")
    return value


def check_choice(name: str, value: str, known: Sequence[str]) -> str:
    """``value``, if it is one of ``known``. Raises ValueError that lists them otherwise."""
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}; choose one of {', '.join(map(repr, known))}")
    return value


def check_target(target: int) -> int:
    """``target``, if it can be the number of a class.

    Raises:
        TypeError: not an int.
        ValueError: negative.
    """
    if isinstance(target, bool) or not isinstance(target, int):
        raise TypeError(f"target={target!r} is a {type(target).__name__}; expected the number of a class, an int")
    if target < 0:
        raise ValueError(f"target={target}; expected a class from 0 to K − 1")
    return target
