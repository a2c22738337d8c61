"""Figures that the paper does not have name what they cannot draw."""

from __future__ import annotations

from aggregator.figures.further import plot_agreement, plot_error_by_alpha, plot_generalisation_gap
from experiment import keys
from tests.aggregator import factories


def test_errors_above_the_range_are_named(tmp_path, gather):
    def error(cell, model):
        return 0.9 if (cell.method, cell.alpha) == ("l1", 1.0) else factories.flat_error(cell, model)

    study = gather(factories.committed_store(tmp_path / "s", error=error)).studies[0]

    assert "Ens L1 1.0 (90.0 %)" in plot_error_by_alpha(study).note
    assert "CE" not in plot_error_by_alpha(study).note


def test_a_treatment_without_results_is_marked_in_the_gap(store, gather, cells):
    lost = next(c for c in cells if c.method == "l2" and c.alpha == 0.1)
    store.delete(keys.epochs(lost))
    picture = plot_generalisation_gap(gather(store).studies[0])

    assert picture.svg.count("no results") == 3
    assert "L2 0.1" in picture.svg


def test_without_a_recorded_agreement_there_is_no_figure_of_it(store, gather):
    study = gather(store).studies[0]

    assert plot_agreement([study]).name == "agreement"
    study.last["test_agreement"] = float("nan")
    assert plot_agreement([study]) is None
