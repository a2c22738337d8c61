"""The collecting Job on the real control plane: it reports whatever failed, and records what killed pods could not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from experiment import keys, records
from k8s import collect
from k8s.cluster import watch
from k8s.manifests import jobs, names
from tests.cluster.simulated_run import cell, now
from tests.conftest import ROOT

pytestmark = pytest.mark.cluster


def collector(run, report):
    return collect.Collector(
        kube=run.kube,
        store=run.store,
        run=run.launched(),
        report=report,
        refresh=0,
        poll=0.5,
        own=jobs.object_name(run.jobs(names.COLLECT)[-1]),
    )


def test_the_collecting_job_writes_down_what_killed_pods_could_not_and_reports_whatever_failed(run):
    run.launch("--retries", "0", cells=3)
    run.finish(run.running(0), 137, reason="OOMKilled")
    run.fail(run.running(1), 43, "diverged", "cost is nan")
    run.finish(run.running(2))
    run.until_ended()
    made = []

    assert collector(run, lambda: made.append(1) or 0).collect() == 0

    written = [records.parse_record(run.store.read(k), k) for k in run.store.list(keys.FAILURES)]
    assert sorted((f.cell, f.kind) for f in written) == [(cell(0).id, "error"), (cell(1).id, "diverged")]
    assert len(made) == 1


def test_the_report_is_refreshed_as_cells_land_and_finished_when_the_jobs_have_ended(run):
    run.launch(cells=3)
    seen = []

    def report():
        seen.append(len(list(run.store.list("results/"))))
        running = [
            p for p in run.pods() if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"]
        ]
        if running:
            run.finish(running[0])
        return 0

    run.finish(run.running(0))
    assert collector(run, report).collect() == 0

    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (1, 3)


def test_a_younger_collecting_job_takes_over(run):
    run.launch(cells=1)
    older = collector(run, lambda: pytest.fail("it should have left the report to the younger one"))
    run.finish(run.running(0), 0, commits=False)
    run.until_ended()
    run.until(lambda: now() > run.jobs(names.COLLECT)[0]["metadata"]["creationTimestamp"], "another second")
    run.launch(cells=1)

    assert len(run.jobs(names.COLLECT)) == 2
    assert older.collect() == 0


def test_a_finished_run_with_two_failed_cells_gets_its_report_which_names_them(run):
    """The whole way of the collecting Job: its own command, the real aggregator, a page in the store."""
    run.launch("--retries", "0", cells=5)
    run.fail(run.running(1), 43, "diverged", "the cost of M is nan in epoch 2, step 3")
    run.finish(run.running(3), 137, reason="OOMKilled")
    for index in (0, 2, 4):
        run.finish(run.running(index))
    ended = run.until_ended()
    own = jobs.object_name(run.jobs(names.COLLECT)[0])
    command = [
        sys.executable,
        "-m",
        "k8s.collect",
        "--run",
        f"{run.store.url}/runs/lab",
        "--namespace",
        run.namespace,
        "--job",
        own,
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    page = run.store.read(keys.report("lab")).decode()
    assert jobs.failed_indexes(ended) == {1, 3}
    assert cell(1).id in page
    assert cell(3).id in page
    assert "the cost of M is nan in epoch 2, step 3" in page
    assert "killed because it exceeded its memory limit" in page


def test_a_collecting_job_that_ran_out_of_memory_too_often_is_explained_and_the_report_made_by_hand(run, monkeypatch):
    monkeypatch.setattr(watch, "POLL", 0.5)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the report is a program of its own
    run.launch("--retries", "0", cells=1)
    run.finish(run.running(0))
    run.until_ended()
    own = jobs.object_name(run.jobs(names.COLLECT)[0])
    run.kube.patch("Job", own, {"spec": {"backoffLimit": 0}})  # the 20 of a launch take hours of back-off to be used up
    (pod,) = run.until(lambda: run.kube.list("Pod", f"{names.JOB}={own}"), "the collecting pod")
    run.end_container(pod, names.COLLECT, 137, reason="OOMKilled")
    run.until_ended(own)

    code, said = run.verb(lambda _: watch.watch_run(run.kube, run.store, run.launched()))
    assert code == 1
    assert (
        "the collecting Job ended without it: Job has reached the specified backoff limit (its last pod: killed" in said
    )
    assert "memory limit of 2Gi (setting collect_memory)); python -m k8s.collect --run" in said

    assert run.of_run(collect.main)[0] == 0
    assert run.store.exists(keys.report("lab"))
    assert run.verb(lambda _: watch.watch_run(run.kube, run.store, run.launched()))[0] == 0
