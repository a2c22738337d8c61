"""What more seeds would make of a statement: forecasts keep their word on simulated truths."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from aggregator.claims import verdict
from aggregator.claims.l2_weight import smoother_curves
from aggregator.claims.outlook import INSTEAD, forecast_claim
from aggregator.claims.parts import Part
from aggregator.claims.rules import ALPHA
from aggregator.statistics import Difference
from experiment.grid import load_grid
from tests.aggregator.study_of import study_of


def part(effect, *, error=0.5, seeds=5, tenth=math.nan):
    d = Difference(effect=effect, error=error, freedom=max(seeds - 1, 1), n=seeds, test="paired t over seeds")
    return Part(says="x", difference=d, seeds=seeds, tenth=tenth)


def claim(*parts, need=1, **options):
    demand = verdict.Demand(what="d", parts=parts, need=need)
    return verdict.Claim(name="n", statement="s", rule="r", demands=(demand,), **options)


def test_a_clear_difference_needs_few_seeds_and_a_small_one_many():
    clear, small = (forecast_claim(claim(part(e, error=0.3))).needed(0.8) for e in (-1.3, -0.7))

    assert clear.seeds < small.seeds
    assert clear.supported > 0.75


def test_a_statement_that_looks_wrong_is_forecast_to_be_refuted():
    chance = forecast_claim(claim(part(1.3, error=0.3))).needed(0.8)

    assert chance.refuted > chance.supported


def test_no_difference_is_decided_by_its_smallness():
    without, within = (forecast_claim(claim(part(0.0, error=0.3, tenth=t))).chances[-1] for t in (math.nan, 2.0))

    assert without.same == 0
    assert within.decided > 0.9
    assert within.decided - within.same == without.decided


def test_where_no_number_of_seeds_would_it_says_what_would():
    spread = [part(-0.02, error=0.5) for _ in range(4)]
    outlook = forecast_claim(claim(*spread, need=4))

    assert outlook.needed() is None
    assert "no number of seeds up to 100 would" in outlook.words
    assert "larger test set" in INSTEAD


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((), "needs cells of Single"),
        ((Part(says="x", difference=None),), "not complete"),
        ((part(1.0, error=math.nan, seeds=1),), "2 seeds would show one"),
        ((part(0.0, error=math.nan, seeds=5),), "all that it compares came out the same with every seed"),
    ],
)
def test_without_the_results_it_needs_it_says_what_is_lacking(parts, words):
    outlook = forecast_claim(claim(*parts))

    assert outlook.chances == ()
    assert words in outlook.words


def test_a_comparison_without_spread_stays_untested_and_does_not_hide_the_others():
    equal, clear = part(0.0, error=math.nan, seeds=5), [part(-0.5, error=0.1, seeds=5) for _ in range(2)]
    needed, not_needed = (forecast_claim(claim(equal, *clear, need=n)) for n in (3, 2))

    assert not_needed.chances[-1].supported > 0.95
    assert needed.chances[-1].supported == 0


def test_curves_too_short_for_a_figure_are_not_called_missing_results():
    claim = smoother_curves(study_of(load_grid("demo").cells))  # made with one learning rate in all epochs

    assert "needs three epochs after the first halving" in forecast_claim(claim).words


def test_the_next_look_is_forecast_at_its_own_level():
    first = forecast_claim(claim(part(-0.7, seeds=4)))
    later = forecast_claim(dataclasses.replace(claim(part(-0.7, seeds=4)), looks=3))

    assert later.chances[3].decided < first.chances[3].decided


def test_forecasts_come_true_as_often_as_they_say():
    """Many truths are drawn; of each, 5 seeds are forecast and then really extended to 10."""
    random = np.random.default_rng(0)
    said, came = [], []
    for truth in random.normal(-0.5, 1.0, 60):
        data = random.normal(truth, 1.0, 10)
        five = data[:5]
        now = Difference(effect=five.mean(), error=stats.sem(five), freedom=4, n=5, test="t")
        outlook = forecast_claim(claim(Part(says="x", difference=now, seeds=5)), targets=(10,), draws=400)
        said.append(outlook.chances[0].decided)
        p = stats.ttest_1samp(data, 0, alternative="less").pvalue
        came.append(min(p, 1 - p) <= ALPHA / 4)

    assert np.mean(came) == pytest.approx(np.mean(said), abs=0.15)
