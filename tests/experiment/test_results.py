"""Results are typed, versioned and verified; what is torn or foreign is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment import results
from experiment.errors import InvalidInput
from experiment.grid import load_grid
from experiment.provenance import METADATA, read_provenance
from tests.factories import epochs_table

CELL = load_grid("smoke").cells[1]
GOLDEN = Path(__file__).parent / "results_schema.json"


def predictions(count=3):
    columns = {
        **results.repeat_values(results.prediction_values(CELL), count),
        "model": ["Ens"] * count,
        "example": list(range(count)),
        "label": [1] * count,
        "prediction": [2] * count,
        "logits": [np.arange(10, dtype=np.float32)] * count,
    }
    return results.to_table("predictions", columns, {"attempt": "a"})


def test_the_schema_is_the_recorded_one_and_changes_only_with_its_version():
    """After a change on purpose: raise SCHEMA_VERSION, keep the old reader, and write this file anew."""
    now = {
        "schema_version": results.SCHEMA_VERSION,
        **{name: {f.name: str(f.type) for f in schema} for name, schema in results.TABLES.items()},
    }

    assert now == json.loads(GOLDEN.read_text())


def test_every_column_is_documented_and_never_null():
    for schema in results.TABLES.values():
        assert all(f.metadata[b"doc"] and not f.nullable for f in schema)


def test_a_table_survives_the_way_through_parquet_with_its_provenance():
    table = epochs_table(CELL)
    again = results.from_bytes(results.to_bytes(table), "epochs", "here")

    assert again.equals(table)
    assert again.num_rows == CELL.epochs * len(CELL.models)
    origin = {"schema_version": 3, "table": "epochs", "attempt": "made", "device": "made", "training_seconds": 4.0}
    assert read_provenance(again.schema, "here") == origin


@given(st.data())
def test_one_changed_byte_is_found_or_changes_nothing(data):
    whole = results.to_bytes(epochs_table(CELL))
    place = data.draw(st.integers(0, len(whole) - 1))
    torn = bytearray(whole)
    torn[place] ^= data.draw(st.integers(1, 255))
    message, read = "", None
    try:
        read = results.from_bytes(bytes(torn), "epochs", "here")
    except InvalidInput as error:
        message = str(error)

    assert message.startswith("here ") or read.equals(epochs_table(CELL))


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_a_torn_file_is_refused(part):
    whole = results.to_bytes(epochs_table(CELL))
    with pytest.raises(InvalidInput, match=r"here is not a whole Parquet file .*; remove it and launch its run again"):
        results.from_bytes(whole[: int(len(whole) * part)], "epochs", "here")


def file_of(table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def test_a_foreign_file_is_refused():
    with pytest.raises(InvalidInput, match="here was not written by this suite: it lacks the suite's metadata"):
        results.from_bytes(file_of(pa.table({"x": [1]})), "epochs", "here")


@pytest.mark.parametrize("version", [0, 4, "1", None])
def test_another_schema_version_is_refused(version):
    table = epochs_table(CELL).replace_schema_metadata({METADATA: json.dumps({"schema_version": version})})
    with pytest.raises(InvalidInput, match=r"here has results schema .*; allowed: 1, 2, 3; read it with the version"):
        results.from_bytes(file_of(table), "epochs", "here")


def test_another_table_of_the_suite_is_refused_with_the_columns_that_differ():
    with pytest.raises(InvalidInput, match=r"here is not a table of epochs: columns .*logits.* differ"):
        results.from_bytes(results.to_bytes(predictions()), "epochs", "here")


def test_a_column_of_another_type_is_refused():
    table = epochs_table(CELL)
    metadata = table.schema.metadata
    place = table.schema.get_field_index("epoch")
    wrong = table.set_column(place, pa.field("epoch", pa.int32(), nullable=False), table["epoch"].cast(pa.int32()))
    with pytest.raises(InvalidInput, match="here is not a table of epochs: columns epoch differ"):
        results.from_bytes(file_of(wrong.replace_schema_metadata(metadata)), "epochs", "here")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": None}, "columns of predictions are .*; allowed: alpha, cell_id, dataset, example, label"),
        ({"extra": [1, 2, 3]}, "columns of predictions are .*extra"),
        ({"label": [1, None, 3]}, "predictions cannot be made a table: null in label"),
        ({"label": ["a", "b", "c"]}, "predictions cannot be made a table"),
        ({"label": [1, 2]}, "predictions cannot be made a table"),
        ({"logits": [[1.0] * 10, [1.0] * 9, [1.0] * 10]}, "predictions has logits of 9 and 10 numbers"),
    ],
)
def test_columns_that_do_not_fit_are_refused_before_anything_is_written(change, message):
    columns = {n: predictions()[n].to_pylist() for n in results.PREDICTION_COLUMNS} | change
    with pytest.raises(InvalidInput, match=message):
        results.to_table("predictions", {n: c for n, c in columns.items() if c is not None}, {})


def test_not_a_number_is_kept():
    columns = {n: epochs_table(CELL)[n].to_pylist() for n in results.EPOCHS.names}
    columns["train_cost"][0] = float("nan")
    table = results.to_table("epochs", columns, {})

    assert np.isnan(results.from_bytes(results.to_bytes(table), "epochs", "x")["train_cost"][0].as_py())


def test_every_setting_of_the_cell_is_a_column_or_named_otherwise():
    values = results.cell_values(CELL, train_examples=320, test_examples=100)

    assert set(values) == set(results.CELL_COLUMNS)
    assert values["members"] == "S+T"
    assert (values["cell_id"], values["learning_rate_base"]) == (CELL.id, CELL.learning_rate)
    assert set(CELL.as_dict()) - set(values) == {"learning_rate"}


@pytest.mark.parametrize("table", [epochs_table(CELL), predictions()], ids=["epochs", "predictions"])
def test_other_readers_see_the_same_columns_types_and_rows(table, tmp_path):
    path = tmp_path / "file.parquet"
    path.write_bytes(results.to_bytes(table))
    by_duckdb = duckdb.sql(f"select * from '{path}'").to_arrow_table()
    by_polars = pl.read_parquet(path)
    by_pandas = pd.read_parquet(path)

    assert by_duckdb.column_names == by_polars.columns == list(by_pandas.columns) == table.column_names
    for name in table.column_names:
        rows = table[name].to_pylist()
        assert [list(v) if isinstance(v, (tuple, list)) else v for v in by_duckdb[name].to_pylist()] == rows
        assert by_polars[name].to_list() == rows
        assert [v.tolist() if isinstance(v, np.ndarray) else v for v in by_pandas[name]] == rows
    kinds = {"string": pl.String, "int64": pl.Int64, "double": pl.Float64}
    assert all(by_polars.schema[f.name] == kinds[str(f.type)] for f in table.schema if str(f.type) in kinds)


def test_a_dataset_of_many_cells_is_read_as_one_with_its_folders_as_columns(tmp_path):
    for cell in load_grid("smoke").cells:
        folder = tmp_path / f"dataset={cell.dataset}" / f"method={cell.method}" / cell.id
        folder.mkdir(parents=True)
        (folder / "epochs.parquet").write_bytes(results.to_bytes(epochs_table(cell)))
    query = (
        f"select method, count(*) from read_parquet('{tmp_path}/**/epochs.parquet', hive_partitioning=true) group by 1"
    )

    assert sorted(duckdb.sql(query).fetchall()) == [(m, 3 * CELL.epochs) for m in ("ce", "l1", "l2", "single")]
