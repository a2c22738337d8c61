"""Rules that make a statement's p from those of its comparisons, against brute force and by simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from aggregator.claims import rules


def tails(holds, need, fails=None, same=None):
    holds = np.asarray(holds, dtype=float)
    others = (np.ones_like(holds) if p is None else np.asarray(p, dtype=float) for p in (fails, same))
    return rules.Tails(holds, *others, need)


def test_a_partial_conjunction_is_the_worst_intersection_of_all_but_so_many():
    """By definition: at least k hold if no set of n - k + 1 hypotheses is true as a whole (each by Bonferroni)."""
    p = np.array([0.03, 0.001, 0.2, 0.012, 0.5])
    for need in range(1, 6):
        sets = itertools.combinations(p, len(p) - need + 1)

        assert rules.show_at_least(p, need) == pytest.approx(max(min(1, len(s) * min(s)) for s in sets))


def test_one_of_several_is_bonferronis_p_and_all_of_them_the_largest():
    p = np.array([0.03, 0.001, 0.2])

    assert rules.show_at_least(p, 1) == pytest.approx(stats.false_discovery_control([0.001] * 3)[0] * 3)
    assert rules.show_at_least(p, 3) == 0.2


@pytest.mark.parametrize("need", [0, 3])
def test_more_comparisons_than_there_are_cannot_be_shown(need):
    assert rules.show_at_least(np.array([0.0, 0.0]), need) == 1


def test_a_statement_is_as_sure_as_its_least_sure_demand():
    found = rules.weigh_demands([tails([0.001, 0.02], 2), tails([0.004, 0.9], 1)])

    assert found.supports == pytest.approx(0.02)


def test_a_statement_is_refuted_by_any_of_its_demands_corrected_for_their_number():
    worse = tails([1.0, 1.0], 2, fails=[0.001, 0.9])
    found = rules.weigh_demands([worse, tails([0.5], 1, fails=[0.5]), tails([0.5], 1, fails=[0.5])])

    assert found.refutes == pytest.approx(3 * 2 * 0.001)


def test_no_difference_is_shown_by_all_demands_and_never_by_one_comparison_of_several():
    same = tails([0.5, 0.5], 2, same=[0.001, 0.002])
    apart = tails([0.5, 0.5], 2, same=[0.001, 0.9])

    assert rules.weigh_demands([same]).same == pytest.approx(0.002)
    assert rules.weigh_demands([same, apart]).same == pytest.approx(0.9)


def test_what_is_shown_to_be_worse_is_no_comparison_without_a_difference():
    two_worse = tails([0.0, 1.0, 0.02, 1.0], 2, fails=[1.0, 0.001, 0.98, 0.0001], same=[0.49, 0.95, 0.001, 0.99])

    assert rules.weigh_demands([two_worse]).same == 1


def test_no_difference_needs_so_many_comparisons_within_a_tenth_that_the_rest_cannot_make_the_statement_hold():
    one_apart = tails([0.5, 0.5, 0.5, 0.0], 2, same=[0.001, 0.002, 0.003, 1.0])
    two_apart = tails([0.5, 0.5, 0.0, 0.0], 2, same=[0.001, 0.002, 1.0, 1.0])

    assert rules.weigh_demands([one_apart]).same == pytest.approx(2 * 0.003)
    assert rules.weigh_demands([two_apart]).same == 1


def test_a_statement_without_demands_or_comparisons_shows_nothing():
    assert [float(p) for p in rules.weigh_demands([])] == [1, 1, 1]
    assert [float(p) for p in rules.weigh_demands([tails([], 1)])] == [1, 1, 1]


def test_two_of_six_are_wrongly_shown_at_most_as_often_as_the_level_says():
    z = np.random.default_rng(0).standard_normal((40_000, 6))
    z[:, 0] -= 50  # one holds by far, the others lie on their bound
    p = rules.show_at_least(stats.norm.cdf(z), 2)

    assert 0.02 < (p <= rules.ALPHA).mean() <= rules.ALPHA + 0.002
