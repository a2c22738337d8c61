"""Curves over epochs."""

from __future__ import annotations

import pandas as pd

from aggregator.figures.curves import good_range, plot_methods, plot_treatment
from aggregator.study import SINGLE, Treatment
from experiment import keys
from tests.aggregator import factories


def test_the_range_of_figure_a1_is_the_papers(author_material):
    """The paper draws MNIST ST from 0.4 to 1.0 %, which leaves out L2 1.0 and L1 1.0."""
    study = author_material.studies[0]
    curves = {t: 100 * study.curve(t, "ST").tail(10) for t in study.treatments}
    low, high = good_range([*curves.values(), *(100 * study.curve(SINGLE, m).tail(10) for m in ("M", "Ens"))])

    assert 0.35 < low < 0.5 < 0.8 < high < 1.2
    assert {t for t in study.treatments if curves[t].mean(axis=1).min() > high} == {
        Treatment("l2", 1.0),
        Treatment("l1", 1.0),
    }


def test_a_lone_curve_is_in_range_and_no_curve_has_none():
    low, high = good_range([pd.DataFrame({0: [2.0, 1.0, 1.0]})])

    assert low < 1 < high
    assert good_range([]) == (0.0, 0.0)


def test_lines_that_do_poorly_leave_the_range_and_are_marked(tmp_path, gather):
    def error(cell, model):
        return 0.9 if (cell.method, cell.alpha) == ("l2", 1.0) else factories.flat_error(cell, model)

    study = gather(factories.committed_store(tmp_path / "s", error=error)).studies[0]

    assert plot_methods(study, "ST").svg.count("↑") == 1


def test_what_has_no_results_is_named(store, gather, cells):
    for cell in cells:
        if cell.method == "single" or (cell.method, cell.alpha) == ("l2", 0.01):
            store.delete(keys.epochs(cell))
    study = gather(store).studies[0]

    assert plot_methods(study, "M").note == "No results: L2 0.01, Single."
    assert plot_treatment(study, Treatment("l2", 0.01)).note == "No results: L2 0.01, Single."
