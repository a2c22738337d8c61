"""Waiting for a run on the real control plane, to its end and its report."""

from __future__ import annotations

import pytest

from experiment import keys
from k8s import collect
from k8s.cluster import watch
from k8s.manifests import jobs, names
from tests.cluster.simulated_run import cell
from tests.cluster.test_rights import as_account

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


def test_trainer_jobs_whose_data_set_cannot_be_prepared_are_removed_and_their_cells_say_why(run, capsys):
    run.launch(cells=1, prepares=True)
    run.end_preparation(42)
    run.kube.delete("Job", jobs.object_name(run.jobs(names.COLLECT)[0]))
    capsys.readouterr()

    assert watch.watch_run(run.kube, run.store, run.launched(), sleep=lambda _: None) == 1
    assert f"failed: {cell(0).id}: digits could not be prepared: exit code 42" in capsys.readouterr().out
    assert not [j for j in run.jobs() if not jobs.has_ended(j)]
    assert run.pods() == []


def test_when_the_data_set_is_prepared_the_collecting_job_starts_the_trainers(run, monkeypatch, capsys):
    run.launch(cells=2, prepares=True)
    run.end_preparation(0)
    with as_account(run, monkeypatch, "ensemble-collector") as kube:
        made = collect.Collector(
            kube=kube, store=run.store, run=run.launched(), report=lambda: 0, sleep=lambda _: run.finish_all()
        )
        capsys.readouterr()
        assert made.collect() == 0

    assert f"started {jobs.object_name(run.job())}: digits is prepared" in capsys.readouterr().out
    assert jobs.completed_indexes(run.job()) == {0, 1}
