"""The state of a cell follows from store and cluster, and its reason is said in words."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from experiment.ledger import DONE, FAILED, MISSING, RUNNING, WAITING
from k8s.cluster import states
from k8s.cluster.events import Said
from k8s.cluster.states import describe_cell
from k8s.manifests import jobs, names
from tests.k8s.cluster_objects import GRID, GROUPED, NOW, ended, failure, job, pod, progress, state_of, view_of

CELL = GRID.cells[3].id


def preparing_pod(phase="Running", **status):
    made = pod(0, phase=phase, **status)
    made["metadata"]["labels"] = {**names.run_labels("r", names.PREPARE), names.JOB: "r-prepare-digits"}
    return made


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        ([], "Job r-prepare-digits has no pod yet"),
        ([preparing_pod()], "Job r-prepare-digits prepares or verifies it"),
        ([preparing_pod("Pending")], "the pod of Job r-prepare-digits waits for its containers"),
        (
            [preparing_pod("Failed", containerStatuses=ended(75, message="error: no route"))],
            "Job r-prepare-digits tries again after: exit code 75: error: no route",
        ),
    ],
)
def test_a_cell_whose_data_set_is_prepared_says_what_the_preparing_pod_does(pods, said):
    waiting = job(spec={"suspend": True})
    waiting["metadata"]["annotations"] = {names.WAITS_FOR: "r/r-prepare-digits"}

    assert state_of(3, jobs=[waiting], pods=pods).reason == f"waits for its data set: {said}"
    assert jobs.describe_job(waiting) == "waits for its data set (Job r-prepare-digits)"


def test_a_cell_that_another_run_has_waits_for_it():
    waiting = job(spec={"suspend": True})
    waiting["metadata"]["annotations"] = {names.WAITS_FOR: "full/full-mnist-1"}
    found = state_of(3, jobs=[waiting], pods=[])

    assert (found.state, found.reason) == (WAITING, "in the hands of run full (Job full-mnist-1): waited for")


def test_a_student_waits_for_its_teacher():
    waiting = job(spec={"suspend": True})
    waiting["metadata"]["annotations"] = {names.TAUGHT_BY: "r/r-digits-1"}
    found = state_of(3, jobs=[waiting], pods=[])

    assert (found.state, found.reason) == (WAITING, "waits for its teacher: run r (Job r-digits-1)")
    assert jobs.describe_job(waiting) == "waits for its teachers, run r (Job r-digits-1)"
    assert (jobs.waits_for(waiting), jobs.waits_for_data(waiting), jobs.waits_for_cells(waiting)) == (
        "r/r-digits-1",
        "",
        "",
    )


def test_the_store_says_what_is_done_whatever_the_cluster_says():
    gone = state_of(3, jobs=[job(completedIndexes="0")], pods=[])

    assert state_of(3, done={CELL}, jobs=[job(failedIndexes="0")], pods=[]).state == DONE
    assert gone.reason == "its pod succeeded, but the store has no result: launch again"


def states_of_group(**view):
    """The states of the cells 3 and 1 of the grid, which one pod trains."""
    found = states.cell_states(dataclasses.replace(view_of(**view), assignments=GROUPED))
    return found[3], found[1]


def test_a_running_pod_of_several_cells_trains_the_one_that_tells_of_it_and_the_others_wait_for_their_turn():
    other = GRID.cells[1].id
    running = {"jobs": [job()], "pods": [pod(0)]}
    said = {"progress": {CELL: progress(CELL), other: progress(other, "an earlier pod")}}
    first, second = states_of_group(**running, **said)

    assert (first.state, first.reason) == (RUNNING, "")
    assert (second.state, second.reason, second.progress) == (WAITING, states.IN_TURN, None)
    assert [c.state for c in states_of_group(**running, done={CELL}, **said)] == [DONE, WAITING]


def test_a_cell_that_has_failed_in_a_running_pod_waits_for_the_next_or_has_failed_for_good():
    other, running = GRID.cells[1].id, {"jobs": [job()], "pods": [pod(0)]}
    failures = {
        CELL: [failure(CELL, "u", "diverged", "cost is nan")],
        other: [failure(other, "u", "transient", "no route")],
    }
    first, second = states_of_group(**running, failures=failures)

    assert (first.state, first.reason) == (FAILED, "cost is nan")
    assert (second.state, second.reason) == (WAITING, "is tried again after: no route")


def test_a_pod_of_several_cells_that_has_succeeded_says_which_cell_can_never_work():
    over = {"jobs": [job(completedIndexes="0")], "pods": []}
    failures = {CELL: [failure(CELL, "u", "diverged", "cost is nan")]}
    first, second = states_of_group(**over, failures=failures, done={GRID.cells[1].id})

    assert (first.state, first.reason, second.state) == (FAILED, "cost is nan", DONE)
    lost = states_of_group(**over)[0]
    assert lost.reason == "its pod succeeded, but the store has no result: launch again"


def test_a_killed_pod_of_several_cells_counts_for_those_that_have_no_result():
    dead = pod(0, phase="Failed", containerStatuses=ended(137, "OOMKilled"))
    first, second = states_of_group(jobs=[job(failedIndexes="0")], pods=[dead], done={GRID.cells[1].id})

    assert (first.state, second.state) == (FAILED, DONE)
    assert "memory limit" in first.reason


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


def test_what_the_cluster_says_beside_the_status_is_the_reason():
    starting = pod(0, phase="Pending")
    no_secret = 'FailedMount: secret "ca" not found'

    def reason(found=None, pods=(), **said):
        return state_of(3, jobs=[found or job()], pods=list(pods), said=Said(**said)).reason

    assert reason(pods=[starting]) == "waits for its containers"
    assert reason(pods=[starting], warnings={"u": no_secret}) == f"waits for {no_secret}"
    assert reason(refused={"j": "FailedCreate: no"}) == "its pod cannot be created: FailedCreate: no"
    assert reason(job(spec={"suspend": True}), queued={"j": "quota"}) == "waits in its queue: quota"


def test_a_cell_whose_job_was_ended_has_that_reason_whatever_an_earlier_attempt_said():
    stopped = job(conditions=[{"type": "Failed", "status": "True", "message": "active longer than its deadline"}])
    stopped["metadata"]["annotations"] = {names.STOPPED: "its Job was ended: no such image"}
    found = state_of(3, jobs=[stopped], pods=[], failures={CELL: [failure(CELL, "a", "transient", "no network")]})

    assert (found.state, found.reason) == (FAILED, "its Job was ended: no such image")
    assert jobs.describe_job(stopped) == "failed: its Job was ended: no such image"


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
