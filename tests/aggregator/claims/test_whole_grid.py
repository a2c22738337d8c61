"""The statements about the whole grid, on made runs whose truth is known."""

from __future__ import annotations

from aggregator.claims import judge_claims
from experiment import keys
from experiment.grid import load_grid
from tests.aggregator import factories
from tests.aggregator.claims.truths import as_the_paper_says, jitter, judged_claims, otherwise, seeded_cells


def test_results_as_the_paper_says_support_its_six_statements_about_the_grid(tmp_path, gather):
    found = judged_claims(tmp_path, gather, as_the_paper_says, cells=seeded_cells())

    assert {n: found[n].verdict for n in "123456"} == dict.fromkeys("123456", "supported")
    assert {p.difference.test for p in found["1"].parts} == {"paired t over seeds"}


def test_results_that_say_otherwise_refute_them(tmp_path, gather):
    found = judged_claims(tmp_path, gather, otherwise, cells=seeded_cells())

    assert {n: found[n].verdict for n in "12346"} == dict.fromkeys("12346", "refuted")


def test_results_without_a_difference_leave_them_undecided(tmp_path, gather):
    found = judged_claims(
        tmp_path, gather, lambda c, m: factories.flat_error(c, m) + jitter(c, m), cells=seeded_cells()
    )

    assert found["1"].verdict == found["4"].verdict == found["6"].verdict == "undecided"


def test_statements_about_every_method_are_undecided_where_one_was_not_run(tmp_path, gather):
    found = judged_claims(
        tmp_path, gather, as_the_paper_says, cells=[c for c in seeded_cells() if c.method in ("single", "l2")]
    )

    assert [found[n].verdict for n in "456"] == ["undecided"] * 3
    assert "Digits, L2: 6 of 6 hold at face value, 1 must; p = " in found["4"].why
    assert "Digits, CE: nothing in this run to compare" in found["4"].why


def test_one_seed_with_predictions_is_compared_example_by_example(store, gather):
    tests = {p.difference.test for p in judge_claims(gather(store).studies)[0].parts}

    assert tests == {"McNemar"}


def test_one_seed_without_predictions_is_compared_as_independent_binomials(tmp_path, gather):
    store = factories.committed_store(tmp_path / "s", predictions=False)

    assert {p.difference.test for p in judge_claims(gather(store).studies)[0].parts} == {"unpaired binomial"}


def test_a_missing_cell_leaves_its_comparisons_open(store, gather):

    cell = next(c for c in load_grid("demo").cells if c.method == "l2" and c.alpha == 0.01)
    store.delete(keys.epochs(cell))
    parts = [p for p in judge_claims(gather(store).studies)[0].parts if "L2 0.01" in p.says]

    assert [(p.difference, p.face) for p in parts] == [(None, None)] * 2
