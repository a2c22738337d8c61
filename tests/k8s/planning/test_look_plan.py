"""A plan of looks: its seeds, its records, and what its rounds have come to."""

from __future__ import annotations

import dataclasses

import pytest

from experiment.errors import InvalidInput
from experiment.grid import load_grid
from k8s.planning import look_plan
from k8s.planning.look_plan import Answer, LookPlan, Round
from tests.k8s.planning.plans import CELLS, PLAN, answer, standing


@pytest.mark.parametrize(
    ("own", "counts"),
    [(1, (5, 10, 15, 20, 30)), (5, (5, 10, 15, 20, 30)), (7, (7, 10, 15, 20, 30)), (40, (40,))],
)
def test_looks_begin_where_tests_do_and_never_below_the_grids_own_seeds(own, counts):
    assert look_plan.plan_counts(own) == counts


def test_a_grid_of_fresh_seeds_goes_on_after_them():
    grid = load_grid("smoke").with_seeds(12).only(["seed=10,11"])

    assert look_plan.plan_seeds(grid) == tuple(range(10, 40))
    assert PLAN.seeds_at(2) == tuple(range(10))


def test_records_come_back_as_they_were():
    a_round = Round(number=2, run="r", claims=("1",), growing=tuple(CELLS))
    answers = [answer("1", chances={10: 0.5}), answer("2", p=None)]

    assert LookPlan.from_bytes(PLAN.to_bytes(), "there") == PLAN
    assert Round.from_bytes(a_round.to_bytes(), "there") == a_round
    assert look_plan.answers_from_bytes(look_plan.answers_to_bytes(answers), "there") == answers


@pytest.mark.parametrize("wrong", [{"name": 1}, {"chances": {"x": 1}}, {"chances": None}, {"level": "low"}])
def test_an_answer_of_another_form_is_refused(wrong):
    data = look_plan.FORM.to_bytes({"claims": [{**answer("1").to_json(), **wrong}]})

    with pytest.raises(InvalidInput, match="there"):
        look_plan.answers_from_bytes(data, "there")


def test_a_damaged_record_says_what_to_do():
    with pytest.raises(InvalidInput, match="restore it, or begin another plan with --run NAME"):
        LookPlan.from_bytes(PLAN.to_bytes()[:-2], "there")


def test_the_answer_that_counts_is_that_of_the_last_round_that_was_to_decide_the_claim():
    decided, given_up = answer("1", verdict="supported"), answer("2")
    first = (decided, given_up, answer("4"))
    later = tuple(dataclasses.replace(a, verdict="refuted") for a in first)
    found = standing([first, later], claims=[("1", "2", "4"), ("4",)])

    assert found.answers == {"1": (1, decided), "2": (1, given_up), "4": (2, later[2])}
    assert found.open_claims == []
    assert standing([first]).open_claims == [given_up, first[2]]


def test_cells_of_rounds_are_those_that_grew_with_the_seeds_of_their_rounds():
    found = standing([(answer("1"),)] * 2, growing=[[*CELLS], [*CELLS][:1]])
    seeds = [c.seed for c in found.cells_of_rounds()]

    assert len(seeds) == 4 * 5 + 5
    assert sorted(set(seeds)) == list(range(10))


def test_an_answer_without_chances_has_none():
    assert Answer.from_json(answer("1").to_json(), "there").chances == {}
