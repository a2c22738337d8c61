"""What is worth a line: what happened to cells between two looks, and what keeps them waiting."""

from __future__ import annotations

from k8s.cluster.events import Said
from k8s.cluster.news import describe_changes, describe_waits
from k8s.cluster.watch import summarize_cells
from k8s.manifests import names
from tests.k8s.cluster_objects import GRID, cells_of, failure, job, pod, state_of

CELL = GRID.cells[3].id


def test_what_happened_between_two_looks_is_told_once():
    before = {3: state_of(3, jobs=[job()], pods=[pod(0)])}
    told = {CELL: [failure(CELL, "u", "diverged", "cost is nan")]}
    after = {3: state_of(3, jobs=[job(failedIndexes="0")], pods=[], failures=told)}

    assert describe_changes(before, after) == [f"failed: {CELL}: cost is nan; failed once"]
    assert describe_changes(after, after) == []
    assert summarize_cells(list(after.values())) == "0 of 1 cells done, 1 failed"


def test_cells_that_wait_for_the_same_are_one_line_and_what_every_run_goes_through_is_none():
    said = Said(refused={"j": "FailedCreate: exceeded quota"})
    starting = pod(0, phase="Pending")
    reason = "its pod cannot be created: FailedCreate: exceeded quota"

    assert describe_waits(cells_of(jobs=[job()], pods=[starting])) == {}
    assert describe_waits(cells_of(jobs=[job()], pods=[starting], said=said)) == {reason: f"waiting: 2 cells: {reason}"}


def test_cells_in_the_hands_of_another_run_are_named_by_the_handover_alone():
    held = job(spec={"suspend": True})
    held["metadata"]["annotations"] = {names.WAITS_FOR: "full/full-digits-1"}

    assert state_of(3, jobs=[held], pods=[]).reason == "in the hands of run full (Job full-digits-1): waited for"
    assert describe_waits(cells_of(jobs=[held], pods=[])) == {}
