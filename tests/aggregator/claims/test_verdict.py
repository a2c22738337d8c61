"""A statement is judged by its comparisons together, and shown at face value beside the verdict."""

from __future__ import annotations

import pytest

from aggregator.claims import judge_claims, verdict
from aggregator.claims.parts import Part
from aggregator.statistics import Difference


def part(effect, *, seeds=9, tenth=None):
    def around(shift):
        return Difference(effect=effect + shift, error=1.0, freedom=float("inf"), n=seeds, test="t")

    margins = {} if tenth is None else {"over": around(-tenth), "under": around(tenth)}
    return Part(says="x", difference=around(0), seeds=seeds, **margins)


def judged(*demands, **options):
    return verdict.Claim(name="n", statement="s", rule="r", demands=tuple(demands), **options)


def some(effects, need=1, **options):
    return verdict.demand_some("d", [part(e, **options) for e in effects], need)


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
        ([-9], 2, "undecided"),
    ],
)
def test_a_demand_is_decided_by_how_many_parts_hold(effects, need, expected):
    assert judged(some(effects, need)).verdict == expected


def test_differences_within_a_tenth_are_not_worth_speaking_of():
    assert judged(some([0.1, -0.2], tenth=5)).verdict == "no difference worth speaking of"
    assert judged(some([0.1, -0.2], tenth=1)).verdict == "undecided"
    assert judged(some([-9, -0.2], tenth=5)).verdict == "supported", "a difference that is shown outranks its size"


def test_all_of_several_needs_no_correction_and_one_of_several_does():
    assert judged(verdict.demand_all("d", [part(-2.0)] * 9)).verdict == "supported"
    assert judged(some([-2.0, *[0.0] * 9])).verdict == "undecided"


def test_an_earlier_look_is_paid_for():
    assert judged(some([-2.2])).verdict == "supported"
    assert judged(some([-2.2]), looks=2).verdict == "undecided"


@pytest.mark.parametrize(("seeds", "words"), [(1, "two networks"), (3, "Tests begin at 5 seeds"), (0, "")])
def test_seeds_that_do_not_suffice_leave_a_statement_open_and_say_so(seeds, words):
    claim = judged(some([-9, -9], seeds=seeds))

    assert claim.verdict == "undecided"
    assert claim.face == "yes"
    assert words in claim.remark


@pytest.mark.parametrize(
    ("effects", "need", "face"),
    [([-0.1, 0.1], 1, "yes"), ([-0.1, 0.1], 2, "no"), ([-0.1, None], 2, "open"), ([], 1, "open")],
)
def test_the_face_value_asks_for_no_test(effects, need, face):
    parts = [part(e) if e is not None else Part(says="x", difference=None) for e in effects]

    assert judged(verdict.demand_some("d", parts, need)).face == face


def test_all_statements_together_are_corrected_by_holm():
    claims = [judged(some([e])) for e in (-2.4, -2.2, 0.0)]
    corrected = verdict.correct_together(claims)

    assert corrected[0].holm == pytest.approx(3 * claims[0].p)
    assert corrected[1].holm == pytest.approx(2 * claims[1].p)
    assert [c.verdict for c in corrected[:2]] == ["supported"] * 2, "a verdict is by its own p"


def test_the_authors_one_run_fulfils_eight_of_his_claims_at_face_value_and_decides_none(author_material):
    """Counted over all epochs, as the page once did, the claim about restlessness fails too: he has seven then."""
    found = judge_claims(author_material.studies)

    assert {c.name for c in found if c.face == "no"} == {"6", "L2-4", "L2-5"}
    assert {c.name for c in found if c.face == "yes"} == {*"12345", "L2-1", "L2-2", "L2-3"}
    assert {c.verdict for c in found} == {"undecided"}
    assert all("two networks" in c.remark for c in found)
