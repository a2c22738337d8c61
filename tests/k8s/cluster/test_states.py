"""The state of a cell follows from store and cluster, and its reason is said in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from experiment.ledger import DONE, FAILED, MISSING, RUNNING, WAITING
from k8s.cluster import states
from k8s.cluster.states import describe_cell
from k8s.manifests import names
from tests.k8s.cluster_objects import GRID, NOW, ended, failure, job, pod, progress, state_of, view_of

CELL = GRID.cells[3].id


def test_the_store_says_what_is_done_whatever_the_cluster_says():
    gone = state_of(3, jobs=[job(completedIndexes="0")], pods=[])

    assert state_of(3, done={CELL}, jobs=[job(failedIndexes="0")], pods=[]).state == DONE
    assert gone.reason == "its pod succeeded, but the store has no result: launch again"


def test_positions_in_a_job_are_not_indexes_of_the_grid():
    found = states.cell_states(view_of(jobs=[job(failedIndexes="1")], pods=[]))

    assert [c.state for c in found] == [WAITING, FAILED, MISSING, WAITING]


def test_a_running_cell_shows_the_progress_of_its_own_attempt_only():
    said = {CELL: progress(CELL)}
    own = state_of(3, jobs=[job()], pods=[pod(0)], progress=said)

    assert describe_cell(own) == "epoch 1/3, 50 images/s, 1 min 01 s left"
    assert state_of(3, jobs=[job()], pods=[pod(0, uid="other")], progress=said).progress is None


def test_a_failed_cell_has_the_reason_that_its_last_attempt_gave():
    first = failure(CELL, "a", "transient", "no network")
    second = failure(CELL, "b", "diverged", "cost is nan", "2026-11-01T11:40:00Z")

    found = state_of(3, jobs=[job(failedIndexes="0")], pods=[], failures={CELL: [first, second]})

    assert (found.reason, found.failed, found.interrupted) == ("cost is nan", 2, 0)


def test_an_attempt_that_left_a_record_and_a_pod_counts_once():
    disrupted = [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]
    dead = pod(0, uid="a", phase="Failed", conditions=disrupted, containerStatuses=ended(143))
    younger = pod(0, uid="b", created="2026-11-01T11:35:00Z")
    told = {CELL: [failure(CELL, "a", "interrupted", "told to stop")]}

    found = state_of(3, jobs=[job()], pods=[dead, younger], failures=told)

    assert (found.state, found.interrupted, found.failed) == (RUNNING, 1, 0)


UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes: Insufficient nvidia.com/gpu"}
NO_IMAGE = {"name": "trainer", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
PREPARING = {"name": names.AWAIT, "state": {"running": {}}}
NO_NETWORK = ended(75, message="error: no network")


@pytest.mark.parametrize(
    ("pods", "spec", "said"),
    [
        ([pod(0, phase="Pending", conditions=[UNSCHEDULED])], {}, f"waits for a node: {UNSCHEDULED['message']}"),
        ([pod(0, phase="Pending", containerStatuses=[NO_IMAGE])], {}, "waits for ImagePullBackOff: no such image"),
        ([pod(0, phase="Pending", initContainerStatuses=[PREPARING])], {}, "waits for its data set"),
        ([], {"suspend": True}, "its Job is suspended (by a queue or by hand)"),
        ([], {}, "waits for its turn"),
        (
            [pod(0, phase="Failed", containerStatuses=NO_NETWORK)],
            {},
            "is tried again after: exit code 75: error: no network",
        ),
    ],
    ids=["no node", "no image", "no data", "suspended", "queued", "again"],
)
def test_a_waiting_cell_says_what_for(pods, spec, said):
    found = state_of(3, jobs=[job(spec=spec)], pods=pods)

    assert (found.state, found.reason) == (WAITING, said)


def test_a_job_that_ended_early_leaves_its_cells_failed_with_its_reason():
    late = {"type": "Failed", "status": "True", "message": "Job was active longer than specified deadline"}
    found = state_of(3, jobs=[job(conditions=[late])], pods=[])

    assert found.reason == "its Job ended first: Job was active longer than specified deadline"


def test_without_a_cluster_fresh_progress_means_running():
    cell = GRID.cells[2].id
    fresh, stale = ((NOW - timedelta(seconds=ago)).isoformat() for ago in (10, 1000))

    assert state_of(2, progress={cell: progress(cell, time=fresh)}).state == RUNNING
    assert state_of(2, progress={cell: progress(cell, time=stale)}).state == MISSING
    assert state_of(2, failures={cell: [failure(cell, "a", "invalid", "bad")]}).state == FAILED
    assert state_of(2, failures={cell: [failure(cell, "a", "interrupted", "stop")]}).state == MISSING


def test_a_missing_cell_is_said_to_have_no_job_only_where_the_cluster_was_asked():
    assert state_of(2, jobs=[], pods=[]).reason == "no Job in the cluster trains it"
    assert "Job" not in state_of(2).reason
