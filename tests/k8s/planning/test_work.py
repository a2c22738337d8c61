"""What a Job has to do: its cells by kind, its pods, its devices."""

from __future__ import annotations

import dataclasses

import pytest

from experiment.cell import Cell
from experiment.errors import InvalidInput
from k8s.planning import work
from k8s.planning.gpu_types import load_gpu_types
from tests.k8s.factories import settings

TABLE = load_gpu_types()
CELLS = [Cell(dataset="mnist", method="single", seed=s) for s in range(7)]


def test_cells_are_counted_by_what_their_time_depends_on():
    cells = [Cell(dataset="mnist", method="single", seed=s, epochs=e) for s in range(3) for e in (1, 2)]

    assert work.count_alike(cells) == {cells[0]: 3, cells[1]: 3}


def test_a_pod_of_one_cell_starts_for_it_alone():
    found = work.job_work("j", [[c] for c in CELLS], settings(parallelism=3), TABLE)

    assert (found.at_once, found.starts, found.in_turn, found.workers) == (3, 7, 1, 1)
    assert (found.cells, found.cells_at_once) == ({CELLS[0]: 7}, 3)


def test_each_worker_of_a_pod_starts_once_for_all_its_cells():
    given = settings(cells_per_pod=4, workers_per_gpu=2)
    found = work.job_work("j", [CELLS[:4], CELLS[4:6], CELLS[6:]], given, TABLE)

    assert (found.at_once, found.starts, found.in_turn, found.workers) == (3, 2 + 2 + 1, 2, 2)
    assert found.cells_at_once == 2 + 2 + 1
    assert dataclasses.replace(found, at_once=1).cells_at_once == 2


def test_a_type_of_gpu_that_the_table_lacks_is_refused():
    with pytest.raises(InvalidInput, match="add it to --gpu-table"):
        work.job_work("j", [CELLS], settings(gpu_type="b200"), TABLE)
