"""Cells that saw other data than the others are named; what they share by their settings is no fault."""

from __future__ import annotations

import pytest

from aggregator.reading.alike import find_other_labels, find_strangers
from aggregator.reading.epochs import read_epochs, to_frame
from aggregator.reading.predictions import Predictions
from experiment import keys
from experiment.cell import Cell
from experiment.store import LocalStore
from tests.aggregator import factories


def strangers(root, cells, digests):
    store = LocalStore(root, create=True)
    for cell, digest in zip(cells, digests, strict=True):
        factories.commit_cell(store, cell, predictions=False, dataset_sha256=digest)
    found = read_epochs(store, [keys.epochs(c) for c in cells])
    return [p.cell for p in find_strangers(cells, to_frame(found.epochs), found.provenance)]


@pytest.mark.parametrize(
    ("digests", "strange"),
    [("aaaa", []), ("abaa", [1]), ("abba", [1, 2]), ("abbb", [0]), ("abcc", [0, 1]), (["a", "", "a", "b"], [3])],
    ids=["alike", "one", "as many", "the first", "several", "one says nothing"],
)
def test_cells_of_another_data_set_than_most_are_named_and_of_as_many_the_first_counts(
    tmp_path, cells, digests, strange
):
    assert strangers(tmp_path / "s", cells[:4], digests) == [cells[i].id for i in strange]


def test_cells_that_were_asked_to_use_fewer_examples_may(tmp_path, cells):
    fewer = [Cell.from_dict({**c.as_dict(), "test_examples": 100, "train_examples": 640}) for c in cells[:2]]

    assert strangers(tmp_path / "s", [*cells[:2], *fewer], "aaaa") == []


def test_cells_whose_labels_differ_from_those_of_most_are_named(cells):
    read = {c.id: Predictions(wrong={}, confidence={}, labels=x) for c, x in zip(cells, "aba", strict=False)}
    [problem] = find_other_labels(cells, read)

    assert (problem.cell, problem.key) == (cells[1].id, keys.epochs(cells[1]))
    assert "2 of the run's 3 cells of digits have a" in problem.reason
