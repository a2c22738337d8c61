"""A statement is judged by its comparisons, corrected together."""

from __future__ import annotations

import pytest

from aggregator.claims import judge_claims, verdict
from aggregator.statistics import Difference


def part(effect, error=1.0):
    d = Difference(effect=effect, error=error, freedom=float("inf"), n=9, test="t")
    return verdict.Part(says="x", difference=d)


def judge_demands(demands):
    return verdict.judge_claim(name="n", statement="s", rule="r", demands=demands)


@pytest.mark.parametrize(
    ("effects", "need", "expected"),
    [
        ([-9, -9], 2, "supported"),
        ([-9, 0], 2, "undecided"),
        ([-9, 9], 2, "refuted"),
        ([-9, 9], 1, "supported"),
        ([9, 9], 1, "refuted"),
        ([0, 9], 1, "undecided"),
        ([], 1, "undecided"),
    ],
)
def test_a_demand_is_decided_by_how_many_parts_hold(effects, need, expected):
    judged = judge_demands([verdict.demand_some("d", [part(e) for e in effects], need)])

    assert judged.verdict == expected


def test_many_comparisons_are_corrected_together():
    lone = judge_demands([verdict.demand_some("d", [part(-2.2)])])
    crowd = judge_demands([verdict.demand_some("d", [part(-2.2), *[part(0.0)] * 9])])

    assert lone.verdict == "supported"
    assert crowd.verdict == "undecided"


def test_the_authors_one_run_leaves_most_of_his_claims_undecided(author_material):
    verdicts = {c.name: c.verdict for c in judge_claims(author_material.studies)}

    assert (
        verdicts.pop("L2-5") == "refuted"
    )  # on notMNIST his members lie further apart with L2 0.01: 0.75 against 0.21 pp
    assert set(verdicts.values()) == {"undecided"}
    assert len(verdicts) == 10
