"""What is finished, what is missing, how long it may take: pure functions of a grid and what the store holds of it."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from experiment.grid import Grid, load_grid
from experiment.records import Failure
from k8s.planning.plan import (
    DoneCell,
    Plan,
    list_cells,
    local_forecast,
    needed_datasets,
    summarize_plan,
)

GRID = load_grid("demo")
CELLS = GRID.cells


def done(cell, seconds=10.0):
    return {cell.id: DoneCell(cell=cell.id, seconds=seconds, images_per_second=100.0, device="d")}


def failed(cell, kind):
    return {cell.id: Failure(cell=cell.id, attempt="a", kind=kind, exit_code=1, message="m", time="t")}


def test_every_cell_is_missing_at_first():
    plan = Plan(grid=GRID)

    assert plan.missing == tuple(range(13))
    assert summarize_plan(plan, 2) == "13 cells, 0 done, 13 to train"


def test_the_four_states_of_a_cell_are_told_apart():
    failures = {**failed(CELLS[1], "diverged"), **failed(CELLS[2], "transient"), **failed(CELLS[0], "diverged")}
    plan = Plan(grid=GRID, done=done(CELLS[0]), failures=failures)
    states = [line.split(None, 2)[2] for line in list_cells(plan)[:4]]

    assert states == ["done", "failed: diverged, set aside", "failed: transient, to train again", "missing"]
    assert plan.missing == tuple(range(2, 13))
    assert plan.set_aside == {CELLS[1].id: "m"}


def test_a_student_of_a_diverged_teacher_is_set_aside_with_it():
    student = dataclasses.replace(CELLS[0], method="distillation", alpha=1.0, teacher=CELLS[0])
    failures = failed(CELLS[0], "diverged")
    plan = Plan(grid=Grid(name="g", cells=(CELLS[0], student)), failures=failures)
    why = f"its teacher {CELLS[0].id} is set aside: m"

    assert plan.set_aside == {CELLS[0].id: "m", student.id: why}
    assert plan.missing == ()
    assert plan.describe_state(student) == why
    assert dataclasses.replace(plan, retry_diverged=True).missing == (0, 1)
    assert dataclasses.replace(plan, done=done(CELLS[0])).missing == (1,)


def test_a_diverged_cell_is_trained_again_only_if_asked_for():
    plan = Plan(grid=GRID, failures=failed(CELLS[1], "diverged"), retry_diverged=True)

    assert plan.missing == tuple(range(13))
    assert plan.set_aside == {}


@given(st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)), st.booleans())
def test_every_cell_is_finished_missing_or_set_aside_and_only_one_of_them(finished, diverged, retry):
    plan = Plan(
        grid=GRID,
        done={k: v for i in finished for k, v in done(CELLS[i]).items()},
        failures={k: v for i in diverged for k, v in failed(CELLS[i], "diverged").items()},
        retry_diverged=retry,
    )
    missing = [CELLS[i].id for i in plan.missing]

    assert sorted([*plan.done, *missing, *plan.set_aside]) == sorted(c.id for c in CELLS)


def test_the_forecast_scales_finished_seconds_by_work_and_workers():
    plan = Plan(grid=GRID, done={**done(CELLS[0], 10), **done(CELLS[1], 20), **done(CELLS[2], 30)})

    assert local_forecast(plan, 1) == "; about 3 min 20 s on 1 worker, from 3 done cells"
    assert local_forecast(plan, 2) == "; about 1 min 40 s on 2 workers, from 3 done cells"
    assert local_forecast(plan, 99) == "; about 20 s on 99 workers, from 3 done cells"


def test_nothing_is_forecast_from_nothing():
    assert local_forecast(Plan(grid=GRID), 2) == ""
    assert local_forecast(Plan(grid=GRID, done={k: v for c in CELLS for k, v in done(c).items()}), 2) == ""


def test_each_data_set_is_named_once():
    assert needed_datasets(load_grid("full").cells) == ["cifar10", "mnist", "notmnist"]


def test_settings_beyond_the_paper_are_shown():
    cells = [dataclasses.replace(c, augment="shift", label_smoothing=0.1) for c in CELLS[:2]]
    lines = list_cells(Plan(grid=dataclasses.replace(GRID, cells=(*CELLS[2:], *cells))))

    assert lines[-1].endswith("missing; label_smoothing=0.1 augment=shift")
    assert lines[0].endswith("missing")
