"""``k8s.wait`` attaches to a run again: in its own namespace without settings, or to the records of a run without a cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from experiment import keys, outage
from experiment.assignment import Assignment
from k8s import wait
from k8s.cluster import connect, notice, watch
from k8s.manifests import names
from tests.conftest import ROOT
from tests.factories import commit
from tests.k8s.cluster_objects import GRID

JOB = "mine-digits-1"


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    for module, name in ((outage, "FIRST_PAUSE"), (outage, "LONGEST_PAUSE"), (watch, "POLL")):
        monkeypatch.setattr(module, name, 0.02)
    monkeypatch.setattr(connect, "QUIET_SECONDS", 0.0)


def assign(store, namespace, job=JOB):
    placed = Assignment(run="mine", job=job, indexes=(0, 2, 3), namespace=namespace)
    store.put(keys.assignment("mine", job), placed.to_bytes())


def add_job(api, namespace, **status):
    labels = names.run_labels("mine", names.TRAINER)
    spec = {"completions": 3, "parallelism": 3}
    api.add("jobs", {"metadata": {"name": JOB, "labels": labels}, "spec": spec, "status": status}, namespace=namespace)


def test_a_run_is_followed_in_the_namespace_where_it_was_launched_through_an_outage(api, launched, capsys):
    assign(launched, "lab")
    add_job(api, "lab", conditions=[{"type": "Failed", "status": "True", "message": "too long"}])
    api.faults = [None, *[(503, "overloaded")] * 3]

    assert wait.main(["--run", "mine", "--store", launched.url]) == 1

    out, err = capsys.readouterr()
    assert {path for _, path in api.requests} == {
        f"/{group}/namespaces/lab/{kind}" for group, kind in (("apis/batch/v1", "jobs"), ("api/v1", "pods"))
    }
    assert f"failed: {GRID.cells[0].id}: its Job ended first: too long" in out
    assert out.splitlines()[-2] == "1 of 4 cells done, 3 failed"
    assert err.splitlines()[0].startswith("the API server is busy (503 overloaded)")
    assert err.splitlines()[1].startswith("the API server is back after ")


def test_a_namespace_that_is_given_outranks_the_launchers(api, launched, capsys):
    assign(launched, "lab")

    wait.main(["--run", "mine", "--store", launched.url, "--namespace", "other"])

    assert all("/namespaces/other/" in path for _, path in api.requests)
    assert "no Job in the cluster trains it" in capsys.readouterr().out


def test_a_run_in_two_namespaces_is_asked_about(api, launched, capsys):
    assign(launched, "lab")
    assign(launched, "other", "mine-digits-2")

    assert wait.main(["--run", "mine", "--store", launched.url]) == 42
    assert "'lab, other'; allowed: one; give the one to watch as --namespace" in capsys.readouterr().err


def test_a_run_without_a_cluster_is_followed_in_the_store(launched, capsys):
    for cell in GRID.cells:
        commit(launched, cell)
    launched.put(keys.report("mine"), b"<html>")

    assert wait.main(["--run", "mine", "--store", launched.url]) == 0
    assert "4 of 4 cells done" in capsys.readouterr().out


RBAC = (403, 'jobs.batch is forbidden: User "ann" cannot list resource "jobs" in API group "batch"')


def test_a_login_or_right_that_is_missing_when_one_attaches_is_refused_and_later_waited_for(api, launched, capsys):
    assign(launched, "lab")
    for refusal in (RBAC, (401, "Unauthorized")):
        api.faults = [refusal]
        assert wait.main(["--run", "mine", "--store", launched.url]) == 42
    add_job(api, "lab")
    job = api.objects[f"/apis/batch/v1/namespaces/lab/jobs/{JOB}"]
    api.faults = [None, None, RBAC, RBAC]
    answer = api.answer

    def end_then_answer(*asked):
        if not api.faults:  # the rights are given back
            job["status"] = {"conditions": [{"type": "Failed", "status": "True", "message": "too long"}]}
        return answer(*asked)

    api.answer = end_then_answer
    capsys.readouterr()

    assert wait.main(["--run", "mine", "--store", launched.url]) == 1
    began, ended = capsys.readouterr().err.splitlines()
    assert "ask for the role ensemble-launcher" in began
    assert ended.startswith("the store or the cluster is back after ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_the_run_going_and_says_how_to_come_back(api, launched, number):
    assign(launched, "lab")
    add_job(api, "lab")
    command = [sys.executable, "-m", "k8s.wait", "--run", "mine", "--store", launched.url]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=-1, stdout=-1, text=True
    ) as program:
        while len(api.requests) < 2:
            assert program.poll() is None, program.stderr.read()
            time.sleep(0.02)
        program.stdout.readline()
        program.send_signal(number)
        _, err = program.communicate(timeout=30)

    assert program.returncode == 143
    again = f"python -m k8s.wait --run {launched.url}/runs/mine shows it again"
    assert err == f"error: stopped by {number.name}; the run goes on; {again}\n"
    assert api.names("jobs") == [JOB]


def test_who_waits_may_have_the_end_told_and_the_settings_alone_tell_nobody(launched, capsys, monkeypatch):
    for cell in GRID.cells:
        commit(launched, cell)
    launched.put(keys.report("mine"), b"<html>")
    sent = []
    monkeypatch.setattr(notice, "post_notice", lambda url, told: sent.append((url, told["state"])) or "told")
    monkeypatch.setenv("ENSEMBLES_NOTIFY", "http://of-the-collecting-job.example")

    assert wait.main(["--run", "mine", "--store", launched.url]) == 0
    assert wait.main(["--run", "mine", "--store", launched.url, "--notify", "http://a.example/hook"]) == 0

    assert sent == [("http://a.example/hook", "done")]
    assert capsys.readouterr().out.splitlines()[-3:-1] == ["told", "4 of 4 cells done"]
