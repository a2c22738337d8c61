"""Cancelling, retrying, cleaning up and reading logs, about a run on the real control plane."""

from __future__ import annotations

import pytest

from experiment import keys
from k8s import cancel, cleanup, logs, retry, status
from k8s.manifests import jobs, names
from tests.cluster.simulated_run import cell

pytestmark = pytest.mark.cluster


def test_cancel_stops_the_training_and_a_launch_goes_on(run):
    run.launch(cells=3)
    run.finish(run.running(0))
    run.until(lambda: jobs.completed_indexes(run.job()) == {0}, "a cell done")

    code, text = run.of_run(cancel.main)
    run.until(lambda: not run.jobs() and not run.pods(), "the Job and its pods gone")
    run.launch(cells=3)

    assert code == 0
    assert "cancelled 1 Jobs" in text
    assert (
        len(run.jobs(names.COLLECT)) == 2
    )  # each launch with new Jobs has its own; the older one leaves the run to it
    assert run.job()["spec"]["completions"] == 2


def test_retry_trains_the_failed_cells_and_no_others(run):
    run.launch(cells=4)
    run.fail(run.running(1), 43, "diverged", "cost is nan")
    run.finish(run.running(2), 42)
    run.until(lambda: jobs.failed_indexes(run.job()) == {1, 2}, "two cells given up")

    unchanged = run.launch(cells=4)[1]
    code, text = run.of_run(
        retry.main,
        "--image",
        run.job()["spec"]["template"]["spec"]["containers"][0]["image"],
        "--aggregator-image",
        "r/a@sha256:" + "b" * 64,
        "--memory",
        "20Gi",
    )
    run.start_prepared()
    first, second = run.jobs()

    assert "1 cells failed for good; python -m k8s.retry --run" in unchanged or "2 cells failed for good" in unchanged
    assert code == 0
    assert [line for line in text.splitlines() if line.startswith("again: ")] == [
        f"again: {cell(i).id}" for i in (1, 2)
    ]
    assert [run.cell_of(run.running(i, job=jobs.object_name(second))).seed for i in range(2)] == [1, 2]
    assert second["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] == "20Gi"
    assert "no cell of run lab has failed" in run.of_run(retry.main)[1]
    run.finish_all(jobs.object_name(second))
    run.finish_all(jobs.object_name(first))
    assert "4 done" in run.of_run(status.main)[1]


def test_cleanup_removes_finished_jobs_and_spent_checkpoints_and_no_result(run):
    run.launch(cells=2)
    for seed in (0, 1):
        run.store.put(keys.checkpoint(cell(seed).id, 5), b"weights")
    run.finish(run.running(0))
    run.finish(run.running(1), 42)
    run.until_ended()

    code, text = run.of_run(cleanup.main)

    assert code == 0
    assert "removed 1 Jobs and 1 objects" in text
    run.until(lambda: not run.jobs() and not run.pods(), "the Job and its pods gone")
    assert len(run.jobs(names.COLLECT)) == 1
    assert list(run.store.list("checkpoints/")) == [keys.checkpoint(cell(1).id, 5)]
    assert run.store.exists(keys.epochs(cell(0)))


def test_logs_come_from_the_store_where_the_pod_cannot_give_them(run):
    run.launch(cells=1)
    run.store.put(keys.log(cell(0).id, "earlier"), b'{"message": "hello"}\n')

    assert 'attempt earlier\n{"message": "hello"}' in run.of_run(logs.main, "--cell", cell(0).id[:12])[1]
    code, text = run.of_run(logs.main, "--cell", "digits-l2")
    assert (code, "did you mean" in text or "see python" in text) == (42, True)
