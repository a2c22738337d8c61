"""Files of an older schema version stay readable: the kept ones were written when version 1 was today's."""

from pathlib import Path

import pyarrow as pa
import pytest

from aggregator import load
from experiment import results
from experiment.errors import InvalidInput
from experiment.provenance import METADATA, read_provenance
from experiment.store import LocalStore

KEPT = Path(__file__).parent / "data"
CELL = "digits-l2-0p01-s0"


def placed(tmp_path):
    table = results.from_bytes((KEPT / "epochs-v1.parquet").read_bytes(), "epochs", "kept")
    cell = table["cell_id"][0].as_py()
    store = LocalStore(tmp_path / "s", create=True)
    store.put(f"results/dataset=digits/method=l2/{cell}/epochs.parquet", (KEPT / "epochs-v1.parquet").read_bytes())
    return store


def test_the_kept_files_are_of_version_1():
    for name in ("epochs", "predictions"):
        table = results.from_bytes((KEPT / f"{name}-v1.parquet").read_bytes(), name, "kept")

        assert read_provenance(pa.parquet.read_schema(KEPT / f"{name}-v1.parquet"), "kept")["schema_version"] == 1
        assert table.num_rows == {"epochs": 9, "predictions": 300}[name]


def test_a_kept_file_of_version_1_loads(tmp_path):
    frame = load(placed(tmp_path).url)

    assert list(frame["model"].unique()) == ["S", "T", "Ens"]
    assert frame["cell_id"].iloc[0].startswith(CELL)


def test_when_version_2_has_a_new_column_version_1_still_loads(tmp_path, monkeypatch):
    new = pa.field("test_brier", pa.float64(), nullable=False, metadata={"doc": "Brier score"})

    def add(name, table):
        column = pa.array([float("nan")] * table.num_rows, pa.float64())
        return table.append_column(new, column) if name == "epochs" else table

    monkeypatch.setattr(results, "SCHEMA_VERSION", 2)
    monkeypatch.setitem(results.UPGRADES, 1, add)
    monkeypatch.setitem(results.TABLES, "epochs", results.EPOCHS.append(new))
    frame = load(placed(tmp_path).url)

    assert frame["test_brier"].isna().all()
    assert len(frame) == 9


def test_files_of_two_versions_load_together(tmp_path, monkeypatch):
    store = placed(tmp_path)
    key = next(store.list("results/"))
    table = results.from_bytes(store.read(key), "epochs", "kept")
    cell = table["cell_id"][0].as_py()
    fields = {n: table[n].to_pylist() for n in table.column_names} | {"cell_id": ["other"] * 9, "test_brier": [0.5] * 9}
    new = pa.field("test_brier", pa.float64(), nullable=False)
    monkeypatch.setattr(results, "SCHEMA_VERSION", 2)
    monkeypatch.setitem(results.UPGRADES, 1, lambda _, t: t.append_column(new, pa.array([0.0] * 9)))
    monkeypatch.setitem(results.TABLES, "epochs", results.EPOCHS.append(new))
    store.put(key.replace(cell, "other"), results.to_bytes(results.to_table("epochs", fields, {})))
    frame = load(store.url)

    assert frame.groupby("cell_id", observed=True)["test_brier"].first().to_dict() == {cell: 0.0, "other": 0.5}


def test_a_file_of_a_later_version_is_named(tmp_path):
    store = placed(tmp_path)
    table = results.from_bytes((KEPT / "epochs-v1.parquet").read_bytes(), "epochs", "kept")
    metadata = {METADATA: b'{"schema_version": 9}'}
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(table.replace_schema_metadata(metadata), sink)
    key = next(store.list("results/"))
    store.put(key, sink.getvalue().to_pybytes())

    with pytest.raises(InvalidInput, match=r"results schema 9; allowed: 1; read it with the version"):
        load(store.url)
