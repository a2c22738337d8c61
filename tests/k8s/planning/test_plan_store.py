"""Plans in the store: written once before their first look, and kept to."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys, looks
from experiment.errors import InvalidInput
from experiment.grid import load_grid
from k8s.planning.look_plan import Round
from k8s.planning.plan_store import Wish, draft_plan, open_plan, read_standing, record_answers, record_round
from tests.factories import commit
from tests.k8s.planning.plans import CELLS, answer

GRID = load_grid("smoke")
WISH = Wish(claims=("1", "4"), budget=2.0, unit="hours")
STUDY = looks.name_results(GRID.cells[0])


def test_a_plan_is_found_again_as_it_was_made(local_store):
    commit(local_store, GRID.cells[2])
    first = open_plan(local_store, GRID, "p", WISH)
    commit(local_store, GRID.cells[3])

    assert first.plan.done == (GRID.cells[2].id,)
    assert open_plan(local_store, GRID, "p", WISH) == first
    assert len(looks.read_looks(local_store, STUDY)) == 5


def test_earlier_looks_at_these_seeds_lower_the_level(local_store):
    for seeds in (range(5), range(4, 9), range(50, 55)):
        looks.record_look(local_store, STUDY, looks.Look(tuple(seeds), 1), run="r", time="t")
    plan = open_plan(local_store, GRID, "p", WISH).plan

    assert plan.earlier == {STUDY: 2}
    assert plan.levels == {STUDY: looks.ALPHA / 9 / 5}
    found = looks.find_look(looks.read_looks(local_store, STUDY), range(5))
    assert found == looks.Look((0, 1, 2, 3, 4), 3, looks.ALPHA / 45, "p")


def test_rounds_and_looks_are_written_once(local_store):
    plan = open_plan(local_store, GRID, "p", WISH).plan
    a_round = Round(number=1, run="r", claims=("1",), growing=tuple(CELLS))
    found = [answer("1", chances={10: 0.3})]

    assert record_round(local_store, plan, a_round) == a_round
    assert record_round(local_store, plan, dataclasses.replace(a_round, claims=("4",))) == a_round
    assert record_answers(local_store, plan, 1, found) == (*found,)
    assert record_answers(local_store, plan, 1, [answer("1", verdict="supported")]) == (*found,)
    standing = read_standing(local_store, GRID, "p", WISH)
    assert (standing.rounds, standing.looks) == ((a_round,), ((*found,),))


@pytest.mark.parametrize(
    ("grid", "wish", "words"),
    [
        (GRID, dataclasses.replace(WISH, claims=("2",)), "--until-decided of plan p is '2'; allowed: 1,4"),
        (
            GRID,
            dataclasses.replace(WISH, unit="dollars"),
            "the unit of the budget of plan p is 'dollars'; allowed: hours",
        ),
        (GRID.only(["method=ce"]), WISH, "the grid of plan p is '1 cells'; allowed: the 4 that it was made for"),
    ],
)
def test_another_plan_needs_another_name(local_store, grid, wish, words):
    open_plan(local_store, GRID, "p", WISH)

    with pytest.raises(InvalidInput, match=words.replace("(", r"\(")):
        open_plan(local_store, grid, "p", wish)


def test_a_budget_may_change(local_store):
    first = open_plan(local_store, GRID, "p", WISH)

    assert open_plan(local_store, GRID, "p", dataclasses.replace(WISH, budget=9.0)) == first


def test_a_draft_needs_no_store(local_store):
    assert draft_plan(None, GRID, "p", WISH).levels == {STUDY: looks.ALPHA / 5}
    assert read_standing(local_store, GRID, "p", WISH) is None


def test_a_damaged_record_of_a_round_is_named(local_store):
    open_plan(local_store, GRID, "p", WISH)
    local_store.put(keys.look_plan("p", "round-1"), b"{}")

    with pytest.raises(InvalidInput, match=r"round-1\.json is not a plan of looks"):
        open_plan(local_store, GRID, "p", WISH)
