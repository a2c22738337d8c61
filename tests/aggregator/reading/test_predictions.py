"""Predictions become errors and confidences, or are named."""

from __future__ import annotations

import pytest

from aggregator.reading.predictions import read_predictions
from experiment import keys, results
from tests.aggregator import factories


def put(store, cell, columns):
    table = results.to_table("predictions", columns, factories.made_provenance())
    store.put(keys.predictions(cell), results.to_bytes(table))


def test_errors_and_confidences_are_those_of_the_rows(store, cells):
    found, problems = read_predictions(store, cells[:1])
    ours = found[cells[0].id]

    assert problems == []
    assert ours.wrong["Ens"].sum() == round(0.05 * 360)
    assert ours.confidence["Ens"][0] == pytest.approx(2.718281828**4 / (2.718281828**4 + 9))


def test_examples_are_compared_in_their_order_whatever_the_order_of_the_rows(store, cells):
    before = read_predictions(store, cells[:1])[0][cells[0].id]
    columns = {name: list(values)[::-1] for name, values in factories.prediction_columns(cells[0]).items()}
    put(store, cells[0], columns)

    assert (read_predictions(store, cells[:1])[0][cells[0].id].wrong["M"] == before.wrong["M"]).all()


@pytest.mark.parametrize("change", [{"model": "Q"}, {"example": 0}], ids=["a model is missing", "an example repeats"])
def test_predictions_that_cannot_be_compared_are_named(store, cells, change):
    columns = {name: list(values) for name, values in factories.prediction_columns(cells[0]).items()}
    for name, value in change.items():
        columns[name][1] = value
    put(store, cells[0], columns)
    found, problems = read_predictions(store, cells[:2])

    assert list(found) == [cells[1].id]
    assert [(p.cell, p.absent) for p in problems] == [(cells[0].id, False)]
    assert "lacks or repeats test examples of ST" in problems[0].reason


def test_absent_predictions_are_told_from_damaged_ones(store, cells):
    store.delete(keys.predictions(cells[0]))
    store.put(keys.predictions(cells[1]), b"PAR1")
    _, problems = read_predictions(store, cells[:2])

    assert [p.absent for p in problems] == [True, False]
