"""Predictions become errors and confidences, or are named."""

from __future__ import annotations

import pytest

from aggregator.reading.epochs import read_epochs, to_frame
from aggregator.reading.predictions import read_predictions
from experiment import keys, results
from tests.aggregator import factories


def put(store, cell, columns):
    table = results.to_table("predictions", columns, factories.made_provenance())
    factories.commit_cell(store, cell, predictions=results.to_bytes(table))


def read(store, cells):
    """The predictions of these cells by id, and the problems, as a report reads them."""
    rows = read_epochs(store, [keys.epochs(c) for c in cells])
    found = read_predictions(store, cells, rows.provenance, to_frame(rows.epochs))
    return found.usable, [*found.unusable, *found.contradictions]


def test_errors_and_confidences_are_those_of_the_rows(store, cells):
    found, problems = read(store, cells[:1])
    ours = found[cells[0].id]

    assert problems == []
    assert ours.wrong["Ens"].sum() == round(0.05 * 360)
    assert ours.confidence["Ens"][0] == pytest.approx(2.718281828**4 / (2.718281828**4 + 9))


def test_examples_are_compared_in_their_order_whatever_the_order_of_the_rows(store, cells):
    before = read(store, cells[:1])[0][cells[0].id]
    columns = {name: list(values)[::-1] for name, values in factories.prediction_columns(cells[0]).items()}
    put(store, cells[0], columns)

    assert (read(store, cells[:1])[0][cells[0].id].wrong["M"] == before.wrong["M"]).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "Q"}, "holds predictions of Ens, M, Q, ST, and its cell has ST, M, Ens"),
        ({"example": 0}, "lacks or repeats test examples of ST; its rows speak of 360"),
    ],
    ids=["a strange model", "an example repeats"],
)
def test_predictions_that_cannot_be_compared_are_named(store, cells, change, words):
    columns = {name: list(values) for name, values in factories.prediction_columns(cells[0]).items()}
    for name, value in change.items():
        columns[name][1] = value
    put(store, cells[0], columns)
    found, problems = read(store, cells[:2])

    assert list(found) == [cells[1].id]
    assert [(p.cell, p.absent) for p in problems] == [(cells[0].id, False)]
    assert words in problems[0].reason


def test_predictions_that_a_cell_did_not_keep_are_told_from_damaged_and_from_lost_ones(store, cells):
    factories.commit_cell(store, cells[0], predictions=False)
    store.delete(keys.predictions(cells[0]))
    store.put(keys.predictions(cells[1]), b"PAR1")
    store.delete(keys.predictions(cells[2]))
    found, problems = read(store, cells[:4])

    assert list(found) == [cells[3].id]
    assert [p.absent for p in problems] == [True, False, False]
    assert "its commit names" in problems[1].reason
    assert f"does not exist, and {keys.epochs(cells[2])} names it; restore it from a copy, or" in problems[2].reason


def test_predictions_of_another_attempt_under_the_usual_key_are_not_read(store, cells):
    """They are whole, and of the same cell, and were made by other hardware."""
    mine = store.read(keys.predictions(cells[0]))
    own = keys.artifact_beside(keys.predictions(cells[0]), "a2")
    table = results.to_table(
        "predictions",
        factories.prediction_columns(cells[0], lambda *_: 0.5),
        factories.made_provenance(attempt="a2"),
    )
    store.put(own, mine)
    store.put(keys.predictions(cells[0]), results.to_bytes(table))
    found, [problem] = read(store, cells[:1])
    assert found == {}
    assert "its commit names" in problem.reason

    named = factories.put_artifacts(store, cells[0], mine)
    named["artifacts"][own] = named["artifacts"].pop(keys.predictions(cells[0]))
    store.put(keys.predictions(cells[0]), results.to_bytes(table))
    epochs = results.to_table("epochs", factories.epoch_columns(cells[0]), factories.made_provenance(**named))
    store.put(keys.epochs(cells[0]), results.to_bytes(epochs))
    found, problems = read(store, cells[:1])

    assert problems == []
    assert found[cells[0].id].wrong["Ens"].mean() == 0.05


def test_a_file_of_the_time_before_digests_is_read_unproved(store, cells):
    before = read(store, cells[:1])[0][cells[0].id]
    factories.commit_cell(store, cells[0], predictions=False)

    assert (read(store, cells[:1])[0][cells[0].id].wrong["M"] == before.wrong["M"]).all()
