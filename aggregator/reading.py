"""Reads many results at once, checks every file, and names those that cannot be used instead of leaving them out quietly."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from experiment import keys, results
from experiment.errors import ExperimentError, InvalidInput, describe
from experiment.store import Store

T = TypeVar("T")
R = TypeVar("R")
LOCAL_THREADS = os.cpu_count() or 2
LOCAL_BATCH = 32  # files per task: handing over single small files costs as much as reading them
REMOTE_THREADS = 32  # as many connections as the S3 client keeps: there the wait is for the network


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An object of the store that is not what it should be.

    Attributes:
        cell: the cell it belongs to, where that is known.
        absent: whether it is not there at all.
    """

    key: str
    reason: str
    cell: str = ""
    absent: bool = False


@dataclass(frozen=True, kw_only=True)
class Results:
    """The rows of all readable results.

    Attributes:
        epochs: rows of ``results.EPOCHS``, cell after cell.
        provenance: by cell id, what its files say they were made with.
        problems: the objects that could not be used.
    """

    epochs: pa.Table
    provenance: Mapping[str, Mapping[str, Any]]
    problems: tuple[Problem, ...]


def in_parallel(store: Store, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """``function`` of every item, in order, in as many threads as suit the store."""
    local = store.local_path("x") is not None
    things = list(items)
    size = LOCAL_BATCH if local else 1
    batches = [things[i : i + size] for i in range(0, len(things), size)]
    with ThreadPoolExecutor(LOCAL_THREADS if local else REMOTE_THREADS) as pool:
        return [r for answers in pool.map(lambda batch: [function(t) for t in batch], batches) for r in answers]


def read_epochs(store: Store, found: Sequence[str]) -> Results:
    """The results under these keys of ``epochs.parquet``, each read whole with checksums and checked against its key."""

    def read(key: str) -> tuple[pa.Table, dict[str, Any]] | Problem:
        try:
            return _checked(store, key)
        except ExperimentError as error:
            return Problem(key=key, reason=describe(error), cell=key.rsplit("/", 2)[1])

    answers = in_parallel(store, read, found)
    good = [a for a in answers if not isinstance(a, Problem)]
    epochs = pa.concat_tables([t for t, _ in good]) if good else results.EPOCHS.empty_table()
    return Results(
        epochs=epochs.replace_schema_metadata(None),
        provenance={t["cell_id"][0].as_py(): p for t, p in good},
        problems=tuple(a for a in answers if isinstance(a, Problem)),
    )


def _checked(store: Store, key: str) -> tuple[pa.Table, dict[str, Any]]:
    """One result and its provenance.

    Raises:
        ExperimentError: gone, torn, foreign, of another version, or the result of another cell.
    """
    source = f"{store.url}/{key}"
    data = store.read(key)
    try:
        # The plain reader behind pq.read_table: of 10,000 small files its data-set machinery costs more than the rows.
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        raw = file.reader.read_all(use_threads=False)
    except (pa.ArrowException, OSError, ValueError):
        return results.from_bytes(data, "epochs", source), {}  # which says what is wrong with the file
    facts = results.provenance(raw.schema, source)
    if facts.get("schema_version") == results.SCHEMA_VERSION:  # the usual way, without parsing the facts again
        table = raw
        results.check_columns(table.schema, "epochs", source)
    else:
        table = results.upgrade(raw, "epochs", source)
    if table.num_rows == 0:
        raise InvalidInput(f"{source} has no rows; remove it and launch its run again")
    dataset, method, cell = (table[n][0].as_py() for n in ("dataset", "method", "cell_id"))
    if key != f"{keys.RESULTS}dataset={dataset}/method={method}/{cell}/epochs.parquet":
        raise InvalidInput(f"{source} holds cell {cell} of {dataset}, {method}: a copy in another's place; remove it")
    return table, facts


def row_problems(frame: pd.DataFrame) -> list[Problem]:
    """What is wrong with the rows of a cell although its file is whole: rows that lack, repeat, or hold no number.

    A figure that is NaN in all rows of a model was not measured: that is no problem.
    """
    if frame.empty:
        return []
    cells = frame.groupby("cell_id", observed=True, sort=False)
    first = cells.first()
    expected = first["epochs"] * (first["members"].astype(str).str.count(r"\+") + 2)
    size = cells.size()
    repeats = frame[frame.duplicated(["cell_id", "model", "epoch"])].groupby("cell_id", observed=True).size()
    found = [_row_problem(first, str(c), f"{n:,} rows repeat a model's epoch") for c, n in repeats.items()]
    found += [
        _row_problem(first, str(c), f"{size[c]:,} rows instead of {expected[c]:,}: epochs or models are missing")
        for c in size.index[(size != expected).to_numpy()]
    ]
    numbers = [n for n in frame.columns if frame[n].dtype == "float64"]
    flags = {n: frame[n].isna() | np.isinf(frame[n]) for n in numbers}
    bad = frame[["cell_id", "model"]].assign(**flags)
    share = bad.groupby(["cell_id", "model"], observed=True, sort=False).mean()
    partly = share.where(share < 1, 0)
    for name in numbers:
        bad_rows: Any = partly.loc[partly[name] > 0, name].items()
        for (cell, model), v in bad_rows:
            reason = f"{name} of {model} is not a finite number in {v:.0%} of its rows"
            found.append(_row_problem(first, str(cell), reason))
    return found


def _row_problem(first: pd.DataFrame, cell: str, reason: str) -> Problem:
    row = first.loc[cell]
    key = f"{keys.RESULTS}dataset={row['dataset']}/method={row['method']}/{cell}/epochs.parquet"
    return Problem(key=key, reason=reason, cell=cell)
