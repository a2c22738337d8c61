"""The predictions of many cells are one table, in the order asked for."""

from __future__ import annotations

import pyarrow as pa
import pytest

from aggregator.reading.epochs import read_epochs
from aggregator.reading.many_predictions import read_tables
from experiment import keys
from experiment.columns import PREDICTIONS
from experiment.errors import InvalidInput


def test_all_cells_of_what_was_read_or_those_asked_for_come_in_their_order(store, cells):
    found = read_epochs(store, [keys.epochs(c) for c in cells[:3]])
    every = read_tables(store, found)
    some = read_tables(store, found, [cells[2].id, cells[0].id], ["cell_id", "example"])

    assert every.column_names == PREDICTIONS.names
    assert every["cell_id"].unique().to_pylist() == [c.id for c in cells[:3]]
    assert some.column_names == ["cell_id", "example"]
    assert some["cell_id"].unique().to_pylist() == [cells[2].id, cells[0].id]
    assert some.num_rows == 2 * 3 * 360


def test_no_cells_give_a_table_without_rows(store):
    table = read_tables(store, read_epochs(store, []))

    assert table.num_rows == 0
    assert pa.types.is_dictionary(table.schema.field("method").type)


def test_a_file_that_its_commit_does_not_name_is_refused(store, cells):
    found = read_epochs(store, [keys.epochs(c) for c in cells[:2]])
    store.put(keys.predictions(cells[1]), store.read(keys.predictions(cells[0])))

    with pytest.raises(InvalidInput, match=r"predictions\.parquet has sha256 .*, and its commit names"):
        read_tables(store, found)
