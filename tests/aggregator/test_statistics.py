"""Statistics against SciPy, brute force and textbook numbers."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from aggregator import statistics as s


def test_an_estimate_is_scipys_interval_of_a_mean():
    values = [1.0, 2.0, 4.0, 8.0]
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)

    e = s.estimate_mean(values)

    assert (e.mean - e.half, e.mean + e.half) == pytest.approx((low, high))
    assert math.isnan(s.estimate_mean([1.0]).half)
    assert s.estimate_mean([]).n == 0


def test_a_paired_difference_is_scipys_paired_t_test():
    a, b = [3.1, 2.9, 3.4, 3.0], [2.0, 2.2, 2.1, 2.3]
    answer = stats.ttest_rel(a, b)

    d = s.paired_difference(a, b)

    assert d.p() == pytest.approx(answer.pvalue)
    assert d.interval == pytest.approx(tuple(answer.confidence_interval()))
    assert d.p(0.5) == pytest.approx(stats.ttest_1samp(np.subtract(a, b), 0.5).pvalue)


def test_the_two_tails_are_scipys_one_sided_tests():
    a, b = [3.1, 2.9, 3.4, 3.0], [2.9, 2.7, 3.5, 2.6]
    d = s.paired_difference(a, b)

    assert d.tail(0.1) == pytest.approx(stats.ttest_1samp(np.subtract(a, b), 0.1, alternative="less").pvalue)
    assert d.upper_tail(0.1) == pytest.approx(stats.ttest_1samp(np.subtract(a, b), 0.1, alternative="greater").pvalue)


def test_without_an_effect_of_examples_the_crossed_error_is_that_of_seeds():
    seeds = np.array([0.0, 1.0, 3.0, 2.0])
    d = s.crossed_difference(np.repeat(seeds[:, None], 50, axis=1))

    assert (d.effect, d.error) == pytest.approx((seeds.mean(), stats.sem(seeds)))
    assert d.freedom == pytest.approx(3)


def test_the_mean_squares_of_a_crossed_difference_are_scipys():
    """The F of a one-way analysis is the mean square between groups over that within: it gives both."""
    values = np.random.default_rng(2).normal(size=(6, 40)) + np.random.default_rng(3).normal(size=40)
    n, m = values.shape
    total = ((values - values.mean()) ** 2).sum()

    def between(groups, count, size):
        f = stats.f_oneway(*groups).statistic
        return total * f / (f * (count - 1) + count * size - count)

    of_seeds, of_examples = between(values, n, m), between(values.T, m, n)
    of_both = (total - (n - 1) * of_seeds - (m - 1) * of_examples) / ((n - 1) * (m - 1))

    expected = math.sqrt((of_seeds + of_examples - of_both) / (n * m))
    assert s.crossed_difference(values).error == pytest.approx(expected)


def test_over_seeds_and_other_images_the_interval_covers_where_that_over_seeds_alone_does_not():
    random, truth, trials = np.random.default_rng(4), 0.0, 400
    hits = {"paired": 0, "crossed": 0}
    for _ in range(trials):
        drawn = random.normal(0, 0.3, 400) + random.normal(0, 0.01, (20, 1)) + random.normal(0, 0.6, (20, 400))
        paired = s.paired_difference(drawn.mean(axis=1), np.zeros(20)).interval
        crossed = s.crossed_difference(drawn.astype(np.float32)).interval
        hits["paired"] += paired[0] <= truth <= paired[1]
        hits["crossed"] += crossed[0] <= truth <= crossed[1]

    assert hits["paired"] / trials < 0.85
    assert 0.92 <= hits["crossed"] / trials <= 0.985


def test_equal_differences_over_few_seeds_tell_nothing():
    d = s.paired_difference([0.2, 0.3], [0.1, 0.2])

    assert not d.known
    assert d.p() == 1
    assert math.isnan(d.interval[0])


def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_examples():
    a = np.array([True] * 12 + [False] * 88)
    b = np.array([True] * 2 + [False] * 10 + [True] * 3 + [False] * 85)

    d = s.mcnemar_difference(a, b)

    assert d.effect == pytest.approx(0.07)
    assert d.p() == pytest.approx(stats.binomtest(10, 13).pvalue)
    assert s.mcnemar_difference(a, a).p() == 1


@pytest.mark.parametrize("kind", ["paired", "unpaired"])
def test_the_intervals_of_proportions_cover_the_truth_about_as_often_as_they_say(kind):
    random = np.random.default_rng(1)
    n, hits, trials = 300, 0, 1500
    for _ in range(trials):
        base = random.random(n) < 0.05
        a, b = base | (random.random(n) < 0.03), base | (random.random(n) < 0.01)
        if kind == "unpaired":
            b = (random.random(n) < 0.05) | (random.random(n) < 0.01)
        truth = 0.95 * (0.03 - 0.01)
        d = (
            s.mcnemar_difference(a, b)
            if kind == "paired"
            else s.binomial_difference([a.mean(), b.mean()], [n, n], [1, -1])
        )
        hits += d.interval[0] <= truth <= d.interval[1]

    assert 0.93 <= hits / trials <= 0.985


def test_holm_is_the_closed_test_of_bonferroni():
    """By definition: the largest Bonferroni p of all sets of hypotheses that hold this one."""
    p = [0.011, 0.02, 0.3, 0.04, 0.011]
    sets = [c for k in range(1, 6) for c in itertools.combinations(range(5), k)]
    expected = [max(min(1, len(c) * min(p[i] for i in c)) for c in sets if h in c) for h in range(5)]

    assert s.adjust_by_holm(p) == pytest.approx(expected)
    assert s.adjust_by_holm([math.nan, 0.01]) == [1.0, 0.02]
    assert s.adjust_by_holm([]) == []
