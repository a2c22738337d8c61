"""The state of a cell follows from store and cluster, and its reason is said in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from experiment.assignment import Assignment
from experiment.grid import load_grid
from experiment.ledger import Ledger
from experiment.records import Failure, Progress
from experiment.run import Run
from k8s.cluster import jobs, postmortem, states, watch
from k8s.manifests import names
from k8s.status import as_json, as_text, words

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
GRID = load_grid("smoke")
RUN = Run(name="r", grid=GRID)
JOB = "r-digits-123456"
MAP = {JOB: Assignment(run="r", job=JOB, indexes=(3, 1, 0))}


def job(name=JOB, **status):
    spec = {"completions": 3, "parallelism": 3, **status.pop("spec", {})}
    labels = names.labels("r", names.TRAINER)
    return {
        "kind": "Job",
        "metadata": {"name": name, "creationTimestamp": "2026-11-01T11:00:00Z", "labels": labels},
        "spec": spec,
        "status": status,
    }


def pod(position, uid="u", phase="Running", created="2026-11-01T11:00:01Z", **status):
    labels = {**names.labels("r", names.TRAINER), names.JOB: JOB, names.INDEX: str(position)}
    containers = [{"name": "trainer", "resources": {"limits": {"memory": "12Gi"}}}]
    return {"metadata": {"name": f"p{position}{uid}", "uid": uid, "creationTimestamp": created, "labels": labels},
            "spec": {"containers": containers}, "status": {"phase": phase, **status}}  # fmt: skip


def ended(code, reason="Error", message=""):
    how = {"exitCode": code, "reason": reason, "message": message, "finishedAt": "2026-11-01T11:30:00Z"}
    return [{"name": "trainer", "state": {"terminated": how}}]


def failure(cell, attempt, kind, message, time="2026-11-01T11:20:00Z"):
    return Failure(cell=cell, attempt=attempt, kind=kind, exit_code=1, message=message, time=time)


def view_of(done=(), failures=None, progress=None, **view):
    ledger = Ledger(committed=frozenset(done), failures=failures or {}, progress=progress or {})
    return states.View(frozen=RUN, time=NOW, assignments=MAP, ledger=ledger, **view)


def of(index, **view):
    return states.states(view_of(**view))[index]


def test_the_store_says_what_is_done_whatever_the_cluster_says():
    cell = GRID.cells[3].id

    assert of(3, done={cell}, jobs=[job(failedIndexes="0")], pods=[]).state == states.DONE
    assert (
        of(3, jobs=[job(completedIndexes="0")], pods=[]).reason
        == "its pod succeeded, but the store has no result: launch again"
    )


def test_positions_in_a_job_are_not_indexes_of_the_grid():
    found = states.states(view_of(jobs=[job(failedIndexes="1")], pods=[]))

    assert [c.state for c in found] == [states.WAITING, states.FAILED, states.ABSENT, states.WAITING]


def test_a_running_cell_shows_the_word_of_its_own_attempt_only():
    cell = GRID.cells[3].id
    said = Progress(
        cell=cell, attempt="u", epoch=1, epochs=3, step=1, steps=9, images_per_second=50.0, seconds_left=61.0, time=""
    )

    assert words(of(3, jobs=[job()], pods=[pod(0)], progress={cell: said})) == "epoch 1/3, 50 images/s, 1 min 01 s left"
    assert of(3, jobs=[job()], pods=[pod(0, uid="other")], progress={cell: said}).progress is None


def test_a_failed_cell_has_the_reason_that_its_last_attempt_gave():
    cell = GRID.cells[3].id
    told = {
        cell: [
            failure(cell, "a", "transient", "no network"),
            failure(cell, "b", "diverged", "cost is nan", "2026-11-01T11:40:00Z"),
        ]
    }

    found = of(3, jobs=[job(failedIndexes="0")], pods=[], failures=told)

    assert (found.reason, found.failed, found.interrupted) == ("cost is nan", 2, 0)


def test_an_attempt_that_left_a_record_and_a_pod_counts_once():
    cell = GRID.cells[3].id
    disrupted = [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]
    dead = pod(0, uid="a", phase="Failed", conditions=disrupted, containerStatuses=ended(143))

    found = of(
        3,
        jobs=[job()],
        pods=[dead, pod(0, uid="b", created="2026-11-01T11:35:00Z")],
        failures={cell: [failure(cell, "a", "interrupted", "told to stop")]},
    )

    assert (found.state, found.interrupted, found.failed) == (states.RUNNING, 1, 0)


@pytest.mark.parametrize(
    ("dead", "kind", "said"),
    [
        (
            pod(0, phase="Failed", containerStatuses=ended(137, "OOMKilled")),
            "error",
            "killed for want of memory: its limit is 12Gi",
        ),
        (pod(0, phase="Failed", containerStatuses=ended(137)), "error", "killed (SIGKILL)"),
        (
            pod(0, phase="Failed", containerStatuses=ended(42, message="x\nerror: the cell is wrong\n")),
            "invalid",
            "exit code 42: error: the cell is wrong",
        ),
        (pod(0, phase="Failed", containerStatuses=ended(143)), "interrupted", "exit code 143"),
        (
            pod(0, phase="Failed", reason="DeadlineExceeded", containerStatuses=ended(143)),
            "error",
            "setting cell_hours",
        ),
        (
            pod(0, phase="Failed", reason="Evicted", message="ephemeral storage"),
            "error",
            "evicted by its node: ephemeral storage",
        ),
        (
            pod(0, phase="Failed", initContainerStatuses=[{**ended(75)[0], "name": names.AWAIT}]),
            "transient",
            "its data set did not come",
        ),
        (
            pod(0, conditions=[{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}]),
            "interrupted",
            "its node is gone",
        ),
    ],
    ids=["memory", "killed", "invalid", "stopped", "too long", "storage", "no data", "node lost"],
)
def test_what_ended_a_pod_is_said_in_words(dead, kind, said):
    found = postmortem.of_pod(dead, "cell")

    assert found.kind == kind
    assert said in found.message


def test_a_pod_that_runs_or_succeeded_has_not_failed():
    assert postmortem.of_pod(pod(0), "cell") is None
    assert postmortem.of_pod(pod(0, phase="Succeeded", containerStatuses=ended(0)), "cell") is None


@pytest.mark.parametrize(
    ("pods", "spec", "said"),
    [
        ([pod(0, phase="Pending", conditions=[{"type": "PodScheduled", "status": "False", "message": "0/3 nodes: Insufficient nvidia.com/gpu"}])], {}, "waits for a node: 0/3 nodes: Insufficient nvidia.com/gpu"),
        ([pod(0, phase="Pending", containerStatuses=[{"name": "trainer", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}])], {}, "waits for ImagePullBackOff: no such image"),
        ([pod(0, phase="Pending", initContainerStatuses=[{"name": names.AWAIT, "state": {"running": {}}}])], {}, "waits for its data set"),
        ([], {"suspend": True}, "its Job is suspended (by a queue or by hand)"),
        ([], {}, "waits for its turn"),
        ([pod(0, phase="Failed", containerStatuses=ended(75, message="error: no network"))], {}, "to be tried again after: exit code 75: error: no network"),
    ],
    ids=["no node", "no image", "no data", "suspended", "queued", "again"],
)  # fmt: skip
def test_a_waiting_cell_says_what_for(pods, spec, said):
    found = of(3, jobs=[job(spec=spec)], pods=pods)

    assert (found.state, found.reason) == (states.WAITING, said)


def test_a_job_that_ended_early_leaves_its_cells_failed_with_its_reason():
    conditions = [{"type": "Failed", "status": "True", "message": "Job was active longer than specified deadline"}]

    assert (
        of(3, jobs=[job(conditions=conditions)], pods=[]).reason
        == "its Job ended before it: Job was active longer than specified deadline"
    )


def test_without_a_cluster_a_fresh_word_means_running():
    cell = GRID.cells[2].id

    def said(ago):
        time = (NOW - timedelta(seconds=ago)).isoformat()
        return {
            cell: Progress(
                cell=cell,
                attempt="u",
                epoch=1,
                epochs=3,
                step=1,
                steps=9,
                images_per_second=5.0,
                seconds_left=6.0,
                time=time,
            )
        }

    assert of(2, progress=said(10)).state == states.RUNNING
    assert of(2, progress=said(1000)).state == states.ABSENT
    assert of(2, failures={cell: [failure(cell, "a", "invalid", "bad")]}).state == states.FAILED
    assert of(2, failures={cell: [failure(cell, "a", "interrupted", "stop")]}).state == states.ABSENT


def test_status_as_text_and_json_name_every_cell():
    view = view_of(done={GRID.cells[0].id}, jobs=[job(active=2, ready=1)], pods=[])
    cells = states.states(view)

    text, data = "\n".join(as_text(view, cells)), as_json(view, cells)

    assert all(c.id in text and c.id in data for c in GRID.cells)
    assert text.endswith("run r: 1 done, 2 waiting, 1 not launched")
    assert f"trainer Job {JOB}: active, 2 pods, 1 ready" in text


def test_watching_tells_what_happened_between_two_looks():
    cell = GRID.cells[3].id
    before = {3: of(3, jobs=[job()], pods=[pod(0)])}
    after = {
        3: of(
            3, jobs=[job(failedIndexes="0")], pods=[], failures={cell: [failure(cell, "u", "diverged", "cost is nan")]}
        )
    }

    assert watch.news(before, after) == [f"failed: {cell}: cost is nan; failed once"]
    assert watch.news(after, after) == []
    assert watch.whole(list(after.values())) == "0 of 1 cells done, 1 failed"


def test_what_a_job_covers_follows_from_its_status():
    running = job(completedIndexes="0", failedIndexes="1")

    assert jobs.covered([running], MAP) == {0: JOB}
    assert jobs.given_up([running], MAP) == {1: JOB}
    assert jobs.covered([job(conditions=[{"type": "Complete", "status": "True"}])], MAP) == {}
