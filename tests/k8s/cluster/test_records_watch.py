"""A run without a cluster has ended when all of it is done, or when no attempt shows itself any more."""

from __future__ import annotations

import pytest

from experiment import keys, records
from experiment.records import utc_now
from experiment.run import read_run
from k8s.cluster import records_watch, watch
from k8s.cluster.observe import observe_run
from k8s.cluster.records_watch import IDLE_SECONDS, Idleness
from tests.factories import commit
from tests.k8s.cluster_objects import GRID, progress


@pytest.fixture
def run(launched):
    return read_run(launched, "mine")


def test_a_run_whose_attempts_are_silent_has_ended_after_a_while(launched, run):
    now = [0.0]
    idleness = Idleness(launched, run, clock=lambda: now[0])
    record = progress(GRID.cells[0].id, time=utc_now())
    launched.put(keys.progress(record.cell), records.to_bytes(record))

    now[0] = IDLE_SECONDS
    assert not idleness.has_ended(observe_run(launched, run, None))
    launched.delete(keys.progress(record.cell))
    now[0] += 1
    assert not idleness.has_ended(observe_run(launched, run, None))
    now[0] += IDLE_SECONDS
    assert idleness.has_ended(observe_run(launched, run, None))


def test_a_run_that_is_done_and_reported_has_ended_at_once(launched, run, capsys):
    for cell in GRID.cells:
        commit(launched, cell)
    launched.put(keys.report("mine"), b"<html>")

    assert records_watch.watch_records(launched, run) == 0

    out = capsys.readouterr().out.splitlines()
    assert out[-2:] == ["4 of 4 cells done", f"report: {launched.url}/reports/mine/index.html"]


def test_a_run_that_nobody_trains_is_said_to_be_so(launched, run, monkeypatch, capsys):
    monkeypatch.setattr(records_watch, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(watch, "POLL", 0.01)

    assert records_watch.watch_records(launched, run) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("nobody trains run mine now: ")
