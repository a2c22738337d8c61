"""The verdicts as ``benchmarks.verdicts`` simulates them: seldom wrong, often found, and by the suite's own rules."""

from __future__ import annotations

import numpy as np
import pytest

from aggregator.claims import judge_claims
from aggregator.claims.rules import ALPHA
from aggregator.claims.verdict import SUPPORTED, name_verdict
from benchmarks.simulated_seeds import draw_values, first_seeds, published_claims, studies_of_draw
from benchmarks.verdict_rates import (
    UNPUBLISHED,
    follow_plan,
    rate_wrong,
    rate_wrong_after_looks,
    rate_wrong_in_plan,
    weigh_claim,
)

DRAWS = 4_000
MOST_WRONG = 0.035  # of a nominal 0.025, with the error of the simulation
FOUND = 0.65  # of the true claim 4 at 10 seeds


@pytest.fixture(scope="module")
def claims():
    return published_claims()


@pytest.mark.parametrize("seeds", [3, 5, 10, 20])
def test_no_claim_is_wrongly_supported_more_often_than_the_level_says(claims, seeds):
    values = draw_values(np.random.default_rng(seeds), DRAWS, seeds)
    wrong = {c.name: rate_wrong(c, values, SUPPORTED) for c in claims}

    assert {name: rate for name, rate in wrong.items() if rate > MOST_WRONG} == {}


def test_a_true_claim_is_found_with_ten_seeds(claims):
    claim = next(c for c in claims if c.name == "4")
    values = draw_values(np.random.default_rng(10), DRAWS, 10)

    assert (weigh_claim(claim, values).supports <= ALPHA).mean() >= FOUND


def test_looking_again_does_not_support_what_is_not_so(claims):
    claim = next(c for c in claims if c.name == "L2-2")
    values = draw_values(np.random.default_rng(1), DRAWS, 20)

    assert rate_wrong_after_looks(claim, values, (5, 10, 15, 20))[-1] <= MOST_WRONG


def test_a_plan_of_looks_supports_nothing_that_is_not_so(claims):
    values = draw_values(np.random.default_rng(30), DRAWS // 2, 30)
    wrong = {c.name: rate_wrong_in_plan(c, values)[-1] for c in claims}

    assert {name: rate for name, rate in wrong.items() if rate > MOST_WRONG} == {}
    assert rate_wrong_in_plan(claims[-1], values, (5,))[-1] <= MOST_WRONG, "after an earlier look"


def test_a_plan_of_looks_finds_what_is_so_with_few_seeds(claims):
    values = draw_values(np.random.default_rng(31), 500, 30)
    verdicts, seeds = zip(*(follow_plan(c, values) for c in claims if c.name in ("1", "4")), strict=True)

    assert min(verdicts) >= 0.95
    assert max(seeds) <= 20


def test_what_is_simulated_are_the_suites_own_verdicts(claims):
    values = first_seeds(draw_values(np.random.default_rng(7), 2, 10), 8)
    for draw in range(2):
        judged = {c.name: c for c in judge_claims(studies_of_draw(values, draw)) if c.name not in UNPUBLISHED}
        for claim in (c for c in claims if c.name in judged):
            found = [p[draw] for p in weigh_claim(claim, values)]

            assert found == pytest.approx([float(p) for p in judged[claim.name].evidence], rel=1e-6, abs=1e-12)
            assert judged[claim.name].verdict == name_verdict(type(judged[claim.name].evidence)(*found))
