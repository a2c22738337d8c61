"""What a store holds of a grid: results are read whole, failures and what cannot be read are named."""

from __future__ import annotations

import pytest

from experiment import keys
from experiment.errors import InvalidInput
from experiment.grid import load_grid
from k8s.planning.survey import done_cells, store_is_absent, survey_store
from tests.made import commit

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
