"""A launch on a store that holds something damaged: results and frozen grids are refused, records are named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiment import keys, results
from experiment.grid import load_grid
from experiment.provenance import METADATA
from experiment.store import LocalStore
from k8s.planning.freeze import freeze_grid
from tests.factories import epochs_table
from tests.k8s.launching import launch, refused

ROOT = Path(__file__).parent.parent.parent


def content(store: LocalStore) -> dict[str, str]:
    return {k: hashlib.sha256(store.read(k)).hexdigest() for k in store.list("")}


def damage(store: LocalStore, key: str, how: str, cell) -> None:
    path = store.local_path(key)
    data = path.read_bytes()
    table = epochs_table(cell)
    if how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "flipped":
        middle = data.index(b"PAR1") + 60
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :])
    elif how == "foreign":
        pq.write_table(pa.table({"x": [1]}), path)
    elif how == "newer":
        newer = {METADATA: json.dumps({"schema_version": 99, "table": "epochs"}).encode()}
        pq.write_table(table.replace_schema_metadata(newer), path)
    elif how == "another cell's":
        path.write_bytes(results.to_bytes(epochs_table(load_grid("demo").cells[0])))
    elif how == "half its epochs":
        path.write_bytes(results.to_bytes(table.slice(0, len(cell.models))))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("cut", ["is not a whole Parquet file", "remove it and launch"]),
        ("empty", ["is not a whole Parquet file"]),
        ("flipped", ["is not a whole Parquet file"]),
        ("foreign", ["was not written by this suite", "remove it from the store"]),
        ("newer", ["results schema 99; allowed: 1", "the version of the suite that wrote it"]),
        ("another cell's", ["epochs of its cell", "remove it"]),
        ("half its epochs", ["epochs of its cell", "remove it"]),
    ],
)
def test_a_result_that_cannot_be_trusted_is_named_and_refused_and_nothing_is_touched(how, words, smoke, tmp_path):
    store, cell = smoke
    damage(store, keys.epochs(cell), how, cell)
    before = content(store)
    for more in ((), ("--plan",)):
        refused(launch("--grid", "smoke", "--store", store.root, *more, cwd=tmp_path), keys.epochs(cell), *words)

    assert content(store) == before


def test_several_such_results_are_counted(smoke, tmp_path):
    store, _ = smoke
    for cell in load_grid("smoke").cells[:3]:
        store.put(keys.epochs(cell), b"no")

    refused(launch("--grid", "smoke", "--store", store.root, cwd=tmp_path), "(and 2 more like it)")


def test_a_damaged_result_of_another_grid_is_no_obstacle(smoke, tmp_path):
    store, cell = smoke
    store.put(keys.epochs(cell), b"no")

    assert launch("--grid", "demo", "--plan", "--store", store.root, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("how", ["cut", "changed", "nonsense"])
def test_a_damaged_frozen_grid_is_refused(how, launcher):
    store = LocalStore(launcher.store, create=True)
    freeze_grid(store, "mine", load_grid(str(launcher.grid)).only(["method=ce"]), {})
    path = store.local_path(keys.grid("mine"))
    whole = path.read_bytes()
    path.write_bytes(
        {"cut": whole[:100], "changed": whole.replace(b'"seed": 0', b'"seed": 1', 1), "nonsense": b"[]"}[how]
    )
    code, _, err = launcher("--only", "method=ce", "--run", "mine")

    assert code == 42
    assert err.count("\n") == 1
    assert "runs/mine/grid.json is" in err
    assert "launch the grid again under another --run" in err
    assert launcher.events() == []


def test_a_run_keeps_the_cells_that_it_was_launched_with(launcher):
    store = LocalStore(launcher.store, create=True)
    freeze_grid(store, "mine", load_grid(str(launcher.grid)).only(["method=ce"]), {"time": "then"})
    before = store.read(keys.grid("mine"))
    code, _, err = launcher("--run", "mine")

    assert code == 42
    assert err == (
        "error: the grid of run mine is 'six with 6 cells'; allowed: the cells that it was launched with (six, 3 cells); "
        "choose another --run, or leave --run out\n"
    )
    assert launcher("--only", "method=ce", "--run", "mine")[0] == 0
    assert store.read(keys.grid("mine")) == before


def test_a_damaged_failure_record_is_named_and_the_launch_goes_on(launcher):
    store = LocalStore(launcher.store, create=True)
    store.put(keys.failure(load_grid(str(launcher.grid)).cells[0].id, "a1"), b"{")
    code, _, err = launcher()

    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("warning: ") and "a1.json is not a record of this suite" in err


def test_a_missing_bucket_is_refused(moto_server, s3_environment, tmp_path):
    s3_environment(moto_server)

    refused(
        launch("--grid", "smoke", "--store", "s3://no-such-bucket/p", cwd=tmp_path), "NoSuchBucket", "create the bucket"
    )
