"""Figures that the paper does not have name what they cannot draw."""

from __future__ import annotations

import dataclasses

from aggregator.figures.curves import plot_methods
from aggregator.figures.further import plot_agreement, plot_error_by_alpha, plot_generalisation_gap
from experiment import keys
from experiment.cell import Cell
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


def test_every_method_of_a_study_is_drawn_whether_or_not_it_is_one_of_the_papers(tmp_path, gather):
    alone = Cell(dataset="digits", method="single", epochs=2, train_examples=64, test_examples=20)
    teach = {"method": "distillation", "alpha": 1.0, "teacher": alone}
    cells = [alone, dataclasses.replace(alone, **teach), dataclasses.replace(alone, method="mutual", alpha=1.0)]
    (study,) = gather(factories.committed_store(tmp_path / "s", cells=cells)).studies

    for picture in (plot_error_by_alpha(study), plot_agreement([study]), plot_methods(study, "ST")):
        assert "Distillation" in picture.svg
        assert "Mutual" in picture.svg


def test_a_study_without_single_and_the_papers_methods_has_its_figures(tmp_path, gather):
    cells = [Cell(dataset="digits", method="mutual", alpha=1.0, epochs=2, train_examples=64, test_examples=20)]
    (study,) = gather(factories.committed_store(tmp_path / "s", cells=cells)).studies

    assert "Mutual" in plot_agreement([study]).svg
    assert "Mutual" in plot_methods(study, "ST").svg
