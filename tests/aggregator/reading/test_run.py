"""A run as the store holds it: its cells only, with what contradicts or cannot be read named."""

from __future__ import annotations

import datetime as dt
import shutil
import time

from aggregator.reading.run import wait_for_cells
from experiment import keys, records
from experiment.grid import Grid, load_grid
from experiment.records import Failure
from experiment.run import read_run
from tests.aggregator import factories


def test_a_second_result_of_a_cell_elsewhere_is_named_and_not_read(store, gather, cells):
    key = keys.epochs(cells[1]).replace("dataset=digits", "dataset=mnist")
    store.put(key, store.read(keys.epochs(cells[1])))
    material = gather(store)

    assert [(p.key, p.cell) for p in material.run.problems] == [(key, cells[1].id)]
    assert len(material.run.frame) == 13 * 60


def test_unreadable_records_and_predictions_are_named(store, gather, cells):
    store.put(keys.failure(cells[0].id, "x"), b"{")
    store.put(keys.predictions(cells[5]), b"PAR1")
    problems = {p.key: p.reason for p in gather(store).run.problems}

    assert "is not a record of this suite" in problems[keys.failure(cells[0].id, "x")]
    assert "and its commit names" in problems[keys.predictions(cells[5])]


def test_cells_of_other_runs_are_not_in_the_report(store, gather, cells):
    factories.freeze_run(store, Grid(name="part", cells=cells[:2]), "part")

    assert gather(store, "part").run.frame["cell_id"].nunique() == 2
    assert len(read_run(store, "part").grid.cells) == 2
    shutil.rmtree(store.root / "results" / "dataset=digits" / "method=l1")
    assert gather(store, "part").run.undone == []


CELL = load_grid("demo").cells[0]


def wait(store, said, limit):
    run = read_run(store, factories.RUN)
    wait_for_cells(store, run, say=said.append, limit=limit, now=lambda: dt.datetime.now(dt.UTC))


def test_waiting_ends_when_the_rest_has_failed_for_good(store, monkeypatch):
    store.delete(keys.epochs(CELL))
    said = []

    time_of_death = "2026-01-01T10:00:00+00:00"
    diverged = Failure(cell=CELL.id, attempt="a", kind="diverged", exit_code=43, message="why", time=time_of_death)

    def fail_meanwhile(_):

        store.put(keys.failure(CELL.id, "a"), records.to_bytes(diverged))

    monkeypatch.setattr(time, "sleep", fail_meanwhile)
    wait(store, said, 60)

    assert said == [
        "12 of 13 cells done, 0 failed for good, 1 to come, 0 in training",
        "12 of 13 cells done, 1 failed for good, 0 to come, 0 in training",
    ]


def test_waiting_ends_at_its_limit(store):
    store.delete(keys.epochs(CELL))
    said = []
    wait(store, said, 0)

    assert len(said) == 1
