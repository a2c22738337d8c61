"""What a trainer's exit code costs, on the real Job controller: one Job, whose cells all end differently."""

from __future__ import annotations

import pytest

from k8s.cluster import jobs
from k8s.manifests import names
from tests.made import commit

pytestmark = pytest.mark.cluster


def failures(pod):
    """How often a pod's index had failed, in the Job controller's own count."""
    return int(pod["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"])


def test_every_exit_code_costs_what_the_design_says_and_no_bad_cell_stops_the_others(lab):
    """0: done. 42, 43: given up at once. 75, 143 without a disruption, 137 (SIGKILL, OOM), any other: tried again, counted."""
    codes = {
        0: (0, ""),
        1: (42, ""),
        2: (43, ""),
        3: (75, ""),
        4: (143, ""),
        5: (137, "OOMKilled"),
        6: (137, ""),
        7: (1, ""),
    }
    counted = (3, 4, 5, 6, 7)
    lab.launch("--retries", "1", cells=9)
    first = {i: lab.running(i) for i in range(9)}
    for index, (code, reason) in codes.items():
        lab.finish(first[index], code, reason=reason)
    lab.until(lambda: jobs.failed(lab.job()) == {1, 2}, "42 and 43 given up")
    second = {i: lab.running(i, other_than=first[i]["metadata"]["uid"]) for i in counted}

    assert jobs.completed(lab.job()) == {0}
    assert [len(lab.pods(i)) for i in (0, 1, 2, 8)] == [1, 1, 1, 1]
    assert {failures(p) for p in second.values()} == {1}
    for index in (3, 4, 5, 6):  # the second attempt succeeds
        lab.finish(second[index])
    lab.finish(second[7], 1)  # and here fails as often as retries allow
    lab.until(lambda: jobs.failed(lab.job()) == {1, 2, 7}, "the last retry spent")
    assert not jobs.finished(lab.job())
    lab.finish(lab.running(8))

    ended = lab.until_ended()
    assert jobs.completed(ended) == {0, 3, 4, 5, 6, 8}
    assert jobs.condition(ended, "Failed")["reason"] == "FailedIndexes"


def test_a_trainer_pod_whose_data_set_never_comes_gives_its_cell_up_at_once(lab):
    lab.launch("--retries", "3", cells=2)
    pod = lab.running(0)
    ended = {
        "exitCode": 75,
        "reason": "Error",
        "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T01:00:00Z",
    }
    status = {"phase": "Failed", "initContainerStatuses": [{"name": names.AWAIT, "image": "i", "imageID": "", "ready": False,
              "restartCount": 0, "state": {"terminated": ended}}]}  # fmt: skip
    lab.kube.request(
        "PATCH",
        f"{lab.kube.path('Pod', jobs.name(pod))}/status",
        {},
        {"status": status},
        "application/merge-patch+json",
    )

    lab.until(lambda: jobs.failed(lab.job()) == {0}, "the index given up")


def test_suspending_and_resuming_loses_nothing(lab):
    lab.launch(cells=4)
    for index in (0, 2):
        lab.finish(lab.running(index))
    lab.until(lambda: jobs.completed(lab.job()) == {0, 2}, "two cells done")
    name = jobs.name(lab.job())
    before = {p["metadata"]["uid"] for p in lab.pods()}

    lab.kube.patch("Job", name, {"spec": {"suspend": True}})
    lab.until(lambda: not [p for p in lab.pods() if p["status"]["phase"] == "Running"], "no pod")
    assert jobs.completed(lab.job()) == {0, 2}
    lab.kube.patch("Job", name, {"spec": {"suspend": False}})
    lab.finish_all()

    after = [p for p in lab.pods() if p["metadata"]["uid"] not in before]
    assert jobs.condition(lab.job(), "Complete")
    assert {int(jobs.label(p, names.INDEX)) for p in after} == {1, 3}
    assert {failures(p) for p in after} == {0}


def test_where_completed_indexes_and_store_disagree_the_store_wins(lab):
    """Index 0 succeeds without a commit, index 1 commits and fails, index 2 does both right."""
    lab.launch(cells=3)
    lab.finish(lab.running(0), 0, commits=False)
    lab.finish(lab.running(1), 42, commits=True)
    lab.finish(lab.running(2))
    old = lab.until_ended()

    code, said = lab.launch(cells=3)
    new = lab.jobs()[-1]

    assert code == 0
    assert (jobs.completed(old), jobs.failed(old)) == ({0, 2}, {1})
    assert "3 cells, 2 finished, 1 to train" in said
    assert jobs.name(new) != jobs.name(old)
    assert lab.cell_of(lab.running(0, job=jobs.name(new))).seed == 0
    lab.finish_all(jobs.name(new))
    assert "0 to train" in lab.launch(cells=3)[1]


def test_a_relaunch_after_the_finished_job_was_removed_trains_only_what_is_missing(lab):
    lab.launch(cells=4)
    for index, code in {0: 0, 1: 42, 2: 0, 3: 43}.items():
        lab.finish(lab.running(index), code)
    old = jobs.name(lab.until_ended())
    lab.kube.patch("Job", old, {"spec": {"ttlSecondsAfterFinished": 1}})
    lab.until(lambda: not lab.jobs(), "the TTL controller")

    lab.launch(cells=4)

    pods = [lab.running(i) for i in range(2)]
    assert [lab.cell_of(p).seed for p in pods] == [1, 3]
    assert lab.job()["spec"]["completions"] == 2


def test_two_attempts_at_one_cell_commit_it_once(lab):
    """An index may have more than one pod: the second finds the first one's result."""
    lab.launch(cells=1)
    pod = lab.running(0)
    cell = lab.cell_of(pod)

    assert commit(lab.store, cell, "another pod of this index")
    assert not commit(lab.store, cell, pod["metadata"]["uid"])
    lab.finish(pod, commits=False)
    assert jobs.condition(lab.until_ended(), "Complete")
