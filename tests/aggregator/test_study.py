"""Results are grouped into studies and compared within them."""

from __future__ import annotations

import dataclasses

from aggregator.study import SINGLE, Treatment
from experiment import keys
from experiment.grid import load_grid
from tests.aggregator import factories


def test_treatments_stand_in_the_papers_order(store, gather):
    titles = [t.title for t in gather(store).studies[0].treatments]

    assert titles[:2] == ["CE 1.0", "CE 0.1"]
    assert titles[4:6] == ["L1 1.0", "L1 0.1"]
    assert titles[-1] == "Single"


def test_a_missing_result_is_asked_for_and_empty(store, gather, cells):
    lost = next(c for c in cells if c.method == "l2")
    store.delete(keys.epochs(lost))
    study = gather(store).studies[0]

    assert study.asked[Treatment.of(lost)] == 1
    assert study.final(Treatment.of(lost), "Ens").empty
    assert study.curve(Treatment.of(lost), "Ens").empty
    assert study.compare((Treatment.of(lost), "Ens"), (SINGLE, "Ens")) is None


def test_over_several_seeds_differences_are_paired(tmp_path, gather):
    cells = [c for c in load_grid("demo").with_seeds(3).cells if c.method in ("single", "l2")]

    def error(cell, model):
        return factories.flat_error(cell, model) + 0.01 * cell.seed + (0.02 + 0.01 * cell.seed) * (cell.method == "l2")

    study = gather(factories.committed_store(tmp_path / "s", cells=cells, error=error)).studies[0]
    found = study.compare((Treatment("l2", 0.1), "M"), (SINGLE, "M"))

    assert (found.n, found.test) == (3, "paired t over seeds")
    assert 0.028 < found.effect < 0.032


def test_one_run_cannot_tell_costs_apart(store, gather):
    study = gather(store).studies[0]

    assert study.compare((Treatment("l2", 0.1), "M"), (SINGLE, "M"), "test_cost") is None


def test_a_setting_that_does_not_fit_over_a_panel_is_left_to_the_caption(tmp_path, gather):
    cells = [c for c in load_grid("demo").cells if c.method == "single"]
    other = [dataclasses.replace(c, epochs=30) for c in cells]
    many = [dataclasses.replace(c, epochs=30, head="plain", weight_decay=0.0, learning_rate=0.25) for c in cells]
    short = gather(factories.committed_store(tmp_path / "s", cells=[*cells, *other])).studies
    long = gather(factories.committed_store(tmp_path / "t", cells=[*cells, *many])).studies

    assert [s.label for s in short] == ["Digits (epochs 20)", "Digits"]
    assert [s.label for s in long] == ["Digits (epochs 20)", "Digits"]
