"""A card says a claim's verdict, and how its comparisons came out."""

from __future__ import annotations

import pytest

from aggregator.report.cards import claim_card
from aggregator.report.opening import SAID
from tests.aggregator.claims.truths import as_the_paper_says, judged_claims, seeded_cells


@pytest.fixture(scope="module")
def judged(tmp_path_factory, gather):
    return judged_claims(tmp_path_factory.mktemp("c"), gather, as_the_paper_says, cells=seeded_cells())


def test_the_comparisons_are_counted_by_data_set_and_method(judged):
    card = claim_card(judged["1"], None)

    assert card.title == f"1: {SAID['1']}"
    assert dict(card.facts)["seeds"] == "6"
    assert card.grid.columns == ("data set", "CE", "L2", "L1")
    assert [[e.text for e in row] for row in card.grid.rows] == [
        ["Digits", "8 of 8, 8 shown", "6 of 8, 6 shown", "6 of 8, 6 shown"]
    ]


def test_a_claim_that_compares_nothing_has_a_card_without_numbers(judged):
    card = claim_card(judged["L2-3"], None)

    assert (card.verdict, card.grid, card.comparisons) == ("undecided", None, None)
    assert card.words[-1] == "nothing in this run to compare"


def test_all_comparisons_are_listed(made_report):
    card = claim_card(next(c for c in made_report[0].claims if c.name == "1"), None)

    assert len(card.comparisons.rows) == 24  # twelve collaborative treatments, two members
    assert {row[1].text for row in card.comparisons.rows} <= {"yes", "no", "open"}
    assert dict(card.facts).keys() == {"at face value", "seeds"}, "no p without a test"
