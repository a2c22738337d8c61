"""The statements about L2 0.01, on made runs whose truth is known."""

from __future__ import annotations

import dataclasses

import pandas as pd

from aggregator.claims.l2_weight import curve_roughness
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
    assert {d.what: d.verdict for d in found["L2-3"].demands} == {
        "less overfitting": "supported",
        "comparable results": "supported",
    }
    assert found["L2-4"].demands[1].verdict == "supported"
    assert {"similar training curves", "better test"} == {d.what for d in found["L2-4"].demands}


def test_a_straight_curve_has_no_roughness_and_a_jagged_one_has():
    curve = pd.DataFrame({0: [4.0, 3.0, 2.0, 1.0], 1: [4.0, 2.0, 3.0, 1.0]})

    assert curve_roughness(curve)[0].tolist() == [0.0, 0.0]
    assert curve_roughness(curve)[1].tolist() == [3.0, 3.0]
