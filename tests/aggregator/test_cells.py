"""What became of a cell, from what the store holds of it."""

import datetime as dt

import pytest

from aggregator import run as runs
from aggregator.cells import states
from experiment import keys
from experiment.grid import load_grid
from experiment.records import Failure, Progress
from tests.aggregator import made

CELL = load_grid("demo").cells[0]
NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def failure(kind="error", code=1, time="2026-01-01T10:00:00+00:00", **more):
    return Failure(cell=CELL.id, attempt="a", kind=kind, exit_code=code, message="why", time=time, **more)


def progress(time):
    return Progress(
        cell=CELL.id,
        attempt="b",
        epoch=3,
        epochs=20,
        step=1,
        steps=9,
        images_per_second=1.0,
        seconds_left=1.0,
        time=time,
    )


def state(**given):
    facts = {"done": [], "unreadable": {}, **given}
    failures = {CELL.id: sorted(facts.pop("failures", []), key=lambda f: f.time)}
    progress = {p.cell: p for p in facts.pop("progress", [])}
    return states([CELL], now=NOW, failures=failures, progress=progress, **facts)[0]


def test_a_result_counts_more_than_any_record():
    assert state(done=[CELL.id], failures=[failure()]).state == "done"


def test_the_last_failure_tells_the_reason():
    s = state(failures=[failure("diverged", 43, "2026-01-01T11:00:00+00:00", epoch=4), failure()])

    assert (s.state, s.final, s.attempts) == ("diverged", True, 2)
    assert s.reason == "why (exit code 43 after epoch 4)"


@pytest.mark.parametrize(
    ("kind", "final"), [("invalid", True), ("transient", False), ("interrupted", False), ("error", False)]
)
def test_only_permanent_failures_are_final(kind, final):
    assert state(failures=[failure(kind)]).final is final


def test_fresh_progress_after_a_failure_is_a_cell_in_training():
    s = state(failures=[failure()], progress=[progress("2026-01-01T11:59:00+00:00")])

    assert (s.state, s.reason) == ("running", "in training, epoch 3 of 20")


def test_stale_progress_is_a_cell_that_was_killed_without_a_word():
    s = state(progress=[progress("2026-01-01T09:00:00+00:00")])

    assert s.state == "missing"
    assert "killed without a word" in s.reason


@pytest.mark.parametrize("time", ["yesterday", "2026-01-01T11:59:30"])
def test_times_of_any_form_do_not_break_the_report(time):
    assert state(progress=[progress(time)]).state in ("missing", "running")


def test_nothing_known_is_missing():
    assert state().state == "missing"


def test_waiting_ends_when_the_rest_has_failed_for_good(store, monkeypatch):
    store.delete(keys.epochs(CELL))
    said = []

    def fail_meanwhile(_):
        from experiment import records

        store.put(keys.failure(CELL.id, "a"), records.to_bytes(failure("diverged", 43)))

    monkeypatch.setattr(runs.time, "sleep", fail_meanwhile)
    runs.wait(store, made.RUN, said.append, 60)

    assert said == [
        "12 of 13 cells done, 0 failed for good, 1 to come, 0 in training",
        "12 of 13 cells done, 1 failed for good, 0 to come, 0 in training",
    ]


def test_waiting_ends_at_its_limit(store):
    store.delete(keys.epochs(CELL))
    said = []
    runs.wait(store, made.RUN, said.append, 0)

    assert len(said) == 1
