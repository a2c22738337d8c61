"""``load(url)``: the results of a store or of one run as a tidy DataFrame."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from aggregator.reading import encoded, read_epochs
from aggregator.rows import row_problems
from experiment import keys, results
from experiment.errors import InvalidInput, NotFound
from experiment.keys import split_run_url
from experiment.ledger import Problem
from experiment.run import read_run
from experiment.store import open_store


def load(url: str, *, strict: bool = True) -> pd.DataFrame:
    """One row per cell, epoch and model, with the columns that docs/results.md describes.

    Args:
        url: a store (a directory, ``file://`` or ``s3://bucket/prefix``): all its results; or ``STORE/runs/RUN``: those
            of a run's cells that are done.
        strict: whether a file that cannot be used is an error. If not, it is left out and named in
            ``frame.attrs["problems"]``.

    Raises:
        NotFound: no such run.
        InvalidInput: no such store, or (if strict) a file that cannot be used.
    """
    if f"/{keys.RUNS}" in f"{url.rstrip('/')}/".rsplit("/", 2)[0] + "/":
        name, run = split_run_url(url)
        store = open_store(name)
        wanted = {keys.epochs(c) for c in read_run(store, run).grid.cells}
    else:
        store, wanted = open_store(url), None
    found = [k for k in store.list(keys.RESULTS) if keys.committed([k]) and (wanted is None or k in wanted)]
    read = read_epochs(store, found)
    frame = to_frame(read.epochs)
    problems = [*read.problems, *row_problems(frame)]
    if problems and strict:
        raise InvalidInput(_named(problems))
    frame.attrs["problems"] = [f"{p.key}: {p.reason}" for p in problems]
    return frame


def to_frame(table: pa.Table) -> pd.DataFrame:
    """The rows as a DataFrame that may be written into; texts, of which few differ, as categories."""
    frame: pd.DataFrame = encoded(
        table
    ).to_pandas()  # columns of one type together: singly they would share Arrow's memory
    return frame


def load_predictions(url: str, cell_id: str) -> pd.DataFrame:
    """The predictions of one cell on its test set after the last epoch: one row per model and example.

    Raises:
        NotFound: the store has none of that cell.
        InvalidInput: the file cannot be used.
    """
    store = open_store(url)
    for key in store.list(keys.RESULTS):
        if key.endswith(f"/{cell_id}/predictions.parquet"):
            data = store.read(key)
            frame: pd.DataFrame = results.from_bytes(data, "predictions", f"{store.url}/{key}").to_pandas()
            return frame
    raise NotFound(f"{store.url} holds no predictions of cell {cell_id!r}; take an id from load(...)['cell_id']")


def _named(problems: list[Problem], limit: int = 5) -> str:
    shown = "; ".join(f"{p.key}: {p.reason}" for p in problems[:limit])
    more = f"; and {len(problems) - limit} more" if len(problems) > limit else ""
    return f"{len(problems)} results cannot be used as they are: {shown}{more}; load(url, strict=False) leaves out what is unreadable"
