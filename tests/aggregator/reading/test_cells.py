"""The state of a cell, from what the store holds of it."""

from __future__ import annotations

import datetime as dt

import pytest

from aggregator.reading.cells import cell_states
from experiment import keys
from experiment.grid import load_grid
from experiment.ledger import Problem
from experiment.records import Failure, Progress

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
    facts = {"done": [], **given}
    failures = {CELL.id: sorted(facts.pop("failures", []), key=lambda f: f.time)}
    progress = {p.cell: p for p in facts.pop("progress", [])}
    return cell_states([CELL], now=NOW, failures=failures, progress=progress, **facts)[0]


def test_a_result_counts_more_than_any_record():
    assert state(done=[CELL.id], failures=[failure()]).state == "done"


def test_the_last_failure_tells_the_reason():
    s = state(failures=[failure("diverged", 43, "2026-01-01T11:00:00+00:00", epoch=4), failure()])

    assert (s.state, s.final, s.attempts) == ("failed", True, 2)
    assert s.reason == "diverged: why (exit code 43 after epoch 4)"


@pytest.mark.parametrize(
    ("kind", "final"), [("invalid", True), ("transient", False), ("interrupted", False), ("error", False)]
)
def test_only_permanent_failures_are_final(kind, final):
    assert state(failures=[failure(kind)]).final is final


def test_fresh_progress_after_a_failure_is_a_cell_in_training():
    s = state(failures=[failure()], progress=[progress("2026-01-01T11:59:00+00:00")])

    assert (s.state, s.reason) == ("running", "in training, epoch 3/20")


def test_stale_progress_is_a_cell_that_was_killed_without_a_word():
    s = state(progress=[progress("2026-01-01T09:00:00+00:00")])

    assert s.state == "missing"
    assert "killed without a record" in s.reason


@pytest.mark.parametrize("time", ["yesterday", "2026-01-01T11:59:30"])
def test_times_of_any_form_do_not_break_the_report(time):
    assert state(progress=[progress(time)]).state in ("missing", "running")


def test_nothing_known_is_missing():
    assert state().state == "missing"


def unread(key):
    return Problem(key=key, cell=CELL.id, reason="it is torn")


def test_a_failure_record_that_cannot_be_read_is_a_failure_of_unknown_kind():
    key = keys.failure(CELL.id, "a")
    s = state(problems=[unread(key)])

    assert (s.state, s.attempts, s.final) == ("failed", 1, False)
    assert s.reason == f"no result, and {key} cannot be read: it is torn"


def test_a_progress_record_that_cannot_be_read_is_not_called_not_started():
    s = state(problems=[unread(keys.progress(CELL.id))])

    assert s.state == "missing"
    assert "cannot be read: it is torn" in s.reason


def test_a_result_that_cannot_be_read_is_unreadable_whatever_the_records_say():
    s = state(failures=[failure("diverged")], problems=[unread(keys.epochs(CELL))])

    assert (s.state, s.reason) == ("unreadable", "it is torn")
