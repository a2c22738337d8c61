"""The ledger names what is damaged and reads the rest."""

from __future__ import annotations

import dataclasses

from experiment import keys, records
from experiment.grid import load_grid
from experiment.ledger import Ledger, LedgerReader, committed_ids, read_ledger
from experiment.records import Failure, Progress
from tests.factories import commit

CELLS = load_grid("smoke").cells
FIRST, SECOND, THIRD = (c.id for c in CELLS[:3])


def failure(cell, attempt, time, kind="transient"):
    return Failure(cell=cell, attempt=attempt, kind=kind, exit_code=75, message=attempt, time=time)


def progress(cell):
    return Progress(
        cell=cell, attempt="a", epoch=1, epochs=2, step=3, steps=6, images_per_second=1.0, seconds_left=1.0, time="now"
    )


def leave(store, *found):
    for record in found:
        is_failure = isinstance(record, Failure)
        key = keys.failure(record.cell, record.attempt) if is_failure else keys.progress(record.cell)
        store.put(key, records.to_bytes(record))


def test_a_ledger_holds_commits_failures_in_order_and_progress(store):
    commit(store, CELLS[0])
    leave(store, failure(SECOND, "late", "2026-02"), failure(SECOND, "early", "2026-01"), progress(THIRD))
    ledger = read_ledger(store, CELLS)

    assert ledger.committed == {FIRST}
    assert [f.attempt for f in ledger.failures[SECOND]] == ["early", "late"]
    assert ledger.progress == {THIRD: progress(THIRD)}
    assert ledger.problems == ()


def test_records_of_committed_and_of_other_cells_are_not_read(local_store):
    commit(local_store, CELLS[0])
    leave(local_store, failure(FIRST, "a", "t"), progress(FIRST), failure("another", "a", "t"), progress("another"))
    ledger = read_ledger(local_store, CELLS)

    assert (ledger.failures, ledger.progress) == ({}, {})


def test_damaged_records_are_named_and_the_others_are_read(local_store):
    torn, foreign, misplaced = keys.failure(FIRST, "torn"), keys.progress(SECOND), keys.failure(THIRD, "x")
    local_store.put(torn, b'{"record": "fail')
    leave(local_store, failure(FIRST, "whole", "t"))
    local_store.put(foreign, records.to_bytes(failure(SECOND, "a", "t")))
    local_store.put(misplaced, records.to_bytes(failure(FIRST, "x", "t")))
    ledger = read_ledger(local_store, CELLS)

    assert [f.attempt for f in ledger.failures[FIRST]] == ["whole"]
    assert {p.key: p.cell for p in ledger.problems} == {torn: FIRST, foreign: SECOND, misplaced: THIRD}
    assert all(p.reason for p in ledger.problems)


def test_a_record_that_goes_away_meanwhile_is_no_problem(local_store, monkeypatch):
    leave(local_store, progress(FIRST))
    listed = list(local_store.list(keys.PROGRESS))
    local_store.delete(keys.progress(FIRST))
    monkeypatch.setattr(local_store, "find", lambda prefixes: iter(set(prefixes) & set(listed)))
    ledger = read_ledger(local_store, CELLS)

    assert (ledger.progress, ledger.problems) == ({}, ())


class Asked:
    """A store that remembers what it is asked for."""

    def __init__(self, store):
        self._store, self.asked = store, []

    def find(self, prefixes):
        self.asked += (wanted := list(prefixes))
        return self._store.find(wanted)

    def read(self, key):
        self.asked.append(key)
        return self._store.read(key)

    def __getattr__(self, name):
        return getattr(self._store, name)


def test_what_cannot_change_any_more_is_read_once(local_store):
    commit(local_store, CELLS[0])
    leave(local_store, failure(SECOND, "a", "2026-01"), progress(THIRD))
    store, now = Asked(local_store), [0.0]
    reader = LedgerReader(store, CELLS[:3], progress_seconds=30, clock=lambda: now[0])
    first = reader.read()
    store.asked.clear()
    commit(local_store, CELLS[2])
    now[0] = 29.0
    second = reader.read()

    assert (first.committed, second.committed) == ({FIRST}, {FIRST, THIRD})
    assert second.failures == first.failures != {}
    assert (first.progress, second.progress) == ({THIRD: progress(THIRD)}, {})
    assert store.asked == [keys.epochs(CELLS[1]), keys.epochs(CELLS[2]), keys.folder(keys.FAILURES, SECOND)]


def test_progress_is_read_again_when_it_is_old_and_a_removed_failure_is_forgotten(local_store):
    leave(local_store, failure(SECOND, "a", "2026-01"), progress(THIRD))
    now = [0.0]
    reader = LedgerReader(local_store, CELLS[:3], progress_seconds=30, clock=lambda: now[0])
    reader.read()
    later = dataclasses.replace(progress(THIRD), step=5)
    leave(local_store, later)
    local_store.delete(keys.failure(SECOND, "a"))
    now[0] = 30.0

    assert reader.read() == Ledger(committed=frozenset(), failures={}, progress={THIRD: later})


def test_only_the_cells_asked_for_count_as_committed(store):
    for cell in CELLS:
        commit(store, cell)
    others = [dataclasses.replace(c, seed=7) for c in CELLS]

    assert committed_ids(store, CELLS[:2]) == {FIRST, SECOND}
    assert committed_ids(store, others) == set()
