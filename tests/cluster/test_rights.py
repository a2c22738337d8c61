"""What the service accounts may do, tried with their own tokens; and what enforced restricted Pod Security lets in."""

from __future__ import annotations

import copy
import json

import pytest

from experiment.errors import InvalidInput
from k8s import launch
from k8s.cluster.kube import connect_cluster
from k8s.manifests import jobs, namespace, render
from tests.cluster import control_plane
from tests.k8s.factories import AGGREGATOR, IMAGE, settings
from tests.k8s.manifests.test_render import RICH

pytestmark = pytest.mark.cluster
JOBS, PODS = "/apis/batch/v1/namespaces/{ns}/jobs", "/api/v1/namespaces/{ns}/pods"
READS = [("GET", JOBS), ("GET", f"{JOBS}?watch=1&timeoutSeconds=1"), ("GET", PODS), ("GET", f"{PODS}/none")]
LAUNCHES = [("POST", JOBS), ("PATCH", f"{JOBS}/none"), ("DELETE", f"{JOBS}/none"), ("GET", f"{PODS}/none/log"),
            ("GET", "/api/v1/namespaces/{ns}/serviceaccounts/ensemble-trainer")]  # fmt: skip
NEVER = [
    ("GET", "/api/v1/namespaces/{ns}/secrets"), ("GET", "/api/v1/namespaces/{ns}/configmaps"), ("POST", PODS), ("DELETE", f"{PODS}/none"),
    ("POST", f"{PODS}/none/exec"), ("POST", "/api/v1/namespaces/{ns}/serviceaccounts/ensemble-trainer/token"),
    ("PATCH", "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles/ensemble-launcher"), ("GET", "/api/v1/nodes"), ("GET", "/api/v1/namespaces"),
    ("GET", "/apis/batch/v1/namespaces/default/jobs"), ("GET", "/api/v1/namespaces/default/pods"), ("DELETE", "/api/v1/namespaces/{ns}"),
]  # fmt: skip


def as_account(run, monkeypatch, account):
    """The cluster as this account's token opens it."""
    path = f"{run.kube.path('ServiceAccount', account)}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    token = json.loads(run.kube.request("POST", path, {}, body))["status"]["token"]
    url = json.loads((run.home / "admin.kubeconfig").read_text())["clusters"][0]["cluster"]["server"]
    monkeypatch.setenv(
        "KUBECONFIG", str(control_plane.kubeconfig(run.home, f"token-{run.namespace}-{account}", url, token))
    )
    return connect_cluster("", run.namespace)


def allowed(kube, method, path):
    """Whether the server lets the request through to where it finds out that there is no such object."""
    where, _, query = path.format(ns=kube.namespace).partition("?")
    content = "application/merge-patch+json" if method == "PATCH" else "application/json"
    body = {"apiVersion": "v1", "kind": "Nothing", "metadata": {}} if method in ("POST", "PATCH") else None
    kube._sleep = lambda _: None
    try:
        kube.request(method, where, dict(q.split("=") for q in query.split("&") if q), body, content)
    except Exception as error:  # noqa: BLE001 - every answer but "forbidden" is one from behind the door
        return "forbidden" not in str(error).lower()
    return True


@pytest.mark.parametrize(
    ("account", "may", "may_not"),
    [
        ("ensemble-trainer", [], [*READS, *LAUNCHES, *NEVER]),
        ("ensemble-collector", READS, [*LAUNCHES, *NEVER]),
        ("ensemble-launcher", [*READS, *LAUNCHES], NEVER),
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

        assert made.run() == 0


def test_an_account_without_rights_is_told_what_to_ask_for(run, monkeypatch):
    as_account(run, monkeypatch, "ensemble-trainer").__exit__()

    code, said = run.launch()

    assert code == 42
    assert "ask for the role ensemble-launcher" in said


def manifests(run, **values):
    commission = render.Launch(
        store=run.store.url,
        run="lab",
        grid="g",
        git_commit="c0ffee",
        settings=settings(namespace=run.namespace, **values),
    )
    return [
        render.prepare_manifest(commission, "mnist", "lab-prepare-mnist"),
        render.trainer_manifest(commission, "mnist", "lab-mnist-123456", 13),
        render.collect_manifest(commission, "lab-collect-123456"),
    ]


def pod_of(job):
    """The pod that the Job controller would make."""
    template = job["spec"]["template"]
    metadata = {**template["metadata"], "name": "p", "namespace": job["metadata"]["namespace"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


@pytest.mark.parametrize(
    "values", [{}, {"gpus": 0}, {k: v for k, v in RICH.items() if k not in ("priority_class", "runtime_class")}]
)
def test_every_pod_is_accepted_under_enforced_restricted_pod_security(run, values):
    for job in manifests(run, **values):
        run.kube.create(job, dry_run=True)
        run.kube.create(pod_of(job), dry_run=True)


SPOILED = {
    "host network": lambda pod: pod["spec"].update(hostNetwork=True),
    "root": lambda pod: pod["spec"]["securityContext"].update(runAsNonRoot=False),
    "no seccomp": lambda pod: pod["spec"]["securityContext"].pop("seccompProfile"),
    "escalation": lambda pod: pod["spec"]["containers"][0]["securityContext"].update(allowPrivilegeEscalation=True),
    "capabilities": lambda pod: pod["spec"]["containers"][0]["securityContext"].update(capabilities={}),
    "host path": lambda pod: pod["spec"]["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
}


@pytest.mark.parametrize("what", SPOILED)
def test_the_namespace_really_enforces_it(run, what):
    pod = copy.deepcopy(pod_of(manifests(run)[1]))
    SPOILED[what](pod)

    with pytest.raises(InvalidInput, match="violates PodSecurity"):
        run.kube.create(pod, dry_run=True)


def test_a_field_that_the_server_does_not_know_is_refused(run):
    job = manifests(run)[1]
    job["spec"]["podFailurePolicies"] = {}

    with pytest.raises(InvalidInput, match="unknown field"):
        run.kube.create(job, dry_run=True)


def test_every_manifest_of_the_setup_can_be_applied_again(run):
    found = namespace.namespace_manifests(settings(namespace=run.namespace, s3_endpoint="http://10.0.0.1:9000"),
                                namespace.Options(trainer_role="arn:aws:iam::123456789012:role/trainer", groups=("ml",), quota_gpus=9, quota_pods=9))  # fmt: skip
    for manifest in [*found, *found]:
        run.kube.apply(manifest)

    assert run.kube.get("ServiceAccount", "ensemble-trainer")["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/trainer"
    }
    assert run.kube.get("ResourceQuota", "ensemble-quota")["spec"]["hard"] == {
        "requests.nvidia.com/gpu": "9",
        "pods": "9",
    }
    assert run.kube.get("NetworkPolicy", "ensemble-deny")["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_ten_thousand_cells_are_accepted_by_the_server(run):
    commission = render.Launch(
        store=run.store.url, run="lab", grid="g", git_commit="", settings=settings(namespace=run.namespace)
    )

    made = run.kube.create(render.trainer_manifest(commission, "mnist", "lab-mnist-123456", 10_000), dry_run=True)

    assert made["spec"]["completions"] == 10_000


def test_images_by_tag_are_refused_before_the_server_is_asked(run):
    code, said = run.verb(launch.main, "--grid", "smoke", "--store", run.store.url, "--image", IMAGE.split("@", maxsplit=1)[0] + ":v1",
                          "--aggregator-image", AGGREGATOR, "--namespace", run.namespace)  # fmt: skip

    assert (code, "--allow-tag" in said) == (42, True)
