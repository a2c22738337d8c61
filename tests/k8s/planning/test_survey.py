"""What a store holds of a grid: results are read whole, failures and what cannot be read are named."""

from __future__ import annotations

import boto3
import pytest

from experiment import keys, records
from experiment.errors import InvalidInput
from experiment.grid import load_grid
from experiment.records import Failure, Throughput
from experiment.store import open_store
from k8s.cluster.observe import read_known_assignments
from k8s.planning.survey import done_cells, store_is_absent, survey_store, why_unreachable
from tests.factories import commit

GRID = load_grid("smoke")


def test_done_cells_say_how_long_they_took(store):
    commit(store, GRID.cells[1])

    (found,) = done_cells(store, GRID.cells).values()

    assert (found.cell, found.images_per_second, found.device) == (GRID.cells[1].id, 1000.0, "made")
    assert found.seconds == 2.0 * GRID.cells[1].epochs


def test_a_damaged_failure_record_is_named_and_its_cell_is_missing(local_store):
    local_store.put(keys.failure(GRID.cells[0].id, "torn"), b'{"kind')

    plan = survey_store(local_store, GRID, retry_diverged=False)

    assert (plan.missing, [p.cell for p in plan.problems]) == ((0, 1, 2, 3), [GRID.cells[0].id])


def test_damaged_results_are_counted(local_store):
    for cell in GRID.cells[:3]:
        local_store.put(keys.epochs(cell), b"no")

    with pytest.raises(InvalidInput, match=r"and 2 more like it"):
        done_cells(local_store, GRID.cells)


def test_only_a_directory_that_is_not_there_is_absent(tmp_path):
    assert store_is_absent(str(tmp_path / "none"))
    assert store_is_absent(f"file://{tmp_path}/none")
    assert not store_is_absent(str(tmp_path))
    assert not store_is_absent("s3://bucket/prefix")


def test_marks_of_folders_and_stray_files_are_no_obstacle(moto_store):
    speed = Throughput(
        device="Tesla T4", dataset="digits", members="ST+M", precision="float32", images_per_second=9.0, time=""
    )
    moto_store.put(keys.throughput("t4"), records.to_bytes(speed))
    for key in ("throughput/", "failures/", "progress/", "results/", "datasets/", "runs/", "runs/r/", "runs/r/jobs/"):
        moto_store.put(key, b"")
    failure = Failure(cell=GRID.cells[0].id, attempt="a", kind="error", exit_code=1, message="m", time="t")
    stray = {
        "throughput/.DS_Store": b"x",
        "throughput/notes.txt": b"fast",
        "throughput/failure.json": records.to_bytes(failure),
    }
    for key, data in stray.items():
        moto_store.put(key, data)

    plan = survey_store(moto_store, GRID, retry_diverged=False)

    assert plan.speeds == (speed,)
    assert sorted(p.key for p in plan.problems) == sorted(stray)
    assert keys.prepared_datasets(moto_store.list(keys.DATASETS)) == set()
    assert read_known_assignments(moto_store, "r") == ({}, [])


@pytest.mark.parametrize("name", ["exp#1", "a%20b", "q?z", "runs"])
def test_a_folder_is_there_or_not_whatever_its_name(name, tmp_path):
    assert store_is_absent(str(tmp_path / name))
    (tmp_path / name).mkdir()
    assert not store_is_absent(str(tmp_path / name))
    assert not store_is_absent((tmp_path / name).as_uri())


def test_a_remote_store_that_cannot_be_asked_says_why(moto_store, monkeypatch, local_store):
    assert (why_unreachable(moto_store, "r"), why_unreachable(local_store, "r")) == ("", "")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would remember them

    assert "Unable to locate credentials" in why_unreachable(open_store(moto_store.url), "r")
