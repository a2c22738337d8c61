"""What became of each cell of a run: done, or why not. Results count, then failure records, then signs of life."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aggregator.reading import Problem, in_parallel
from experiment import keys, records
from experiment.cell import Cell
from experiment.errors import PERMANENT, ExperimentError, describe
from experiment.store import Store

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
    failures: Sequence[records.Failure],
    progress: Sequence[records.Progress],
    now: dt.datetime,
) -> list[State]:
    """The state of each cell, in the order of the cells."""
    finished = set(done)
    by_cell: dict[str, list[records.Failure]] = defaultdict(list)
    for failure in failures:
        by_cell[failure.cell].append(failure)
    living = {p.cell: p for p in progress}

    def state(cell: Cell) -> State:
        failed = sorted(by_cell[cell.id], key=lambda f: f.time)
        if cell.id in finished:
            return State(cell=cell, state=DONE, final=True, attempts=len(failed))
        if cell.id in unreadable:
            return State(cell=cell, state=UNREADABLE, reason=unreadable[cell.id], attempts=len(failed))
        return _unfinished(cell, failed, living.get(cell.id), now)

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


def read_records(store: Store, wanted: set[str]) -> tuple[list[records.Failure], list[records.Progress], list[Problem]]:
    """The failure and progress records of the wanted cells, and the records that cannot be read."""
    failed = [k for k in store.list(keys.FAILURES) if (keys.attempt_of(k) or ("", ""))[0] in wanted]
    alive = [k for k in store.list(keys.PROGRESS) if k[len(keys.PROGRESS) :].removesuffix(".json") in wanted]

    def read(key: str) -> records.Failure | records.Progress | Problem:
        try:
            record = records.parse(store.read(key), f"{store.url}/{key}")
        except ExperimentError as error:
            return Problem(key=key, reason=describe(error))
        if isinstance(record, (records.Failure, records.Progress)):
            return record
        return Problem(key=key, reason=f"it is no record of a failure or of progress but of {type(record).__name__}")

    found = in_parallel(store, read, [*failed, *alive])
    return (
        [r for r in found if isinstance(r, records.Failure)],
        [r for r in found if isinstance(r, records.Progress)],
        [r for r in found if isinstance(r, Problem)],
    )
