"""Reads the predictions of many cells into one table, each file checked against what its commit names."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.reading.epochs import Results, encode_texts
from aggregator.reading.predictions import read_table
from experiment import artifacts, keys
from experiment.columns import PREDICTIONS
from experiment.errors import InvalidInput
from experiment.parallel import map_parallel
from experiment.store import Store


def read_tables(
    store: Store, found: Results, ids: Sequence[str] | None = None, columns: Sequence[str] | None = None
) -> pa.Table:
    """Returns the predictions of cells whose commits were read, cell after cell, with texts as codes of a dictionary.

    Args:
        ids: the cells, of those of ``found``; by default all of them.
        columns: the columns to keep; by default all.

    Raises:
        NotFound: a cell kept no predictions.
        InvalidInput: some are damaged, or not those that their commit names.
    """
    starts = pc.index_in(pa.array(list(found.provenance), pa.string()), found.epochs["cell_id"].cast(pa.string()))
    names = [name for name in PREDICTIONS.names if name in found.epochs.column_names and name != "model"]
    rows = {row["cell_id"]: row for row in found.epochs.select(names).take(starts).to_pylist()}

    def read_one(cell: str) -> pa.Table:
        row = rows[cell]
        commit = keys.epochs_of(row["dataset"], row["method"], cell)
        table, source = read_table(store, commit, found.provenance[cell], row)
        if set(pc.unique(table["cell_id"]).to_pylist()) - {cell}:
            raise InvalidInput(f"{source} holds predictions of another cell; {artifacts.MEND.format(commit=commit)}")
        return encode_texts(table.select(columns or table.column_names))

    tables = map_parallel(store, read_one, rows if ids is None else ids)
    empty = encode_texts(PREDICTIONS.empty_table().select(columns or PREDICTIONS.names))
    return pa.concat_tables(tables or [empty]).unify_dictionaries()
