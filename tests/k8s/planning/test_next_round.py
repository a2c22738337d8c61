"""The decision after a look: go on for what is worth its money, or stop and say why."""

from __future__ import annotations

import math

import pytest

from k8s.planning.next_round import DOLLARS, HOURS, Go, Purse, Stop, choose_round, show_amount
from tests.k8s.planning.plans import CELLS, PLAN, answer, standing

EACH = 0.125  # hours of a cell
IDS = tuple(CELLS)
LIKELY = {10: 0.5, 15: 0.7, 20: 0.8, 30: 0.9}


def purse(left=1000.0, known=5, each=EACH):
    """Cells of the seeds from ``known`` on cost ``each``."""
    return Purse(unit=HOURS, budget=left + 1, spent=1.0, cost=lambda cells: sum(each for c in cells if c.seed >= known))


def test_the_first_round_brings_the_seeds_of_the_first_look_to_all_cells():
    assert choose_round(standing([]), purse(known=0)) == Go(number=1, claims=PLAN.claims, growing=IDS, cost=20 * EACH)
    assert choose_round(standing([]), purse(left=1, known=0)) == Stop(
        why="the budget does not reach further: round 1 would take 2 h 30 min, and 1 h 00 min of 2 h 00 min are left"
    )


def test_where_nothing_is_measured_the_first_round_is_chosen_at_an_unknown_cost():
    found = choose_round(standing([]), purse(known=0, each=math.nan))

    assert isinstance(found, Go)
    assert math.isnan(found.cost)


def test_claims_that_have_a_chance_go_on_with_the_cells_that_they_compare():
    answers = [
        answer("1", verdict="refuted"),
        answer("2", chances=LIKELY, cells=IDS[:2]),
        answer("4", chances=dict.fromkeys(LIKELY, 0.1)),
    ]

    assert choose_round(standing([answers]), purse()) == Go(number=2, claims=("2",), growing=IDS[:2], cost=10 * EACH)


def test_a_claim_without_a_chance_is_looked_at_again_where_its_cells_grow_anyway():
    answers = [
        answer("1", chances=LIKELY, cells=IDS[:3]),
        answer("2", chances={30: 0.1}, cells=IDS[1:3]),
        answer("4", chances={30: 0.1}),
    ]
    found = choose_round(standing([answers]), purse())

    assert found.claims == ("1", "2")
    assert found.growing == IDS[:3]


def test_the_chance_that_counts_is_that_of_the_last_look_within_the_budget():
    answers = [answer("1", chances={10: 0.0, 15: 0.1, 20: 0.3, 30: 0.9}), *map(answer, ("2", "4"))]
    to_ten, to_fifteen, to_twenty = (4 * n * EACH for n in (5, 10, 15))

    assert isinstance(choose_round(standing([answers]), purse(left=to_twenty + 0.01)), Go)
    far = choose_round(standing([answers]), purse(left=to_fifteen))
    near = choose_round(standing([answers]), purse(left=to_ten - 0.01))
    assert far.why.startswith("the budget does not reach further: only 30 seeds would have a chance of 20%, and")
    assert near.why.startswith("the budget does not reach further: round 2 would take 2 h 30 min, and")


def test_what_has_no_chance_is_not_bought_whatever_is_left():
    answers = [
        answer("1", chances=dict.fromkeys(LIKELY, 0.19)),
        answer("2", reason="needs curves"),
        answer("4", verdict="supported"),
    ]

    assert choose_round(standing([answers]), purse()) == Stop(
        why="more seeds are not worth the money: claim 1: 19% with 30 seeds; claim 2: needs curves"
    )


@pytest.mark.parametrize(
    ("second", "why"),
    [("supported", "no claim is left that more seeds are bought for"), ("undecided", "more seeds are not worth")],
)
def test_a_claim_that_was_given_up_stays_so(second, why):
    first = [answer("1", verdict="supported"), answer("2", chances={30: 0.1}), answer("4", chances=LIKELY)]
    later = [answer("1"), answer("2", chances=LIKELY), answer("4", verdict=second)]
    found = choose_round(standing([first, later], claims=[PLAN.claims, ("4",)]), purse(known=10))

    assert found.why.startswith(why)


def test_all_decided_is_the_best_end_and_the_last_look_another():
    done = [answer(n, verdict="supported") for n in PLAN.claims]
    still = [answer(n, chances=LIKELY) for n in PLAN.claims]

    assert choose_round(standing([done]), purse()) == Stop(why="every claim is decided")
    assert choose_round(standing([still] * 5), purse()) == Stop(why="this was the last look of the plan, at 30 seeds")


def test_amounts_are_written_for_people():
    assert show_amount(1234.5, DOLLARS) == "$1,234.50"
    assert show_amount(0.125, HOURS) == "7 min 30 s"
    assert show_amount(math.nan, HOURS) == "an unknown number of hours"
