"""What a report is made from, and what it lacks."""

from __future__ import annotations

from aggregator.report import material
from aggregator.report.material import cells_to_compare, draw_datasets
from experiment import keys
from experiment.grid import load_grid
from tests.aggregator import factories


def test_without_a_data_set_the_report_says_why_it_has_no_pictures(store):
    pictures, remarks = draw_datasets(store, ["digits"])

    assert pictures == []
    assert "No pictures of Digits" in remarks[0]


def test_without_predictions_the_report_says_how_its_cells_are_compared(store, gather, cells):
    factories.commit_cell(store, cells[2], predictions=False)
    store.delete(keys.predictions(cells[2]))
    material = gather(store)

    assert any(r.startswith("1 of 13 done cells kept no predictions: ") for r in material.remarks)
    assert material.run.problems == ()


def test_all_predictions_are_read_and_of_too_many_cells_those_that_are_drawn(store, gather, tmp_path, monkeypatch):
    study = gather(store).studies[0]
    assert cells_to_compare(study, study.cells) == list(study.cells)

    seeds = load_grid("demo").with_seeds(3).cells
    study = gather(factories.committed_store(tmp_path / "seeds", cells=seeds, predictions=False)).studies[0]
    assert cells_to_compare(study, study.cells) == list(study.cells)
    monkeypatch.setattr(material, "MOST_PREDICTIONS", 38)
    chosen = cells_to_compare(study, study.cells)
    assert {c.seed for c in chosen} == {0}
    assert [c.method for c in chosen] == ["single", "ce", "l2", "l1"]
