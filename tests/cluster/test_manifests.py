"""What the real API server makes of the manifests: enforced restricted Pod Security, strict fields, large Jobs."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from experiment.errors import InvalidInput
from k8s import launch
from k8s.manifests import namespace, render
from tests.cluster.simulated_run import GRID
from tests.k8s.factories import AGGREGATOR, IMAGE, RICH, settings

pytestmark = pytest.mark.cluster


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
    role = "arn:aws:iam::123456789012:role/trainer"
    options = namespace.Options(trainer_role=role, groups=("ml",), quota_gpus=9, quota_pods=9)
    own = settings(namespace=run.namespace, s3_endpoint="http://10.0.0.1:9000")
    found = namespace.namespace_manifests(own, options)
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
    tagged = ("--image", IMAGE.partition("@")[0] + ":v1", "--aggregator-image", AGGREGATOR)
    where = ("--store", run.store.url, "--namespace", run.namespace)
    code, said = run.verb(launch.main, "--grid", "smoke", *where, *tagged)

    assert (code, "--allow-tag" in said) == (42, True)


@pytest.mark.parametrize(
    ("cpu", "memory", "scratch"),
    [("0.7", "1.4Gi", "1.1Gi"), ("0.0001", "1.5", "0.3"), ("1.0", "5000T", "1023.9Ki"), ("2.50", "4096Gi", "1000k")],
)
def test_a_quantity_is_equal_to_what_the_server_makes_of_it(run, cpu, memory, scratch):
    quantities = ("--cpu", cpu, "--scratch", scratch, "--memory")
    code, said = run.launch(*quantities, memory, cells=1)

    assert (code, "created Job" in said) == (0, True), said
    assert "nothing to create" in run.launch(*quantities, memory, cells=1)[1]
    code, said = run.launch(*quantities, "7.3Gi", cells=1)
    assert (code, "is active with other settings" in said) == (42, True)


DOTTED = {
    "trainer_account": "team.trainer",
    "collector_account": "team.collector",
    "pull_secrets": ("ghcr.io",),
    "env_secrets": {"TOKEN": "my.secret/key.file"},
    "env": {"my.setting-1": "x"},
    "queue": "team.gpus",
    "queue_priority": "team.urgent",
    "proxy": "http://proxy.example:3128",
    "no_proxy": ("minio.storage",),
}


def test_names_with_dots_are_taken_by_the_server(run):
    own = settings(namespace=run.namespace, dns=("openshift-dns:5353", "[fd00::/8]:53"), api_ports=(8443,), **DOTTED)
    for manifest in namespace.namespace_manifests(own, namespace.Options()):
        run.kube.apply(manifest)

    for job in manifests(run, **DOTTED):
        run.kube.create(job, dry_run=True)
        run.kube.create(pod_of(job), dry_run=True)


def test_a_grid_of_any_name_can_be_launched(run):
    Path("my grid (2) é.toml").write_text(GRID.format(seeds=[0]))
    where = ("--store", run.store.url, "--run", "dotted", "--namespace", run.namespace)
    images = ("--image", IMAGE, "--aggregator-image", AGGREGATOR)

    code, said = run.verb(launch.main, "--grid", "my grid (2) é.toml", *where, *images, "--dry-run", "server")

    assert (code, "the server accepts 3 Jobs" in said) == (0, True), said
