"""The figure of differences shows every comparison, and writes what lies far off."""

from __future__ import annotations

from aggregator.figures.differences import plot_differences
from experiment import keys
from tests.aggregator import factories


def test_every_model_has_a_row_and_what_lies_far_off_is_a_number(tmp_path, gather, cells):
    def error(cell, model):
        return 0.9 if (cell.method, cell.alpha) == ("l2", 1.0) else factories.flat_error(cell, model)

    store = factories.committed_store(tmp_path / "s", error=error)
    store.delete(keys.epochs(next(c for c in cells if (c.method, c.alpha) == ("l1", 0.01))))
    picture = plot_differences(gather(store).studies[0])

    assert picture.svg.count("<title>Digits: ") == 3 * 10
    assert picture.svg.count("→") == 3
    assert "+81.9 →" in picture.svg
    assert picture.note == "Nothing to compare: L1 0.01."
    assert "McNemar" in picture.caption


def test_without_single_nothing_is_compared(store, gather, cells):
    store.delete(keys.epochs(next(c for c in cells if c.method == "single")))

    assert plot_differences(gather(store).studies[0]).note.startswith("Nothing to compare: CE 1.0, CE 0.1")
