"""Files of an older schema version stay readable: the kept ones were written when version 1 was today's."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggregator import load
from aggregator.load import load_predictions
from experiment import columns, keys, results
from experiment.cell import Cell
from experiment.errors import InvalidInput
from experiment.grid import load_grid
from experiment.provenance import METADATA
from experiment.store import LocalStore
from tests.aggregator import factories

KEPT = Path(__file__).parent / "data"
CELL = "digits-l2-0p01-s0"


def kept(name):
    return (KEPT / f"{name}-v1.parquet").read_bytes()


def placed(tmp_path):
    cell = pq.read_table(pa.BufferReader(kept("epochs")))["cell_id"][0].as_py()
    store = LocalStore(tmp_path / "s", create=True)
    for name in ("epochs", "predictions"):
        store.put(f"results/dataset=digits/method=l2/{cell}/{name}.parquet", kept(name))
    return store


def mark(store, version):
    """Lets the kept commit say no more of itself than this schema version."""
    key = next(k for k in store.list("results/") if keys.committed([k]))
    table = pq.read_table(pa.BufferReader(store.read(key)))
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({METADATA: json.dumps({"schema_version": version})}), sink)
    store.put(key, sink.getvalue().to_pybytes())
    return store


def as_version_1(data, name):
    """The file as version 1 wrote it: without the columns that came later."""
    table = results.from_bytes(data, name, "today's")
    facts = json.loads(table.schema.metadata[METADATA]) | {"schema_version": 1}
    old = table.select([n for n, c in columns.COLUMNS[name].items() if c.since == 1])
    sink = pa.BufferOutputStream()
    pq.write_table(old.replace_schema_metadata({METADATA: json.dumps(facts)}), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("name", ["epochs", "predictions"])
def test_the_kept_files_are_of_version_1_and_lack_what_came_later(name):
    schema = pq.read_schema(pa.BufferReader(kept(name)))

    assert json.loads(schema.metadata[METADATA])["schema_version"] == 1
    assert schema.names == [n for n, c in columns.COLUMNS[name].items() if c.since == 1]


def test_a_kept_file_of_version_1_loads_with_what_its_provenance_says(tmp_path):
    store = placed(tmp_path)
    facts = json.loads(pq.read_schema(pa.BufferReader(kept("epochs"))).metadata[METADATA])
    frame = load(store.url)

    assert list(frame.columns) == results.EPOCHS.names
    assert list(frame["model"].unique()) == ["S", "T", "Ens"]
    assert frame["cell_id"].iloc[0].startswith(CELL)
    for name in ("device", "training_seconds"):
        assert set(frame[name]) == {facts[name]}
    assert set(frame["arithmetic"]) == {""}  # was not recorded yet
    assert set(frame["architectures"]) == {""}  # members of a grid of their own, and this store holds no grid


def test_the_predictions_of_version_1_take_from_their_commit_what_they_lack(tmp_path):
    frame = load_predictions(placed(tmp_path).url)

    assert list(frame.columns) == results.PREDICTIONS.names
    assert len(frame) == 300
    assert frame[["dataset", "method", "alpha", "seed"]].drop_duplicates().values.tolist() == [
        ["digits", "l2", 0.01, 0]
    ]


def test_predictions_of_version_1_without_their_commit_are_refused_with_what_to_do():
    with pytest.raises(
        InvalidInput, match=r"it has results schema 1, which lacks dataset, method, alpha, seed; .*commit"
    ):
        results.from_bytes(kept("predictions"), "predictions", "it")


def test_the_architectures_of_version_1_are_proved_by_the_id_or_taken_from_the_grid(tmp_path):
    own = {"members": [{"name": "A", "bricks": 2, "blocks": 1, "filters": 4}], "method": "single", "alpha": 0.0}
    usual = load_grid("demo").cells[1]
    part = Cell.from_dict({**usual.as_dict(), "train_examples": 500})
    strange = Cell.from_dict({**usual.as_dict(), **own})
    store = factories.committed_store(
        tmp_path / "s", cells=[usual, part, strange], predictions=False, error=lambda *_: 0.05
    )
    for cell in (usual, part, strange):
        store.put(keys.epochs(cell), as_version_1(store.read(keys.epochs(cell)), "epochs"))

    def architectures(url):
        return load(url).groupby("cell_id", observed=True)["architectures"].first().to_dict()

    assert architectures(store.url) == {usual.id: "3x1x8+3x2x16", part.id: "3x1x8+3x2x16", strange.id: ""}
    assert architectures(f"{store.url}/runs/made")[strange.id] == "2x1x4"


def test_files_of_two_versions_load_together(tmp_path):
    cells = load_grid("demo").cells[:3]
    store = factories.committed_store(tmp_path / "s", cells=cells)
    today = load(store.url)
    key = keys.epochs(cells[1])
    store.put(key, as_version_1(store.read(key), "epochs"))

    assert load(store.url).equals(today)


def test_a_version_1_file_without_facts_holds_neutral_values(tmp_path):
    store = mark(placed(tmp_path), 1)
    frame = load(store.url)

    assert set(frame["device"]) == set(frame["arithmetic"]) == {""}
    assert np.isnan(frame["training_seconds"]).all()


def test_a_file_of_today_that_lacks_a_later_column_is_named(tmp_path):
    store = mark(placed(tmp_path), 2)

    with pytest.raises(InvalidInput, match=r"columns .*architectures, arithmetic, .*training_seconds.* differ"):
        load(store.url)


def test_a_file_of_a_later_version_is_named(tmp_path):
    store = mark(placed(tmp_path), 9)

    with pytest.raises(InvalidInput, match=r"results schema 9; allowed: 1, 2, 3; read it with the version"):
        load(store.url)
