"""The state of each cell of a run: done, or why not. Results outrank failure records, and these outrank progress records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from experiment import keys
from experiment.cell import Cell
from experiment.errors import PERMANENT
from experiment.ledger import DONE, FAILED, MISSING, RUNNING, UNREADABLE, Problem
from experiment.records import Failure, Progress, parse_time

STALE = dt.timedelta(minutes=10)  # an attempt reports every few seconds; after this time it counts as dead


@dataclass(frozen=True, kw_only=True)
class CellState:
    """What became of a cell.

    Attributes:
        state: one of the states of ``experiment.ledger``.
        reason: one line; empty if done.
        final: whether the cell is done, or failed in a way that no further attempt changes.
        attempts: how many attempts left a failure record.
    """

    cell: Cell
    state: str
    reason: str = ""
    final: bool = False
    attempts: int = 0


def cell_states(
    cells: Sequence[Cell],
    *,
    done: Collection[str],
    failures: Mapping[str, Sequence[Failure]],
    progress: Mapping[str, Progress],
    now: dt.datetime,
    problems: Sequence[Problem] = (),
) -> list[CellState]:
    """Returns the state of each cell, in the order of the cells.

    Args:
        done: ids of the cells whose result can be used.
        failures: by cell id, its failure records, oldest first.
        progress: by cell id, its last progress record.
        problems: what could not be read of results and records, of a cell or of all.
    """
    unread: dict[str, list[Problem]] = {}
    for problem in problems:
        unread.setdefault(problem.cell, []).append(problem)

    def state_of(cell: Cell) -> CellState:
        failed = failures.get(cell.id, ())
        own = unread.get(cell.id, [])
        result = next((p for p in own if p.key == keys.epochs(cell)), None)
        if cell.id in done:
            return CellState(cell=cell, state=DONE, final=True, attempts=len(failed))
        if result:
            return CellState(cell=cell, state=UNREADABLE, reason=result.reason, attempts=len(failed))
        if failed or cell.id in progress:
            return _state_by_records(cell, failed, progress.get(cell.id), now)
        return _state_without_records(cell, [*own, *unread.get("", [])])

    return [state_of(c) for c in cells]


def _state_by_records(cell: Cell, failed: Sequence[Failure], progress: Progress | None, now: dt.datetime) -> CellState:
    last = failed[-1] if failed else None
    if progress and (last is None or progress.time > last.time):
        at = f"epoch {progress.epoch}/{progress.epochs}"
        # a clock that is hours ahead must not keep a dead attempt alive
        if abs(now - parse_time(progress.time)) < STALE:
            return CellState(cell=cell, state=RUNNING, reason=f"in training, {at}", attempts=len(failed))
        fate = "killed without a record, or its machine is gone; launch again"
        reason = f"last progress at {progress.time}, {at}: {fate}"
        return CellState(cell=cell, state=MISSING, reason=reason, attempts=len(failed))
    assert last is not None
    after = f" after epoch {last.epoch}" if last.epoch is not None else ""
    reason = f"{last.kind}: {last.message} (exit code {last.exit_code}{after})"
    return CellState(cell=cell, state=FAILED, reason=reason, final=last.kind in PERMANENT, attempts=len(failed))


def _state_without_records(cell: Cell, unread: Sequence[Problem]) -> CellState:
    records = [p for p in unread if p.key.startswith((keys.FAILURES, keys.PROGRESS))]
    if not records:
        return CellState(cell=cell, state=MISSING, reason="not started, or its machine is gone; launch again")
    failed = any(p.key.startswith(keys.folder(keys.FAILURES, cell.id)) for p in records)
    reason = f"no result, and {records[0].key} cannot be read: {records[0].reason}"
    return CellState(cell=cell, state=FAILED if failed else MISSING, reason=reason, attempts=int(failed))
