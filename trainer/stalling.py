"""Cells that get nowhere: attempts that something ends again and again before a newer checkpoint is in the store.

Disruptions cost no retry and may come without end. A cell that none of many attempts in a row has taken further is given up.
"""

from __future__ import annotations

from collections.abc import Sequence

from experiment import keys, records
from experiment.cell import Cell
from experiment.errors import ExperimentError, InvalidInput, NotFound
from experiment.ledger import committed_ids, read_failures
from experiment.records import Start, utc_now
from experiment.run import Run
from experiment.store import Store

MOST_STARTS = (
    10  # attempts in a row at one step; a disruption with a grace period leaves a checkpoint, and counts as progress
)


def record_start(store: Store, cell: Cell, attempt: str, step: int) -> None:
    """Records that an attempt goes on from a step; every attempt does so before it needs much memory or disk.

    Raises:
        InvalidInput: so many attempts before it began at the same step that this one would get nowhere either.
    """
    before = _last_start(store, cell)
    starts = 1
    if before and before.step == step:
        starts = before.starts + (before.attempt != attempt)  # the same attempt asks again if its answer was lost
    if starts > MOST_STARTS:
        raise InvalidInput(
            f"{cell.id} gets nowhere: {MOST_STARTS} attempts in a row began at step {step} and were ended from outside before "
            f"they left a newer checkpoint; {_last_end(store, cell)}; mend that, then launch or retry it"
        )
    record = Start(cell=cell.id, attempt=attempt, step=step, starts=starts, time=utc_now())
    store.put(keys.start(cell.id), records.to_bytes(record))


def forget_starts(store: Store, cell: Cell) -> None:
    """Begins the count anew, after an attempt whose end needs no such guess."""
    store.delete(keys.start(cell.id))


def sort_cells(store: Store, run: Run, indexes: Sequence[int]) -> tuple[list[int], list[int]]:
    """Returns the indexes of the cells without a result, apart those that an earlier pod has begun and left.

    One of these may have taken that pod down, out of memory for instance, and must not keep the others from their turn.
    """
    cells = {i: run.grid.cells[i] for i in indexes}
    done = committed_ids(store, cells.values())
    left = [i for i, cell in cells.items() if cell.id not in done]
    begun = set(store.find(keys.start(cells[i].id) for i in left))
    is_begun = {i: keys.start(cells[i].id) in begun for i in left}
    return [i for i in left if not is_begun[i]], [i for i in left if is_begun[i]]


def _last_start(store: Store, cell: Cell) -> Start | None:
    key = keys.start(cell.id)
    try:
        found = records.parse_record(store.read(key), f"{store.url}/{key}")
    except (NotFound, InvalidInput):  # a damaged one costs the count so far
        return None
    return found if isinstance(found, Start) else None


def _last_end(store: Store, cell: Cell) -> str:
    """Returns in words how the last attempt with a failure record ended. A killed one has it from the collecting Job."""
    try:
        found, _ = read_failures(store, [cell.id])
    except ExperimentError:
        found = {}
    ends = found.get(cell.id)
    return f"the last was {ends[-1].message}" if ends else "they left no record, as when memory or disk runs out"
