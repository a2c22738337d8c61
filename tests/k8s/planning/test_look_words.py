"""What is printed of a plan of looks says what was found, what it cost, and why it ends."""

from __future__ import annotations

import dataclasses

from k8s.planning import look_words
from k8s.planning.next_round import DOLLARS, Go, Purse, Stop
from tests.k8s.planning.plans import CELLS, PLAN, answer, standing

PURSE = Purse(unit=DOLLARS, budget=20.0, spent=1.5, cost=lambda cells: 0.0)


def test_a_plan_names_its_looks_their_level_and_the_looks_before_it():
    looked = dataclasses.replace(PLAN, earlier={"a": 1, "b": 0}, levels={"a": 0.00125, "b": 0.005})

    assert look_words.describe_plan(PLAN) == [
        "plan smoke-1: claims 1, 2, 4; looks at 5, 10, 15, 20, 30 seeds, each verdict at p <= 0.005, one-sided"
    ]
    assert look_words.describe_plan(looked)[1].startswith("these results were looked at once before")
    assert "p <= 0.0013" in look_words.describe_plan(looked)[0]


def test_a_round_says_what_it_is_for_and_what_it_takes():
    go = Go(number=2, claims=("1", "4"), growing=tuple(CELLS)[:1], cost=1.25)

    assert look_words.describe_round(standing([]), go, DOLLARS) == [
        "round 2 of 5: 10 seeds of 1 cell, for claims 1, 4; about $1.25"
    ]


def test_a_look_has_a_line_for_each_claim_and_those_that_ended_earlier_keep_theirs():
    first = [answer("1", verdict="supported", p=0.001), answer("2", chances={30: 0.1}), answer("4", chances={30: 0.6})]
    later = [answer("1"), answer("2"), answer("4", p=None, reason="needs curves")]
    found = standing([first, later], claims=[PLAN.claims, ("4",)])

    assert look_words.describe_look(found, PURSE) == [
        "look 2 of 5, at 10 seeds; $1.50 of $20.00 spent:",
        "  claim 1: supported, p = 0.001 (level 0.005), at look 1",
        "  claim 2: undecided, p = 0.2 (level 0.005); given up after look 1: 10% with 30 seeds",
        "  claim 4: undecided, nothing tested; needs curves",
    ]


def test_the_last_line_is_where_the_last_report_is():
    found = standing([[answer("1")]])

    assert look_words.describe_end(found, Stop(why="so"), "s3://b/p") == [
        "stopped: so",
        "s3://b/p/reports/smoke-1/index.html",
    ]
    assert look_words.describe_end(standing([]), Stop(why="so"), "s") == ["stopped: so"]
