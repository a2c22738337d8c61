"""The fields of tables: how a number, an interval, a time or a price is written, and the number behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aggregator.statistics import Difference
from aggregator.study import Treatment

NOTHING = "–"
MINUS = "−"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One field of a table.

    Attributes:
        text: as shown.
        value: the number behind it, in full; None for text.
        best: the best of its column, set in bold.
        equal: not distinguishable from the best.
        absent: without a result, although the grid asks for one.
        bounds: the interval that the text shows, in full; None if it shows none.
        parts: what the text names, by columns of their own in a CSV; empty: the text is one thing.
    """

    text: str
    value: float | None = None
    best: bool = False
    equal: bool = False
    absent: bool = False
    bounds: tuple[float, float] | None = None
    parts: Mapping[str, str | float] = field(default_factory=dict)


def show_number(value: float, form: str) -> str:
    """Returns a number with a true minus sign, and without any sign if all its digits are 0."""
    text = format(value, form)
    if not re.search("[1-9]", text):
        return text.lstrip("+-")
    return MINUS + text[1:] if text.startswith("-") else text


def show_hours(hours: float, sign: str = "") -> str:
    """Returns a time in the unit that suits it: seconds, minutes or hours, with three digits; ``sign`` may be ``+``."""
    seconds = 3600 * abs(hours)
    factor, unit = (3600, "s") if seconds < 120 else (60, "min") if seconds < 7200 else (1, "h")
    digits = abs(hours * factor)
    form = ",.0f" if digits >= 100 else ".3g"
    return f"{show_number(hours * factor, sign + form)} {unit}"


def text_entry(value: object) -> Entry:
    """Returns a field of words."""
    return Entry(text=str(value))


def treatment_entry(treatment: Treatment) -> Entry:
    """Returns a field that names a treatment."""
    return Entry(text=treatment.title, parts={"method": treatment.method, "alpha": treatment.alpha})


def number_entry(value: float, form: str) -> Entry:
    """Returns a field of one number, or one that says that there is none."""
    if not math.isfinite(value):
        return Entry(text=NOTHING, absent=True)
    return Entry(text=show_number(value, form), value=value)


def known_entry(value: float, form: str) -> Entry:
    """Returns a field of one number that need not be there: where nobody gave a price, nothing is missing."""
    return number_entry(value, form) if math.isfinite(value) else text_entry(NOTHING)


def count_entry(count: int) -> Entry:
    """Returns a field of a whole number."""
    return Entry(text=str(count), value=count)


def hours_entry(hours: float, sign: str = "") -> Entry:
    """Returns a field of a time; the number behind it is in hours."""
    if not math.isfinite(hours):
        return Entry(text=NOTHING, absent=True)
    return Entry(text=show_hours(hours, sign), value=hours)


def interval_entry(difference: Difference | None, form: str = ".3f") -> Entry:
    """Returns a field of the 95 % interval of a difference; a dash where there is none."""
    low, high = difference.interval if difference else (math.nan, math.nan)
    if not math.isfinite(low):
        return text_entry(NOTHING)
    return Entry(text=f"{show_number(low, f'+{form}')} to {show_number(high, f'+{form}')}", bounds=(low, high))
