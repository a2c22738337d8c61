"""What would decide the rest: which cells, at what cost, as a grid that keeps the old ones."""

from __future__ import annotations

import dataclasses
import math
import tomllib

import pytest

from aggregator.report.costs import cost_by_cell
from aggregator.suggest import choose_steps, forecast_claims, plan_steps, suggest_grid
from experiment.errors import InvalidInput
from experiment.grid import load_grid, parse_grid
from tests.aggregator import factories
from tests.aggregator.claims.truths import jitter
from tests.aggregator.conftest import gather_run


def promising_error(cell, model):
    """A little better than Single, within noise."""
    return factories.flat_error(cell, model) + 0.05 - 0.004 * (cell.method != "single") + jitter(cell, model)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(material without prices, with prices) of five seeds of Single and L2."""
    cells = [c for c in load_grid("demo").with_seeds(5).cells if c.method in ("single", "l2") and c.alpha < 1]
    place = tmp_path_factory.mktemp("suggest") / "s"
    store = factories.committed_store(place, cells=cells, error=promising_error, predictions=False)
    return gather_run(store), gather_run(store, prices={"": 3.0})


def possible_of(material):
    return choose_steps(material.steps, None)


def test_the_cells_that_are_lacking_are_those_of_the_claims_comparisons(run):
    step = possible_of(run[0])[0]
    there = {c.id for c in run[0].run.run.grid.cells}

    assert step.chance.decided >= 0.8
    assert not {c.id for c in step.cells} & there
    assert {c.seed for c in step.cells} == set(range(5, step.chance.seeds))


def test_hours_and_dollars_are_those_of_the_done_cells(run):
    step = possible_of(run[1])[0]

    assert step.cost.hours == pytest.approx(len(step.cells) / 6)  # each took 600 s
    assert step.cost.dollars == pytest.approx(3 * step.cost.hours)
    assert math.isnan(possible_of(run[0])[0].cost.dollars)


def test_the_suggested_grid_holds_the_old_cells_and_the_new(run, tmp_path):
    old = run[0].run.run.grid.cells
    steps = possible_of(run[0])
    (tmp_path / "next.toml").write_text(suggest_grid(old, steps))
    grid = load_grid(str(tmp_path / "next.toml"))

    assert {c.id for c in grid.cells} == {c.id for c in old} | {c.id for s in steps for c in s.cells}
    assert grid.cells != old


def test_a_budget_buys_the_cheapest_claims_and_too_small_a_one_is_refused(run):
    cheapest = possible_of(run[1])[0]

    assert cheapest in choose_steps(run[1].steps, cheapest.cost.dollars + 0.01)
    with pytest.raises(InvalidInput, match=r"at least \d"):
        choose_steps(run[1].steps, cheapest.cost.dollars / 2)
    with pytest.raises(InvalidInput, match="give --price USD"):
        choose_steps(run[0].steps, 5.0)


def test_at_most_so_many_seeds_are_suggested(run):
    costs = cost_by_cell(run[0].run, {})
    steps = plan_steps(forecast_claims(run[0].claims), costs, most=5)

    assert {s.chance for s in steps} == {None}
    with pytest.raises(InvalidInput, match="no number of seeds"):
        suggest_grid(run[0].run.run.grid.cells, steps)


def test_a_question_needs_seeds_of_both_its_studies(tmp_path, gather):
    cells = [
        dataclasses.replace(c, seed=seed, epochs=epochs)
        for c in load_grid("demo").cells
        if (c.method, c.alpha) in (("single", 0.0), ("l2", 0.01))
        for seed in range(5)
        for epochs in (1, 2)
    ]

    def error(cell, model):
        noise = (sum(map(ord, cell.id + model)) % 7) * 0.01
        return 0.3 - 0.04 * cell.epochs * (cell.method == "l2") + noise

    material = gather(factories.committed_store(tmp_path / "s", cells=cells, error=error, predictions=False))
    (step,) = plan_steps([s.outlook for s in material.question_steps], cost_by_cell(material.run, {}), most=100)

    assert {(c.method, c.epochs) for c in step.cells} == {("single", 1), ("single", 2), ("l2", 1), ("l2", 2)}
    assert len(step.cells) == 4 * (step.chance.seeds - 5)
    assert step.cost.hours > 0


def test_new_students_bring_their_teachers_and_what_these_cost(tmp_path, gather):
    grid = """
        [base]
        dataset = "digits"
        epochs = 1
        seed = [0, 1, 2, 3, 4]
        [[product]]
        method = "single"
        [[product]]
        method = "ce"
        alpha = 1.0
        [[product]]
        method = "distillation"
        alpha = 1.0
        teacher = { method = "single", epochs = 2 }
    """
    cells = parse_grid("g", tomllib.loads(grid)).cells

    def error(cell, model):
        noise = (sum(map(ord, cell.id + model)) % 7) * 0.01
        return 0.2 - 0.02 * (cell.method == "distillation") + noise

    material = gather(factories.committed_store(tmp_path / "s", cells=cells, error=error, predictions=False))
    (step,) = plan_steps([s.outlook for s in material.question_steps], cost_by_cell(material.run, {}), most=100)
    new = step.chance.seeds - 5

    taught = {c.teacher.id for c in step.cells if c.teacher}
    assert len(taught) == new
    assert taught <= {c.id for c in step.cells}
    assert step.cost.hours == pytest.approx(len(step.cells) / 6), "teachers took 600 s, too"
