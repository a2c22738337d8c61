"""Waiting for a run on the real control plane, to its end and its report."""

from __future__ import annotations

import pytest

from experiment import keys
from k8s.cluster import watch
from k8s.manifests import jobs, names
from tests.cluster.simulated_run import cell

pytestmark = pytest.mark.cluster


def test_waiting_shows_the_run_and_ends_with_the_report(run, capsys):
    run.launch(cells=2)
    run.finish(run.running(0))
    run.fail(run.running(1), 43, "diverged", "cost is nan in epoch 1")
    run.until_ended()
    run.store.put(keys.report("lab"), b"<html>")
    run.kube.delete("Job", jobs.object_name(run.jobs(names.COLLECT)[0]))
    run.until(lambda: not run.jobs(names.COLLECT), "the collecting Job gone")
    capsys.readouterr()

    code = watch.watch_run(run.kube, run.store, run.launched())
    said = capsys.readouterr().out

    assert code == 1
    assert f"failed: {cell(1).id}: cost is nan in epoch 1" in said
    assert "1 of 2 cells done, 1 failed" in said
    assert said.splitlines()[-1] == f"report: {run.store.url}/reports/lab/index.html"


def test_trainer_jobs_whose_data_set_cannot_be_prepared_are_cancelled_while_somebody_watches(run):
    run.store.delete("datasets/digits.json")
    run.launch(cells=1)
    (prepare,) = run.jobs(names.PREPARE)
    pod = run.until(
        lambda: [
            p
            for p in run.kube.list("Pod", names.run_selector("lab", names.PREPARE))
            if p["status"]["phase"] == "Running"
        ],
        "its pod",
    )[0]
    run.end_container(pod, "prepare", 42)
    run.until(
        lambda: jobs.true_condition(run.kube.get("Job", jobs.object_name(prepare)), "Failed"), "the preparation failed"
    )
    run.kube.delete("Job", jobs.object_name(run.jobs(names.COLLECT)[0]))

    assert watch.watch_run(run.kube, run.store, run.launched(), sleep=lambda _: None) == 1
    assert not [j for j in run.jobs() if not jobs.has_ended(j)]
