"""Verbs that only read answer from what they can reach, and say in one line what they could not ask or read."""

from __future__ import annotations

import json
import os

import pytest

from experiment import keys, records
from experiment.assignment import Assignment
from experiment.records import utc_now
from k8s import cancel, logs, status
from k8s.cluster import connect
from k8s.manifests import names
from tests.k8s.cluster_objects import GRID, progress

RUN = "runs/mine"
FORBIDDEN = 'jobs.batch is forbidden: User "ann" cannot list resource "jobs" in API group "batch"'
ANONYMOUS = 'jobs.batch is forbidden: User "system:anonymous" cannot list resource "jobs"'
PLUGIN = '{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: "/bin/false", interactiveMode: Never}}'


@pytest.fixture
def stored_log(launched):
    """The first cell's log of an attempt whose pod is gone."""
    launched.put(keys.log(GRID.cells[0].id, "earlier"), b"trained for a while\n")
    return launched


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A server that is away or silent is given up at once."""
    monkeypatch.setenv("ENSEMBLES_ANSWER_SECONDS", "0")
    monkeypatch.setattr(connect, "QUICK_TIMEOUT", (0.2, 0.2))


def gone(api):
    api.stop()


def silent(api):
    api.silent = True


def refusing(status_code, message):
    return lambda api: setattr(api, "refusal", (status_code, message))


UNREACHABLE = {
    "gone": (gone, "does not answer"),
    "silent": (silent, "does not answer"),
    "no rights": (refusing(403, FORBIDDEN), "ask for the role ensemble-launcher"),
    "not logged in": (refusing(401, "Unauthorized"), "log in again"),
    "anonymous": (refusing(403, ANONYMOUS), "log in again"),
    "busy": (refusing(503, "overloaded"), "busy"),
    "no such namespace": (refusing(404, "not found"), "k8s.setup makes the namespace"),
    "another server": (refusing(200, "welcome"), "which is not an API server's answer"),
}


@pytest.mark.parametrize("what", UNREACHABLE)
def test_without_an_answer_of_the_cluster_status_and_logs_give_the_stores(api, stored_log, capsys, what):
    make, said = UNREACHABLE[what]
    make(api)
    try:
        assert status.main(["--run", f"{stored_log.url}/{RUN}"]) == 0
        out, err = capsys.readouterr()
        assert "run mine: 1 done, 3 missing" in out
        assert (err.count("\n"), said in err, err.startswith("warning: the cluster ")) == (1, True, True), err

        assert logs.main(["--run", f"{stored_log.url}/{RUN}", "--cell", "0"]) == 0
        out, err = capsys.readouterr()
        assert "trained for a while" in out
        assert (err.count("\n"), said in err) == (1, True), err
    finally:
        api.silent = False


def test_a_plugin_without_credentials_is_named_by_every_verb(api, stored_log, capfd, tmp_path):
    api.write_kubeconfig(tmp_path / "kubeconfig", user=PLUGIN)

    assert cancel.main(["--run", f"{stored_log.url}/{RUN}"]) == 42
    out, err = capfd.readouterr()
    assert err.startswith("error: the kubeconfig's user gets no credentials (exec: process returned 1)")
    assert ("role" in err, err.count("\n"), api.requests) == (False, 1, [])
    assert status.main(["--run", f"{stored_log.url}/{RUN}"]) == 0
    out, err = capfd.readouterr()
    assert "1 done, 3 missing" in out
    assert ("gets no credentials" in err, err.count("\n")) == (True, 1)


def test_where_only_pods_are_refused_jobs_are_shown_and_fresh_progress_means_running(
    api, launched, capsys, monkeypatch
):
    job = "mine-digits-1"
    labels = names.run_labels("mine", names.TRAINER)
    api.add("jobs", {"metadata": {"name": job, "labels": labels}, "spec": {}, "status": {}})
    launched.put(keys.assignment("mine", job), Assignment(run="mine", job=job, indexes=(0, 2)).to_bytes())
    record = progress(GRID.cells[2].id, time=utc_now())
    launched.put(keys.progress(record.cell), records.to_bytes(record))
    answer = api.answer
    monkeypatch.setattr(
        api, "answer", lambda *a: (403, {"message": "pods is forbidden"}) if a[1].endswith("/pods") else answer(*a)
    )

    assert status.main(["--run", f"{launched.url}/{RUN}"]) == 0
    out, err = capsys.readouterr()
    assert "run mine: 1 done, 1 running, 1 waiting, 1 missing" in out
    assert err.startswith("warning: the cluster did not list the pods: ")


def test_a_damaged_list_of_cells_and_an_unreadable_log_are_named_and_the_rest_is_shown(stored_log, capsys):
    stored_log.put(keys.assignment("mine", "mine-digits-1"), b"{")
    unreadable = stored_log.local_path(keys.log(GRID.cells[0].id, "later"))
    unreadable.symlink_to("/proc/self/mem")

    assert status.main(["--run", f"{stored_log.url}/{RUN}"]) == 0
    out, err = capsys.readouterr()
    assert "1 done, 3 missing" in out
    assert "runs/mine/jobs/mine-digits-1.json is not a Job's list of cells" in err
    assert logs.main(["--run", f"{stored_log.url}/{RUN}", "--cell", "0"]) == 0
    out, err = capsys.readouterr()
    assert "trained for a while" in out
    assert os.path.basename(unreadable) in err  # noqa: PTH119


def test_what_could_not_be_asked_or_read_is_in_the_json_too(stored_log, capsys):
    stored_log.put(keys.failure(GRID.cells[0].id, "torn"), b"{")

    assert status.main(["--run", f"{stored_log.url}/{RUN}", "--json"]) == 0

    asked, torn = json.loads(capsys.readouterr().out)["warnings"]
    assert asked.startswith("the cluster was not asked, so this is what the store holds: ")
    assert "torn.json" in torn
