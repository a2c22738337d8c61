"""What a run on a cluster was expected to take, beside what it took."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aggregator.entries import Entry, count_entry, number_entry, text_entry
from aggregator.tables import Table
from experiment.errors import InvalidInput, NotFound, describe_error
from experiment.records import parse_time
from experiment.spending import HOUR, Forecast, Spent, read_forecasts, read_spent
from experiment.store import Store

TOGETHER = "together"
T = TypeVar("T")
UNITS = ("hours", "pod-hours", "dollars")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the launches of a run expected, and what its trainer Jobs took; nothing of a run on one machine."""

    forecasts: Sequence[Forecast] = ()
    spent: Sequence[Spent] = ()


def read_budget(store: Store, run: str) -> tuple[Budget, list[str]]:
    """Returns what the store has of it, and a sentence on each record that cannot be read."""
    remarks: list[str] = []
    forecasts = _read(lambda: read_forecasts(store, run), remarks)
    return Budget(forecasts=forecasts, spent=_read(lambda: read_spent(store, run), remarks)), remarks


def _read(read: Callable[[], list[T]], remarks: list[str]) -> list[T]:
    try:
        return read()
    except (InvalidInput, NotFound) as error:
        remarks.append(f"Forecast and cost are not compared: {describe_error(error)}.")
        return []


def compare_budget(budget: Budget) -> list[Table]:
    """Returns the table of forecast and cost by trainer Job; none where nothing was forecast or measured."""
    names = sorted({f.job for f in budget.forecasts} | {s.job for s in budget.spent})
    if not names:
        return []
    rows = [
        _row(job, [f for f in budget.forecasts if f.job == job], [s for s in budget.spent if s.job == job])
        for job in names
    ]
    if len(rows) > 1:
        rows.append(_row(TOGETHER, list(budget.forecasts), list(budget.spent)))
    return [
        Table(
            name="forecast",
            title="Forecast and cost",
            caption="Of each trainer Job, as its launch expected it and as its pods took it: from a node to their end, at the "
            "price that the launch took from the table of GPU types. Hours: from the first pod to the end of the last. What "
            "the cloud bills for idle nodes, disks and requests is not in it.",
            columns=("Job", "cells", *(c for unit in UNITS for c in (f"{unit}, forecast", f"{unit}, taken"))),
            rows=tuple(rows),
        )
    ]


def _row(job: str, forecasts: Sequence[Forecast], spent: Sequence[Spent]) -> tuple[Entry, ...]:
    expected = [max((f.hours for f in forecasts), default=0.0), *_add((f.pod_hours, f.dollars) for f in forecasts)]
    taken = [_hours(spent), *_add((s.seconds / HOUR, s.dollars) for s in spent)]
    pairs = zip(expected, taken, (".3g", ".3g", ",.2f"), strict=True)
    numbers = (
        number_entry(value if known else math.nan, form)
        for *both, form in pairs
        for value, known in zip(both, (forecasts, spent), strict=True)
    )
    cells = count_entry(sum(f.cells for f in forecasts)) if forecasts else number_entry(math.nan, "")
    return (text_entry(job), cells, *numbers)


def _add(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    listed = list(pairs)
    return sum(a for a, _ in listed), sum(b for _, b in listed)


def _hours(spent: Sequence[Spent]) -> float:
    """Returns the hours from the first pod of these Jobs to the end of the last."""
    begun, ended = ([parse_time(t) for s in spent if (t := getattr(s, name))] for name in ("began", "until"))
    return (max(ended) - min(begun)).total_seconds() / 3600 if begun and ended else 0.0
