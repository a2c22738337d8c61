"""What the service accounts may do, tried with their own tokens."""

from __future__ import annotations

import json

import pytest

from k8s.cluster.connect import connect_cluster
from k8s.manifests import jobs
from tests.cluster import control_plane

pytestmark = pytest.mark.cluster
JOBS, PODS = "/apis/batch/v1/namespaces/{ns}/jobs", "/api/v1/namespaces/{ns}/pods"
EVENTS = "/api/v1/namespaces/{ns}/events"
READS = [
    ("GET", JOBS),
    ("GET", f"{JOBS}?watch=1&timeoutSeconds=1"),
    ("GET", PODS),
    ("GET", f"{PODS}/none"),
    ("GET", EVENTS),
]
SETTLES = [("PATCH", f"{JOBS}/none"), ("DELETE", f"{JOBS}/none")]
TELLS = ("POST", EVENTS)
LAUNCHES = [
    ("POST", JOBS),
    ("GET", f"{PODS}/none/log"),
    ("GET", "/api/v1/namespaces/{ns}/serviceaccounts/ensemble-trainer"),
]
NEVER = [
    ("GET", "/api/v1/namespaces/{ns}/secrets"),
    ("GET", "/api/v1/namespaces/{ns}/configmaps"),
    ("POST", PODS),
    ("DELETE", f"{PODS}/none"),
    ("POST", f"{PODS}/none/exec"),
    ("POST", "/api/v1/namespaces/{ns}/serviceaccounts/ensemble-trainer/token"),
    ("PATCH", "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles/ensemble-launcher"),
    ("GET", f"{EVENTS}/none"),
    ("GET", "/apis/kueue.x-k8s.io/v1beta2/namespaces/{ns}/workloads"),
    ("GET", "/api/v1/nodes"),
    ("GET", "/api/v1/namespaces"),
    ("GET", "/apis/batch/v1/namespaces/default/jobs"),
    ("GET", "/api/v1/namespaces/default/pods"),
    ("DELETE", "/api/v1/namespaces/{ns}"),
]


def as_account(run, monkeypatch, account):
    """The cluster as this account's token opens it."""
    path = f"{run.kube.path('ServiceAccount', account)}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    token = json.loads(run.kube.request("POST", path, {}, body))["status"]["token"]
    url = json.loads((run.home / "admin.kubeconfig").read_text())["clusters"][0]["cluster"]["server"]
    monkeypatch.setenv(
        "KUBECONFIG", str(control_plane.kubeconfig(run.home, f"token-{run.namespace}-{account}", url, token))
    )
    return connect_cluster("", run.namespace, answer_seconds=0, outage_seconds=0)  # "busy" is an answer here


def allowed(kube, method, path):
    """Whether the server lets the request through to where it finds out that there is no such object."""
    where, _, query = path.format(ns=kube.namespace).partition("?")
    content = "application/merge-patch+json" if method == "PATCH" else "application/json"
    body = {"apiVersion": "v1", "kind": "Nothing", "metadata": {}} if method in ("POST", "PATCH") else None
    try:
        kube.request(method, where, dict(q.split("=") for q in query.split("&") if q), body, content)
    except Exception as error:  # noqa: BLE001 - every answer but "forbidden" is one from behind the door
        return "forbidden" not in str(error).lower()
    return True


@pytest.mark.parametrize(
    ("account", "may", "may_not"),
    [
        ("ensemble-trainer", [], [*READS, *SETTLES, TELLS, *LAUNCHES, *NEVER]),
        ("ensemble-collector", [*READS, *SETTLES, TELLS], [*LAUNCHES, *NEVER]),
        ("ensemble-launcher", [*READS, *SETTLES, *LAUNCHES], [TELLS, *NEVER]),
    ],
)
def test_an_account_may_do_what_it_needs_and_nothing_else(run, monkeypatch, account, may, may_not):
    with as_account(run, monkeypatch, account) as kube:
        assert [request for request in may if not allowed(kube, *request)] == []
        assert [request for request in may_not if allowed(kube, *request)] == []


def test_the_launchers_own_rights_are_enough_to_launch_follow_and_cancel(run, monkeypatch):
    from k8s import cancel, status

    as_account(run, monkeypatch, "ensemble-launcher").__exit__()

    assert run.launch(cells=2)[0] == 0
    assert run.launch("--parallelism", "1", cells=2)[0] == 0
    assert run.of_run(status.main)[0] == 0
    assert run.of_run(cancel.main)[0] == 0
    assert run.jobs() == []


def test_the_collectors_own_rights_are_enough_to_collect(run, monkeypatch):
    from k8s import collect
    from k8s.manifests import names

    run.launch(cells=1)
    run.finish(run.running(0), 42)
    run.until_ended()
    with as_account(run, monkeypatch, "ensemble-collector") as kube:
        own = jobs.object_name(run.jobs(names.COLLECT)[0])
        made = collect.Collector(kube=kube, store=run.store, run=run.launched(), report=lambda: 0, own=own)

        assert made.collect() == 0

    (event,) = (e for e in run.kube.glance("Event") if e["reason"] == "RunEnded")
    assert event["involvedObject"]["name"] == own
    assert event["message"].startswith("run lab has ended: 0 of 1 cells done")


def test_an_account_without_rights_is_told_what_to_ask_for(run, monkeypatch):
    as_account(run, monkeypatch, "ensemble-trainer").__exit__()

    code, said = run.launch()

    assert code == 42
    assert "ask for the role ensemble-launcher" in said
