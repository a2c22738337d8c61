"""The section about claims says every verdict, its p, and what the numbers say without a test."""

from __future__ import annotations

import dataclasses

import pytest

from aggregator.report.verdicts import claims_section
from tests.aggregator.claims.truths import as_the_paper_says, judged_claims, seeded_cells


@pytest.fixture(scope="module")
def judged(tmp_path_factory, gather):
    return [*judged_claims(tmp_path_factory.mktemp("v"), gather, as_the_paper_says, cells=seeded_cells()).values()]


def summary_of(section):
    return next(b for b in section.blocks if b.name == "claims")


def rows_by_claim(section):
    return {row[0].text: [e.text for e in row] for row in summary_of(section).rows}


def test_a_tested_claim_has_its_p_alone_and_corrected_and_its_face_value(judged):
    row = rows_by_claim(claims_section(judged))["1"]

    assert row[2] == "supported"
    assert float(row[3]) <= 0.025
    assert float(row[4]) >= float(row[3])
    assert row[5:7] == ["yes", "6"]


def test_one_run_is_said_to_compare_networks_and_not_methods(made_report):
    section = claims_section(made_report[0].claims)

    assert any("two networks and not two methods" in w for w in section.words)
    assert {row[2] for row in rows_by_claim(section).values()} == {"undecided"}
    assert {row[3] for row in rows_by_claim(section).values()} == {"–"}


def test_several_looks_are_named_with_their_level(judged):
    looked = [dataclasses.replace(c, looks=2) for c in judged]

    assert "look 2" in summary_of(claims_section(looked)).caption
    assert "0.62 %" in summary_of(claims_section(looked)).caption


def test_every_claim_has_a_card_and_only_the_cards_are_open(made_report):
    material = made_report[0]
    section = claims_section(material.claims, material.steps, material.second_halves)
    names = [b.name for b in section.blocks]

    assert names[:11] == [f"claim-{c.name.lower()}" for c in material.claims]
    assert section.unfolded == 11
    assert {"outlook", "claims", "second-halves"} <= set(names[11:])
