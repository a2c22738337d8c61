"""``load(url)``: the results of a store or of one run as a tidy DataFrame; ``load_predictions``: those of one cell."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from aggregator.reading.epochs import read_epochs, to_frame
from aggregator.reading.rows import find_row_problems
from experiment import keys, results
from experiment.errors import InvalidInput, NotFound
from experiment.ledger import Problem
from experiment.run import Run, open_run
from experiment.store import Store, open_store

MOST_NAMED = 5  # problems that an error names


def load(url: str, *, strict: bool = True) -> pd.DataFrame:
    """Returns one row per cell, epoch and model, with the columns that docs/results.md describes.

    Args:
        url: a store (a directory, ``file://`` or ``s3://bucket/prefix``) for all its results; or ``STORE/runs/RUN`` for
            those of one run.
        strict: whether a file that cannot be used is an error. If not, it is left out and named in
            ``frame.attrs["problems"]``.

    Raises:
        InvalidInput: there is no such store or run, or (if strict) a file cannot be used.
    """
    store, run = _open(url)
    wanted = None if run is None else {keys.epochs(c) for c in run.grid.cells}
    committed = [k for k in store.list(keys.RESULTS) if keys.committed([k]) and (wanted is None or k in wanted)]
    found = read_epochs(store, committed)
    frame = to_frame(found.epochs)
    problems = [*found.problems, *find_row_problems(frame)]
    if problems and strict:
        raise InvalidInput(_name_problems(problems))
    frame.attrs["problems"] = [f"{p.key}: {p.reason}" for p in problems]
    return frame


def load_predictions(url: str, cell_id: str) -> pd.DataFrame:
    """Returns the predictions of one cell on its test set after the last epoch: one row per model and example.

    Raises:
        NotFound: the store has no predictions of that cell.
        InvalidInput: the file cannot be used.
    """
    store = open_store(url)
    for key in store.list(keys.RESULTS):
        if keys.predictions_cell(key) == cell_id:
            table = results.from_bytes(store.read(key), "predictions", f"{store.url}/{key}")
            frame: pd.DataFrame = table.to_pandas()
            return frame
    raise NotFound(f"{store.url} holds no predictions of cell {cell_id!r}; take an id from load(...)['cell_id']")


def _open(url: str) -> tuple[Store, Run | None]:
    if f"/{keys.RUNS}" in f"{url.rstrip('/')}/".rsplit("/", 2)[0] + "/":
        return open_run(url)
    return open_store(url), None


def _name_problems(problems: Sequence[Problem]) -> str:
    named = "; ".join(f"{p.key}: {p.reason}" for p in problems[:MOST_NAMED])
    more = f"; and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
    advice = "load(url, strict=False) leaves out what is unreadable"
    return f"{len(problems)} results cannot be used as they are: {named}{more}; {advice}"
