"""Tables of results."""

from __future__ import annotations

import numpy as np

from aggregator.statistics import SIGNIFICANCE, paired_difference
from aggregator.tables import best_treatment, results_tables, tied_treatments
from experiment.grid import load_grid
from tests.aggregator import factories


def test_several_seeds_are_mean_interval_and_count(tmp_path, gather):
    def error(cell, model):
        return factories.flat_error(cell, model) + 0.01 * cell.seed + 0.2 * (cell.alpha == 1)

    cells = [c for c in load_grid("demo").with_seeds(3).cells if c.method in ("single", "l1")]
    store = factories.committed_store(tmp_path / "s", cells=cells, error=error)
    store.delete(next(k for k in store.list("results/") if "l1-0p1-s2" in k and k.endswith("epochs.parquet")))
    found = results_tables(gather(store).studies[0])[0]
    rows = {row[0].text: row for row in found.rows}

    assert found.columns == ("method, alpha", "ST", "M", "Ens", "seeds")
    assert rows["Single"][3].text == "6.02 ± 2.42"  # 18, 21.6 -> 22 and 25.2 -> 25 wrong of 360; t(2) = 4.303
    assert rows["Single"][4].text == "3 of 3"
    assert rows["L1 0.1"][4].text == "2 of 3"
    assert not rows["L1 1.0"][3].best


def test_the_best_treatment_is_the_one_whose_ensemble_errs_least(tmp_path, gather):
    def error(cell, model):
        return factories.flat_error(cell, model) - 0.01 * ((cell.method, cell.alpha) == ("ce", 0.1))

    study = gather(factories.committed_store(tmp_path / "s", error=error)).studies[0]

    assert best_treatment(study).title == "CE 0.1"


def test_the_truly_best_treatment_seldom_lacks_its_mark():
    """All twelve treatments are alike: the first is then as good as any, and must be marked in 95 % of runs."""
    random, lacking, trials = np.random.default_rng(0), 0, 300
    for _ in range(trials):
        errors = random.normal(0.05, 0.003, (12, 6))
        best = int(errors.mean(axis=1).argmin())
        if best:
            p = 11 * paired_difference(errors[0], errors[best]).upper_tail()
            lacking += p <= SIGNIFICANCE

    assert lacking / trials <= 0.06


def test_what_is_not_shown_to_be_worse_than_the_best_is_marked_and_tied(tmp_path, gather):
    def error(cell, model):
        noise = np.random.default_rng([cell.seed, sum(map(ord, cell.id))]).normal(0, 0.004)
        return factories.flat_error(cell, model) + 0.05 + noise + 0.2 * (cell.alpha == 1)

    cells = [c for c in load_grid("demo").with_seeds(6).cells if c.method in ("single", "l1")]
    study = gather(factories.committed_store(tmp_path / "s", cells=cells, error=error, predictions=False)).studies[0]
    rows = {row[0].text: row[3] for row in results_tables(study)[0].rows}

    assert {name for name, e in rows.items() if e.best or e.equal} >= {"L1 0.1", "L1 0.01", "Single"}
    assert not rows["L1 1.0"].equal
    assert {t.title for t in tied_treatments(study)} == {name for name, e in rows.items() if e.best or e.equal}
