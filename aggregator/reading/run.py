"""A run as the store holds it at one moment: the state of its cells, and the results of those that are done."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa

from aggregator.reading.alike import find_strangers
from aggregator.reading.cells import CellState, cell_states
from aggregator.reading.commits import REFUSED, list_results
from aggregator.reading.epochs import drop_cells, read_epochs, to_frame
from aggregator.reading.rows import find_contradictions, find_impossible_facts, find_row_problems
from experiment import keys
from experiment.cell import Cell
from experiment.errors import describe_error
from experiment.ledger import DONE, RUNNING, UNREADABLE, LedgerReader, Problem, read_failures, read_progress
from experiment.retry import look_pauses
from experiment.run import Run
from experiment.store import Store

POLL_SECONDS = 10.0  # between the first looks of a report that waits; they grow rarer
PROGRESS_SECONDS = 30.0  # age up to which it does not read a progress record again
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class RunResults:
    """What a report is made from.

    Attributes:
        table: the rows of the results, typed as ``results.EPOCHS``.
        frame: the same as a DataFrame.
        states: of every cell of the grid, in its order.
        provenance: by id of a done cell, what its file says it was made with.
        problems: objects of the store that are not what they should be.
        time: when the store was read.
    """

    run: Run
    table: pa.Table
    frame: pd.DataFrame
    states: tuple[CellState, ...]
    provenance: Mapping[str, Mapping[str, Any]]
    problems: tuple[Problem, ...]
    time: dt.datetime

    @property
    def done(self) -> list[Cell]:
        """The cells whose results can be used."""
        return [s.cell for s in self.states if s.state == DONE]

    @property
    def undone(self) -> list[CellState]:
        """The states of the cells that are not done."""
        return [s for s in self.states if s.state != DONE]


def read_run_results(store: Store, run: Run, now: dt.datetime) -> RunResults:
    """Reads the results and records of the run's cells that are there.

    Raises:
        InvalidInput: the store refuses to be read.
    """
    by_id = {c.id: c for c in run.grid.cells}
    listing = list_results(store, run.grid.cells)
    found = read_epochs(store, listing.commits(run.grid.cells), cells=by_id)
    frame = to_frame(found.epochs)
    failures, damaged_failures = _read_records(read_failures, store, by_id, keys.FAILURES)
    progress, damaged_progress = _read_records(read_progress, store, by_id, keys.PROGRESS)
    states = cell_states(
        run.grid.cells,
        done=found.provenance.keys(),
        failures=failures,
        progress=progress,
        now=now,
        problems=[*listing.problems, *found.problems, *damaged_failures, *damaged_progress],
    )
    damaged_records = [*damaged_failures, *damaged_progress, *_find_copies(listing.found, by_id)]
    whole = RunResults(
        run=run,
        table=found.epochs,
        frame=frame,
        states=tuple(states),
        provenance=found.provenance,
        problems=(*listing.problems, *found.problems),
        time=now,
    )
    wrong = [*find_contradictions(frame, by_id), *find_row_problems(frame)]
    wrong += find_impossible_facts(found.provenance, by_id)
    kept = leave_out(whole, wrong)
    kept = leave_out(kept, find_strangers(run.grid.cells, kept.frame, kept.provenance))
    return dataclasses.replace(kept, problems=(*kept.problems, *damaged_records))


def leave_out(found: RunResults, contradictions: Sequence[Problem]) -> RunResults:
    """Returns the results without the cells of these problems, each of which becomes unreadable for its first reason."""
    reasons = {p.cell: p.reason for p in reversed(contradictions)}
    if not reasons:
        return found
    kept = ~found.frame["cell_id"].isin(list(reasons)).to_numpy()
    states = (
        dataclasses.replace(s, state=UNREADABLE, reason=reasons[s.cell.id], final=False) if s.cell.id in reasons else s
        for s in found.states
    )
    return dataclasses.replace(
        found,
        table=found.table.filter(pa.array(kept)),
        frame=drop_cells(found.frame, reasons),
        states=tuple(states),
        provenance={cell: facts for cell, facts in found.provenance.items() if cell not in reasons},
        problems=(*found.problems, *contradictions),
    )


def _read_records(
    read: Callable[[Store, Collection[str]], tuple[dict[str, R], list[Problem]]],
    store: Store,
    cell_ids: Collection[str],
    prefix: str,
) -> tuple[dict[str, R], list[Problem]]:
    """Returns the records of these cells; a folder that cannot be listed is a problem that belongs to no cell."""
    try:
        return read(store, cell_ids)
    except REFUSED as error:
        return {}, [Problem(key=prefix, reason=describe_error(error))]


def _find_copies(listed: Collection[str], by_id: Mapping[str, Cell]) -> list[Problem]:
    """Names every ``epochs.parquet`` of a cell that lies under another key than the cell's; none of them is read."""
    reason = "a second result of this cell in a wrong place; not read"
    return [
        Problem(key=key, cell=cell, reason=reason)
        for key in sorted(listed)
        for cell in keys.committed([key]) & by_id.keys()
        if key != keys.epochs(by_id[cell])
    ]


def wait_for_cells(
    store: Store, run: Run, *, say: Callable[[str], None], limit: float, now: Callable[[], dt.datetime]
) -> None:
    """Waits until every cell is done or has failed for good, or for ``limit`` seconds; prints how many are done."""
    cells = run.grid.cells
    end, reader = time.monotonic() + limit, LedgerReader(store, cells, progress_seconds=PROGRESS_SECONDS)
    for pause in look_pauses(POLL_SECONDS):
        try:
            ledger = reader.read()
        except REFUSED as error:
            say(f"not waiting: {describe_error(error)}")
            return
        states = cell_states(
            cells,
            done=ledger.committed,
            failures=ledger.failures,
            progress=ledger.progress,
            now=now(),
            problems=ledger.problems,
        )
        done = sum(s.state == DONE for s in states)
        lost = sum(s.final for s in states) - done
        running = sum(s.state == RUNNING for s in states)
        rest = len(cells) - done - lost
        say(f"{done} of {len(cells)} cells done, {lost} failed for good, {rest} to come, {running} in training")
        if not rest or time.monotonic() >= end:
            return
        time.sleep(max(0.0, min(pause, end - time.monotonic())))
