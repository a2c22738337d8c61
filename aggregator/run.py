"""A run as the store holds it at this moment: its cells, what became of them, and the results of those that are done."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from aggregator import cells as states
from aggregator.cells import State
from aggregator.load import to_frame
from aggregator.reading import read_epochs
from aggregator.rows import row_problems
from experiment import keys
from experiment.cell import Cell
from experiment.errors import PERMANENT
from experiment.ledger import Problem, read_failures, read_progress
from experiment.run import Run, read_run
from experiment.store import Store

POLL_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class RunResults:
    """What the report is made from.

    Attributes:
        table: the results' rows, typed as ``results.EPOCHS``.
        frame: the same as a DataFrame.
        states: of every cell of the grid, in its order.
        problems: objects of the store that are not what they should be.
        time: when the store was read.
    """

    run: Run
    table: pa.Table
    frame: pd.DataFrame
    states: tuple[State, ...]
    provenance: Mapping[str, Mapping[str, Any]]
    problems: tuple[Problem, ...]
    time: dt.datetime

    @property
    def done(self) -> list[Cell]:
        """The cells with usable results."""
        return [s.cell for s in self.states if s.state == states.DONE]

    @property
    def undone(self) -> list[State]:
        """The others."""
        return [s for s in self.states if s.state != states.DONE]


def read(store: Store, run: str, now: dt.datetime) -> RunResults:
    """The run's grid and whatever of its results and records is there.

    Raises:
        NotFound: the store has no such run.
        InvalidInput: its grid.json is damaged, or the store refuses to be read.
    """
    frozen = read_run(store, run)
    by_id = {c.id: c for c in frozen.grid.cells}
    there = set(store.list(keys.RESULTS))
    committed = [keys.epochs(c) for c in by_id.values() if keys.epochs(c) in there]
    found = read_epochs(store, committed)
    frame = to_frame(found.epochs)
    failures, bad_failures = read_failures(store, by_id.keys())
    progress, bad_progress = read_progress(store, by_id.keys())
    problems = [*found.problems, *_contradictions(frame, by_id), *row_problems(frame), *bad_failures, *bad_progress]
    problems += _copies(there, by_id)
    return RunResults(
        run=frozen,
        table=found.epochs,
        frame=frame,
        states=tuple(
            states.states(
                frozen.grid.cells,
                done=found.provenance,
                unreadable={p.cell: p.reason for p in found.problems},
                failures=failures,
                progress=progress,
                now=now,
            )
        ),
        provenance=found.provenance,
        problems=tuple(problems),
        time=now,
    )


def _contradictions(frame: pd.DataFrame, by_id: Mapping[str, Cell]) -> list[Problem]:
    """Cells whose rows say other settings than the grid does: a file that was tampered with or renamed."""
    fields = ("dataset", "method", "alpha", "seed", "epochs", "batch_size", "weight_decay", "head", "precision")
    rows = frame.drop_duplicates([*fields, "members", "cell_id"])
    found = []
    for row in rows.to_dict("records"):
        cell = by_id[row["cell_id"]]
        wrong = [n for n in fields if row[n] != getattr(cell, n)]
        wrong += ["members"] if row["members"] != cell.member_names else []
        if wrong:
            reason = f"its rows say another {', '.join(wrong)} than the run's grid; remove it and launch the run again"
            found.append(Problem(key=keys.epochs(cell), reason=reason, cell=cell.id))
    return found


def _copies(there: set[str], by_id: Mapping[str, Cell]) -> list[Problem]:
    """A second epochs.parquet of a cell under another key, which is not read."""
    reason = "a second result of this cell in a wrong place; not read"
    return [
        Problem(key=key, cell=cell, reason=reason)
        for key in sorted(there)
        for cell in keys.committed([key]) & by_id.keys()
        if key != keys.epochs(by_id[cell])
    ]


def wait(store: Store, run: str, say: Callable[[str], None], limit: float) -> None:
    """Returns when every cell is done or has failed for good, or after ``limit`` seconds."""
    end = time.monotonic() + limit
    cells = read_run(store, run).grid.cells
    while True:
        done = keys.committed(store.list(keys.RESULTS))
        open_cells = {c.id for c in cells if c.id not in done}
        failures, _ = read_failures(store, open_cells)
        progress, _ = read_progress(store, open_cells)
        lost = {cell for cell, own in failures.items() if any(f.kind in PERMANENT for f in own)}
        rest = len(open_cells - lost)
        say(
            f"{len(cells) - len(open_cells)} of {len(cells)} cells done, {len(lost)} failed for good, {rest} to come, {len(progress)} in training"
        )
        if not rest or time.monotonic() >= end:
            return
        time.sleep(max(0.0, min(POLL_SECONDS, end - time.monotonic())))
