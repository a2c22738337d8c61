"""What was spent follows from the cells that are done: in hours of this machine, or in dollars of a cluster."""

from __future__ import annotations

import math

import pytest

from experiment.grid import Grid, load_grid
from k8s.planning import purse
from k8s.planning.plan import DoneCell, Plan
from tests.k8s.factories import settings

GRID = load_grid("demo").with_seeds(2)
CELLS = GRID.cells


def survey(*cells, seconds=3600.0):
    done = {c.id: DoneCell(cell=c.id, seconds=seconds, images_per_second=1000.0, device="Tesla T4") for c in cells}
    return Plan(grid=GRID, done=done)


def test_hours_are_those_of_the_cells_shared_by_the_workers():
    found = purse.fill_with_hours(survey(*CELLS[:4]), free={CELLS[0].id}, budget=10, workers=2)

    assert found.spent == pytest.approx(1.5)
    assert found.left == pytest.approx(8.5)
    assert found.cost(CELLS[4:10]) == pytest.approx(3.0)
    assert found.cost(CELLS[:4]) == 0


def test_without_a_done_cell_nothing_says_what_one_takes():
    found = purse.fill_with_hours(survey(), free=(), budget=10, workers=2)

    assert found.spent == 0
    assert math.isnan(found.cost(CELLS[:1]))


def test_dollars_are_known_before_anything_is_trained_and_follow_measured_speeds_then():
    own = settings(gpu_type="t4")
    before = purse.fill_with_dollars(survey(), (), 20.0, own)
    after = purse.fill_with_dollars(survey(*CELLS[:13]), {CELLS[0].id}, 20.0, own)

    assert before.spent == 0
    assert before.cost(CELLS) == pytest.approx(2 * before.cost(CELLS[:13]))
    assert after.spent == pytest.approx(12 / 13 * after.cost(CELLS[13:]))
    assert after.cost(CELLS) == after.cost(CELLS[13:])
    assert purse.fill_with_dollars(survey(), (), 20.0, settings(gpu_type="t4", capacity="spot")).cost(
        CELLS
    ) < before.cost(CELLS)


def test_data_sets_are_priced_by_their_own_settings():
    cells = load_grid("full").only(["method=single"]).cells
    own = settings(gpu_type="t4")
    together = purse.fill_with_dollars(Plan(grid=Grid(name="g", cells=cells)), (), 20.0, own)

    assert together.cost(cells) == pytest.approx(sum(together.cost([c]) for c in cells))
