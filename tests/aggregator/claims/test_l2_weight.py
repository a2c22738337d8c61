"""The statements about L2 0.01, on made runs whose truth is known."""

from __future__ import annotations

import dataclasses

from aggregator.claims.rules import ALPHA, show_at_least
from tests.aggregator.claims.truths import as_the_paper_says, judged_claims, seeded_cells


def test_statements_about_a_data_set_are_undecided_without_it(tmp_path, gather):
    found = judged_claims(tmp_path, gather, as_the_paper_says, cells=seeded_cells())

    assert [found[f"L2-{i}"].verdict for i in (2, 3, 4)] == ["undecided"] * 3
    assert found["L2-2"].why == "nothing in this run to compare"


def test_statements_about_l2_are_judged_on_their_data_sets(tmp_path, gather):
    cells = [
        dataclasses.replace(c, epochs=6)
        for c in seeded_cells("full")
        if (c.method, c.alpha) in (("single", 0), ("l2", 0.01))
    ]
    found = judged_claims(tmp_path, gather, as_the_paper_says, cells=cells)

    assert found["L2-2"].verdict == "supported"
    assert {d.what: d.face for d in found["L2-3"].demands} == {"less overfitting": "yes", "comparable results": "yes"}
    assert found["L2-3"].verdict == "supported"
    assert {"similar training curves", "better test"} == {d.what for d in found["L2-4"].demands}
    assert float(show_at_least(found["L2-4"].demands[1].tails.holds, 3)) <= ALPHA
