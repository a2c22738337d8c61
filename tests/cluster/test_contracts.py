"""What a trainer's exit code costs, on the real Job controller: one Job, whose cells all end differently."""

from __future__ import annotations

import pytest

from k8s.manifests import jobs, names
from tests.factories import commit

pytestmark = pytest.mark.cluster


def failures(pod):
    """How often a pod's index had failed, in the Job controller's own count."""
    return int(pod["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"])


def test_every_exit_code_costs_what_the_design_says_and_no_bad_cell_stops_the_others(run):
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
    run.launch("--retries", "1", cells=9)
    first = {i: run.running(i) for i in range(9)}
    for index, (code, reason) in codes.items():
        run.finish(first[index], code, reason=reason)
    run.until(lambda: jobs.failed_indexes(run.job()) == {1, 2}, "42 and 43 given up")
    second = {i: run.running(i, other_than=first[i]["metadata"]["uid"]) for i in counted}

    assert jobs.completed_indexes(run.job()) == {0}
    assert [len(run.pods(i)) for i in (0, 1, 2, 8)] == [1, 1, 1, 1]
    assert {failures(p) for p in second.values()} == {1}
    for index in (3, 4, 5, 6):  # the second attempt succeeds
        run.finish(second[index])
    run.finish(second[7], 1)  # and here fails as often as retries allow
    run.until(lambda: jobs.failed_indexes(run.job()) == {1, 2, 7}, "the last retry spent")
    assert not jobs.has_ended(run.job())
    run.finish(run.running(8))

    ended = run.until_ended()
    assert jobs.completed_indexes(ended) == {0, 3, 4, 5, 6, 8}
    assert jobs.true_condition(ended, "Failed")["reason"] == "FailedIndexes"


def test_a_trainer_pod_whose_data_set_never_comes_gives_its_cell_up_at_once(run):
    run.launch("--retries", "3", cells=2)
    pod = run.running(0)
    run.end_container(pod, names.AWAIT, 42, of="initContainer")

    run.until(lambda: jobs.failed_indexes(run.job()) == {0}, "the index given up")


def test_a_store_that_was_away_while_a_pod_waited_for_its_data_set_costs_a_try_and_not_the_cell(run):
    run.launch("--retries", "3", cells=2)
    pod = run.running(0)
    run.end_container(pod, names.AWAIT, 75, of="initContainer")
    run.running(0, other_than=pod["metadata"]["uid"])

    assert jobs.failed_indexes(run.job()) == set()


def test_suspending_and_resuming_loses_nothing(run):
    run.launch(cells=4)
    for index in (0, 2):
        run.finish(run.running(index))
    run.until(lambda: jobs.completed_indexes(run.job()) == {0, 2}, "two cells done")
    name = jobs.object_name(run.job())
    before = {p["metadata"]["uid"] for p in run.pods()}

    run.kube.patch("Job", name, {"spec": {"suspend": True}})
    run.until(lambda: not [p for p in run.pods() if p["status"]["phase"] == "Running"], "no pod")
    assert jobs.completed_indexes(run.job()) == {0, 2}
    run.kube.patch("Job", name, {"spec": {"suspend": False}})
    run.finish_all()

    after = [p for p in run.pods() if p["metadata"]["uid"] not in before]
    assert jobs.true_condition(run.job(), "Complete")
    assert {int(jobs.label_of(p, names.INDEX)) for p in after} == {1, 3}
    assert {failures(p) for p in after} == {0}


def test_where_completed_indexes_and_store_disagree_the_store_wins(run):
    """Index 0 succeeds without a commit, index 1 commits and fails, index 2 does both right."""
    run.launch(cells=3)
    run.finish(run.running(0), 0, commits=False)
    run.finish(run.running(1), 42, commits=True)
    run.finish(run.running(2))
    old = run.until_ended()

    code, said = run.launch(cells=3)
    new = run.jobs()[-1]

    assert code == 0
    assert (jobs.completed_indexes(old), jobs.failed_indexes(old)) == ({0, 2}, {1})
    assert "3 cells, 2 done, 1 to train" in said
    assert jobs.object_name(new) != jobs.object_name(old)
    assert run.cell_of(run.running(0, job=jobs.object_name(new))).seed == 0
    run.finish_all(jobs.object_name(new))
    assert "0 to train" in run.launch(cells=3)[1]


def test_a_relaunch_after_the_finished_job_was_removed_trains_only_what_is_missing(run):
    run.launch(cells=4)
    for index, code in {0: 0, 1: 42, 2: 0, 3: 43}.items():
        run.finish(run.running(index), code)
    old = jobs.object_name(run.until_ended())
    run.kube.patch("Job", old, {"spec": {"ttlSecondsAfterFinished": 1}})
    run.until(lambda: not run.jobs(), "the TTL controller")

    run.launch(cells=4)

    pods = [run.running(i) for i in range(2)]
    assert [run.cell_of(p).seed for p in pods] == [1, 3]
    assert run.job()["spec"]["completions"] == 2


def test_two_attempts_at_one_cell_commit_it_once(run):
    """An index may have more than one pod: the second finds the first one's result."""
    run.launch(cells=1)
    pod = run.running(0)
    cell = run.cell_of(pod)

    assert commit(run.store, cell, "another pod of this index")
    assert not commit(run.store, cell, pod["metadata"]["uid"])
    run.finish(pod, commits=False)
    assert jobs.true_condition(run.until_ended(), "Complete")
