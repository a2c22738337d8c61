"""Clocks of machines differ by hours: words about the past may be in the wrong order; no result, no plan and no resume depends on them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from aggregator.reading.cells import cell_states as report_states
from experiment import keys
from experiment.errors import Interrupted, Misconfigured
from experiment.grid import Grid
from experiment.ledger import MISSING, RUNNING, read_ledger
from experiment.run import Run
from k8s.cluster import states
from k8s.planning.survey import survey_store
from trainer import attempt, stalling, watcher
from trainer.attempt import attempt_cell
from trainer.model import training
from trainer.options import AttemptOptions
from trainer.verify_resume import differing_columns

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def clock(monkeypatch):
    """Sets the clock by which this process writes records, as many hours ahead of the true one as it is told."""

    def skew(hours):
        text = (NOW + dt.timedelta(hours=hours)).isoformat(timespec="seconds")
        for module in (attempt, stalling, watcher):
            monkeypatch.setattr(module, "utc_now", lambda: text)

    return skew


@pytest.fixture
def options(local_store, tiny, monkeypatch):
    monkeypatch.setattr(training, "SECONDS_PER_CALL", 0.0)
    monkeypatch.setattr(watcher, "PROGRESS_SECONDS", 0.0)
    return AttemptOptions(
        store=local_store, attempt="a", load=lambda _: tiny, stopping=lambda: False, checkpoint_seconds=0.0
    )


def interrupted(options, cell, name, looks):
    answers = iter([False] * looks)
    with pytest.raises(Interrupted):
        attempt_cell(cell, dataclasses.replace(options, attempt=name, stopping=lambda: next(answers, True)))


@pytest.mark.parametrize("hours", [(7, -7)])
def test_attempts_on_machines_hours_apart_go_on_from_one_another_to_the_same_numbers(
    options, local_store, make_cell, clock, hours
):
    cell = make_cell()
    grid = Grid(name="lab", cells=(cell,))
    for name, skew, looks in zip("ab", hours, (4, 4), strict=True):
        clock(skew)
        interrupted(options, cell, name, looks)
        assert survey_store(local_store, grid, retry_diverged=False).missing == (0,)
    clock(0)
    assert attempt_cell(cell, dataclasses.replace(options, attempt="c")) == "committed"
    assert survey_store(local_store, grid, retry_diverged=False).missing == ()

    calm = type(local_store)(local_store.root.with_name("calm"), create=True)
    assert attempt_cell(cell, dataclasses.replace(options, store=calm, attempt="calm")) == "committed"
    assert differing_columns(cell, calm, local_store) == []


@pytest.mark.parametrize(("hours", "state"), [(7, MISSING), (-7, MISSING), (0, RUNNING)])
def test_progress_from_another_time_keeps_no_dead_attempt_alive(options, local_store, make_cell, clock, hours, state):
    cell, written = make_cell(), []
    clock(hours)

    def show(progress):
        written[:] = [progress]

    attempt_cell(cell, dataclasses.replace(options, show=show))
    ledger = dataclasses.replace(
        read_ledger(local_store, [cell]), committed=frozenset(), progress={cell.id: written[0]}
    )  # as if it had been killed without a word

    view = states.View(run=Run(name="lab", grid=Grid(name="lab", cells=(cell,))), ledger=ledger, time=NOW)
    assert states.cell_states(view)[0].state == state
    (told,) = report_states([cell], done=(), failures={}, progress=ledger.progress, now=NOW)
    assert told.state == state


@pytest.mark.s3
@pytest.mark.parametrize("hours", [-3, 3])
def test_a_real_server_refuses_a_client_hours_apart_and_is_waited_for_until_the_clock_is_set(
    minio_store, monkeypatch, hours
):
    minio_store.put("a", b"whole")
    with monkeypatch.context() as skewed:
        wrong = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
        skewed.setattr("botocore.auth.get_current_datetime", lambda **_: wrong)
        with pytest.raises(Misconfigured, match="RequestTimeTooSkewed; set the clock of this machine"):
            minio_store.read("a")

    assert minio_store.read("a") == b"whole"
    assert list(minio_store.list(keys.RESULTS)) == []
