"""An API server that is away, busy, forgetful or does not know its user any more costs waiting, and nothing is done twice."""

from __future__ import annotations

import json
import threading
import time

import pytest

from experiment import outage
from experiment.errors import InvalidInput, Misconfigured, NotFound, Transient
from experiment.outage import Outlasted
from k8s.cluster import connect
from k8s.cluster.connect import connect_cluster
from k8s.cluster.refusals import AlreadyExists, LoggedOut
from tests.k8s.api_server import ApiServer

JOB = {"kind": "Job", "metadata": {"name": "j"}, "spec": {}}
RBAC = (403, 'jobs.batch is forbidden: User "ann" cannot list resource "jobs" in API group "batch"')
TROUBLES = {
    "busy": (503, "overloaded"),
    "too many requests": (429, "Too many requests"),
    "etcd is away": (500, "etcdserver: request timed out"),
    "a gateway": (504, "gateway timeout"),
    "forgotten": (410, "The provided continue parameter is too old"),
    "reset": "reset",
    "lost": "lost",
}


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Pauses are short, and every outage is worth a line."""
    monkeypatch.setattr(outage, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(outage, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(connect, "QUIET_SECONDS", 0.0)


@pytest.fixture
def server(monkeypatch, tmp_path):
    """An API server with one Job, and a kubeconfig for it."""
    made = ApiServer()
    made.add("jobs", {"metadata": {"name": "old"}})
    monkeypatch.setenv("KUBECONFIG", str(made.write_kubeconfig(tmp_path / "kubeconfig")))
    yield made
    made.stop()


def open_kube(**waits):
    return connect_cluster("", "ensembles", **{"answer_seconds": 5.0, "outage_seconds": 20.0, **waits})


@pytest.mark.parametrize("what", TROUBLES)
def test_trouble_is_waited_out_and_said_once(server, what, capsys):
    with open_kube() as kube:
        kube.get("Job", "old")
        server.faults = [TROUBLES[what]] * 4

        assert kube.get("Job", "old")["metadata"]["name"] == "old"

    assert server.faults == []
    began, ended = capsys.readouterr().err.splitlines()
    assert began.startswith("the API server ")
    assert began.endswith("; trying again for up to 20 s")
    assert ended.startswith("the API server is back after ")


def test_a_short_gap_is_not_worth_a_line(server, monkeypatch, capsys):
    monkeypatch.setattr(connect, "QUIET_SECONDS", 4.0)
    server.faults = ["reset", (503, "overloaded")]
    with open_kube() as kube:
        assert kube.get("Job", "old")

    assert capsys.readouterr().err == ""


def test_a_server_that_asks_for_time_gets_it(server):
    server.faults = [(429, "later", {"Retry-After": "1"})]
    began = time.monotonic()
    with open_kube() as kube:
        kube.get("Job", "old")

    assert 1.0 <= time.monotonic() - began < 4.0


def test_a_list_whose_place_was_forgotten_is_read_anew_and_whole(server):
    server.page = 2
    for number in range(4):
        server.add("jobs", {"metadata": {"name": f"j{number}"}})
    server.faults = [None, None, (410, "The provided continue parameter is too old"), None, "reset"]
    with open_kube() as kube:
        found = [j["metadata"]["name"] for j in kube.list("Job", "")]

    assert found == ["old", "j0", "j1", "j2", "j3"]
    assert len(server.requests) == 3 + 2 + 3


@pytest.mark.parametrize("trouble", ["lost", "reset", (500, "etcdserver: request timed out")])
def test_what_was_created_though_its_answer_was_lost_is_not_created_twice(server, trouble):
    server.faults = [trouble]
    with open_kube() as kube:
        assert kube.create(JOB)["metadata"]["name"] == "j"
        with pytest.raises(AlreadyExists):
            kube.create(JOB)

    assert server.names("jobs") == ["old", "j"]


def test_a_deletion_whose_answer_was_lost_is_no_error(server):
    server.faults = ["lost"]
    with open_kube() as kube:
        kube.delete("Job", "old")

    assert server.names("jobs") == []


def test_what_is_refused_before_the_first_answer_is_raised_at_once(server):
    for refusal, kind in ((RBAC, Misconfigured), ((401, "Unauthorized"), LoggedOut), ((400, "bad"), InvalidInput)):
        server.faults = [refusal]
        with open_kube() as kube, pytest.raises(kind) as caught:
            kube.get("Job", "old")
        assert (server.faults, caught.value.exit_code) == ([], 42)


def test_a_right_that_is_missing_is_raised_at_once_at_any_time_but_in_an_outage(server):
    with open_kube() as kube:
        kube.get("Job", "old")
        server.faults = [RBAC]
        with pytest.raises(Misconfigured, match="ask for the role"):
            kube.list("Job", "")
        server.faults = [(503, "starting"), RBAC, (401, "Unauthorized"), None]

        assert kube.list("Job", "")


def test_an_absent_object_is_no_outage(server):
    with open_kube() as kube:
        kube.get("Job", "old")
        with pytest.raises(NotFound):
            kube.get("Job", "absent")


def test_after_the_longest_outage_it_is_an_error_that_may_pass(server):
    with open_kube(outage_seconds=0.3) as kube:
        kube.get("Job", "old")
        server.refusal = (503, "overloaded")
        with pytest.raises(
            Outlasted, match=r"busy \(503 overloaded\); give it some minutes \(waited 0.3 s\)"
        ) as caught:
            kube.get("Job", "old")

    assert caught.value.exit_code == 75


def test_a_server_that_has_never_answered_is_waited_for_for_a_shorter_time(server):
    server.refusal = (503, "starting")
    with open_kube(answer_seconds=0.3, outage_seconds=600.0) as kube, pytest.raises(Transient, match=r"waited 0\.3 s"):
        kube.get("Job", "old")


def test_an_expired_login_is_waited_for_and_the_renewed_one_is_taken_from_the_file(server, tmp_path, capsys):
    server.tokens = {"t"}
    with open_kube() as kube:
        kube.get("Job", "old")
        server.tokens = {"new"}
        renewal = threading.Timer(0.4, server.write_kubeconfig, [tmp_path / "kubeconfig", "{token: new}"])
        renewal.start()
        assert kube.get("Job", "old")
        renewal.join()

    assert "got no valid credentials (Unauthorized); log in again" in capsys.readouterr().err


PLUGIN = """#!/bin/sh
echo called >> {home}/calls
[ -e {home}/token ] || {{ echo "the SSO session has expired" >&2; exit 1; }}
printf '{{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": '
printf '{{"token": "%s", "expirationTimestamp": "%s"}}}}' $(cat {home}/token)
"""


@pytest.mark.parametrize("expiry", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"], ids=["known", "revoked"])
def test_a_plugin_whose_session_has_expired_is_asked_again_until_somebody_logs_in(server, tmp_path, capfd, expiry):
    plugin, token = tmp_path / "plugin", tmp_path / "token"
    plugin.write_text(PLUGIN.format(home=tmp_path))
    plugin.chmod(0o755)
    user = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": str(plugin)}
    server.write_kubeconfig(tmp_path / "kubeconfig", user=json.dumps({"exec": user}))
    server.tokens = {"one"}
    token.write_text(f"one {expiry}")
    with open_kube() as kube:
        kube.get("Job", "old")
        token.unlink()
        server.tokens = {"two"}
        renewal = threading.Timer(0.5, token.write_text, ["two 2099-01-01T00:00:00Z"])
        renewal.start()
        assert kube.get("Job", "old")
        renewal.join()

    began, ended = capfd.readouterr().err.splitlines()
    assert "the SSO session has expired" in began
    assert "log in again" in began
    assert ended.startswith("the API server is back after ")


def test_a_watch_that_was_forgotten_or_broke_is_told_apart_from_its_end(server):
    lost = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}}
    server.objects["/api/v1/namespaces/ensembles/pods"] = lost  # one line of a stream
    with open_kube() as kube, pytest.raises(Transient, match="too old resource version"):
        list(kube.watch({}))
