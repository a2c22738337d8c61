"""Checks of numbers that people give, with one form of refusal."""

from __future__ import annotations

import math
import sys

from experiment.errors import refuse

CORRECT = "correct it in the grid"


def check_count(what: str, value: object, low: int, high: int) -> None:
    """Checks a whole number.

    Raises:
        InvalidInput: the value is none, or lies outside ``low`` to ``high``.
    """
    good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    if not good:
        raise refuse(what, value, f"a whole number from {low} to {high}", CORRECT)


def check_number(
    what: str,
    value: object,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    at_most: float = math.inf,
) -> None:
    """Checks a float.

    Raises:
        InvalidInput: the value is none, is not finite or lies outside the bounds.
    """
    good = isinstance(value, float) and math.isfinite(value)
    if not (good and at_least <= value <= at_most and above < value < below):  # type: ignore[operator]
        bounds = {"of at least": at_least, "above": above, "below": below, "of at most": at_most}
        given = " and ".join(f"{words} {bound:g}" for words, bound in bounds.items() if math.isfinite(bound))
        raise refuse(what, value, f"a finite number {given}", CORRECT)


def to_float(value: object) -> object:
    """Returns a number as the float of the same value: 1 and 1.0 are one setting, and so are -0.0 and 0.0.

    Anything else is returned as it is.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return float(value) + 0.0 if is_number else value  # type: ignore[arg-type]
