"""A cell that disruptions end again and again without a newer checkpoint is given up, with what ended it; progress counts anew."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys, records
from experiment.errors import Interrupted, InvalidInput, Transient
from experiment.grid import Grid
from experiment.records import Failure
from experiment.run import Run
from tests.factories import commit
from trainer import stalling
from trainer.attempt import attempt_cell
from trainer.options import AttemptOptions

EVICTED = "interrupted: its node evicted it: The node was low on resource: ephemeral-storage."


class Killed(BaseException):
    """Not an error that any code handles: the process is gone."""


@pytest.fixture
def options(store, tiny):
    return AttemptOptions(store=store, attempt="only", load=lambda _: tiny, stopping=lambda: False)


def killed(options, cell, name):
    """An attempt that is killed while it loads its data, and leaves nothing."""

    def load(_):
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.attempt._leave_record", lambda *_: None)
        patch.setattr("trainer.attempt._keep_log", lambda *_: None)
        with pytest.raises(Killed):
            attempt_cell(cell, dataclasses.replace(options, attempt=name, load=load))


def starts(store, cell):
    return records.parse_record(store.read(keys.start(cell.id)), "record").starts


def test_after_ten_attempts_without_progress_the_cell_is_given_up_with_the_last_end_and_may_be_tried_anew(
    store, options, make_cell
):
    cell = make_cell()
    for number in range(stalling.MOST_STARTS):
        killed(options, cell, f"a{number}")
    seen = Failure(
        cell=cell.id, attempt="a9", kind="interrupted", exit_code=137, message=EVICTED, time="2026-11-01T00:00:00+00:00"
    )
    store.put(keys.failure(cell.id, "a9"), records.to_bytes(seen))

    with pytest.raises(InvalidInput) as given_up:
        attempt_cell(cell, dataclasses.replace(options, attempt="a10"))

    assert given_up.value.exit_code == 42
    assert "10 attempts in a row began at step 0 and were ended from outside" in str(given_up.value)
    assert EVICTED in str(given_up.value)
    assert records.parse_record(store.read(keys.failure(cell.id, "a10")), "record").message == str(given_up.value)
    assert attempt_cell(cell, dataclasses.replace(options, attempt="by hand")) == "committed"
    assert not store.exists(keys.start(cell.id))


def test_a_newer_checkpoint_begins_the_count_anew(local_store, options, make_cell):
    options = dataclasses.replace(options, store=local_store)
    cell = make_cell()
    for name in ("a", "b", "c"):
        killed(options, cell, name)
    assert starts(local_store, cell) == 3

    looks = iter([False] * 4)
    with pytest.raises(Interrupted):
        attempt_cell(cell, dataclasses.replace(options, stopping=lambda: next(looks, True)))
    killed(options, cell, "e")

    assert starts(local_store, cell) == 1


def test_an_end_that_counts_as_a_retry_begins_the_count_anew(local_store, options, make_cell):
    options = dataclasses.replace(options, store=local_store)
    killed(options, make_cell(), "a")

    def load(_):
        raise Transient("no route")

    with pytest.raises(Transient):
        attempt_cell(make_cell(), dataclasses.replace(options, load=load))
    assert not local_store.exists(keys.start(make_cell().id))


def test_a_damaged_record_costs_the_count_and_nothing_else(local_store, options, make_cell):
    local_store.put(keys.start(make_cell().id), b"{torn")

    stalling.record_start(local_store, make_cell(), "a", 5)
    stalling.record_start(local_store, make_cell(), "a", 5)

    assert starts(local_store, make_cell()) == 1


def test_of_a_group_the_cells_that_an_earlier_pod_has_begun_are_tried_last_and_done_ones_not_at_all(
    local_store, options, make_cell
):
    cells = tuple(make_cell(seed=s) for s in range(4))
    run = Run(name="test", grid=Grid(name="test", cells=cells))
    killed(dataclasses.replace(options, store=local_store), cells[0], "a")
    commit(local_store, cells[2])

    assert stalling.sort_cells(local_store, run, (0, 1, 2, 3)) == ([1, 3], [0])
    assert stalling.sort_cells(local_store, run, (2,)) == ([], [])
