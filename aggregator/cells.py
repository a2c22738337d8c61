"""What became of each cell of a run: done, or why not. Results count, then failure records, then signs of life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiment import records
from experiment.cell import Cell
from experiment.errors import PERMANENT

DONE, RUNNING, MISSING, UNREADABLE = "done", "running", "missing", "unreadable"
STALE = dt.timedelta(minutes=10)  # the trainer reports every few seconds: after this, nobody is at it


@dataclass(frozen=True, kw_only=True)
class State:
    """What became of a cell.

    Attributes:
        state: done, unreadable, running, missing, or the kind of the last failure (``experiment.errors``).
        reason: one line; empty if done.
        final: whether another launch of the same run would not change it.
        attempts: how many attempts left a failure record.
    """

    cell: Cell
    state: str
    reason: str = ""
    final: bool = False
    attempts: int = 0


def states(
    cells: Sequence[Cell],
    *,
    done: Iterable[str],
    unreadable: Mapping[str, str],
    failures: Mapping[str, Sequence[records.Failure]],
    progress: Mapping[str, records.Progress],
    now: dt.datetime,
) -> list[State]:
    """The state of each cell, in the order of the cells."""
    finished = set(done)

    def state(cell: Cell) -> State:
        failed = failures.get(cell.id, ())
        if cell.id in finished:
            return State(cell=cell, state=DONE, final=True, attempts=len(failed))
        if cell.id in unreadable:
            return State(cell=cell, state=UNREADABLE, reason=unreadable[cell.id], attempts=len(failed))
        return _unfinished(cell, failed, progress.get(cell.id), now)

    return [state(c) for c in cells]


def _unfinished(
    cell: Cell, failed: Sequence[records.Failure], alive: records.Progress | None, now: dt.datetime
) -> State:
    last = failed[-1] if failed else None
    if alive and (last is None or alive.time > last.time):
        at = f"epoch {alive.epoch} of {alive.epochs}"
        if now - _time(alive.time) < STALE:
            return State(cell=cell, state=RUNNING, reason=f"in training, {at}", attempts=len(failed))
        reason = f"last heard of at {alive.time}, {at}: killed without a word, or its machine is gone; launch again"
        return State(cell=cell, state=MISSING, reason=reason, attempts=len(failed))
    if last is None:
        return State(cell=cell, state=MISSING, reason="not started, or its machine is gone; launch again")
    after = f" after epoch {last.epoch}" if last.epoch is not None else ""
    return State(cell=cell, state=last.kind, reason=f"{last.message} (exit code {last.exit_code}{after})",
                 final=last.kind in PERMANENT, attempts=len(failed))  # fmt: skip


def _time(text: str) -> dt.datetime:
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)
