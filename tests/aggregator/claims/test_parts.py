"""One comparison, tested over seeds, and only shown where seeds do not suffice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from aggregator.claims.columns import Term
from aggregator.claims.parts import make_part
from aggregator.claims.whole_grid import has_comparable_error, has_lower_error
from aggregator.study import SINGLE, Treatment
from experiment.grid import load_grid
from tests.aggregator import factories

L2 = Treatment("l2", 0.1)


def wandering_error(cell, model):
    """Errors whose differences from Single vary from seed to seed, around -0.02."""
    noise = np.random.default_rng([cell.seed, len(cell.method), len(model)]).normal(0, 0.008)
    return factories.flat_error(cell, model) + 0.05 - 0.02 * (cell.method == "l2") + noise


def studied(tmp_path, gather, seeds, *, predictions=False):
    cells = [c for c in load_grid("demo").with_seeds(seeds).cells if c.method in ("single", "l2")]
    store = factories.committed_store(tmp_path / "s", cells=cells, error=wandering_error, predictions=predictions)
    return gather(store).studies[0]


def errors_of(study):
    return [100 * study.final(t, "M").to_numpy() for t in (L2, SINGLE)]


def test_a_lower_error_is_scipys_one_sided_paired_test(tmp_path, gather):
    study = studied(tmp_path, gather, 6)
    a, b = errors_of(study)
    part = has_lower_error(study, (L2, "M"), (SINGLE, "M"))

    assert part.p_holds == pytest.approx(stats.ttest_rel(a, b, alternative="less").pvalue)
    assert part.p_fails == pytest.approx(stats.ttest_rel(a, b, alternative="greater").pvalue)
    assert part.face is True


def test_at_most_a_tenth_worse_is_a_test_of_each_seeds_contrast(tmp_path, gather):
    study = studied(tmp_path, gather, 6)
    a, b = errors_of(study)
    part = has_comparable_error(study, (L2, "M"), (SINGLE, "M"))

    assert part.p_holds == pytest.approx(stats.ttest_1samp(a - 1.1 * b, 0, alternative="less").pvalue)
    assert part.p_same == 1, "to be comparable is no claim of a difference"


def test_no_difference_is_two_one_sided_tests_against_a_tenth(tmp_path, gather):
    study = studied(tmp_path, gather, 6)
    a, b = errors_of(study)
    above = stats.ttest_1samp(a - 1.1 * b, 0, alternative="less").pvalue
    below = stats.ttest_1samp(a - 0.9 * b, 0, alternative="greater").pvalue

    assert has_lower_error(study, (L2, "M"), (SINGLE, "M")).p_same == pytest.approx(max(above, below))


@pytest.mark.parametrize("seeds", [1, 2, 4])
def test_fewer_than_five_seeds_show_an_effect_and_are_not_tested(tmp_path, gather, seeds):
    part = has_lower_error(studied(tmp_path, gather, seeds), (L2, "M"), (SINGLE, "M"))

    assert part.seeds == seeds
    assert (part.p_holds, part.p_fails, part.p_same) == (1, 1, 1)
    assert part.difference.effect < 0
    assert part.difference.known


def test_over_other_images_a_difference_is_less_sure_than_on_this_test_set(tmp_path, gather):
    study = studied(tmp_path, gather, 5, predictions=True)
    part = has_lower_error(study, (L2, "M"), (SINGLE, "M"))
    images = part.over_images()

    assert images.effect == pytest.approx(part.difference.effect)
    assert images.error > part.difference.error
    assert images.test == "seeds and images"


def test_without_predictions_or_seeds_enough_nothing_is_said_about_other_images(tmp_path, gather):
    few, bare = (tmp_path / name for name in ("few", "bare"))
    for place, seeds, predictions in ((few, 3, True), (bare, 5, False)):
        study = studied(place, gather, seeds, predictions=predictions)

        assert has_lower_error(study, (L2, "M"), (SINGLE, "M")).over_images() is None


def test_without_results_there_is_nothing_to_compare(tmp_path, gather):
    part = make_part(studied(tmp_path, gather, 5), "x", [Term(Treatment("ce", 1.0), "M"), Term(SINGLE, "M", -1)])

    assert (part.difference, part.face, part.seeds, part.p_holds) == (None, None, 0, 1)


@pytest.mark.parametrize(("seeds", "test"), [(1, "McNemar"), (6, "paired t over seeds")])
def test_a_term_may_be_of_another_study(tmp_path, gather, seeds, test):
    cells = [
        dataclasses.replace(c, epochs=epochs)
        for c in load_grid("demo").with_seeds(seeds).cells
        if c.method == "single"
        for epochs in (2, 3)
    ]
    store = factories.committed_store(
        tmp_path / "s", cells=cells, error=lambda c, m: wandering_error(c, m) + 0.1 * (c.epochs == 2)
    )
    short, long = gather(store).studies
    part = make_part(short, "shorter is worse", [Term(SINGLE, "M"), Term(SINGLE, "M", -1, home=long)])

    assert part.difference.test == test
    assert part.difference.effect == pytest.approx(10, abs=0.3), "percentage points; of 360 images"
    assert part.compared == [(short, SINGLE), (long, SINGLE)]
    assert (part.over_images() is None) == (seeds == 1)
