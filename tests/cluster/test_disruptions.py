"""The four kinds of disruption cost no retry: with retries = 0, a counted failure would end the cell."""

from __future__ import annotations

import contextlib

import pytest

from experiment.errors import InvalidInput, NotFound
from k8s.cluster.kube import MERGE
from k8s.manifests import jobs
from tests.cluster import simulated

pytestmark = pytest.mark.cluster
NODE = "/api/v1/nodes/{}"
CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"


def evict(run, pod):
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": jobs.object_name(pod), "namespace": run.namespace},
    }
    run.kube.request("POST", f"{run.kube.path('Pod', jobs.object_name(pod))}/eviction", {}, body)


def taint(run, pod):
    taints = [{"key": "tests/lost", "effect": "NoExecute"}]
    run.kube.request("PATCH", NODE.format(pod["spec"]["nodeName"]), {}, {"spec": {"taints": taints}}, MERGE)


def lose_node(run, pod):
    run.kube.request("DELETE", NODE.format(pod["spec"]["nodeName"]))


def preempt(run, pod):
    """A pod of higher priority wants the whole node."""
    urgent = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": run.namespace},
        "value": 1000,
    }
    run.kube.request("POST", CLASSES, {}, urgent)
    room = {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "8"}
    spec = dict(
        pod["spec"], priorityClassName=run.namespace, nodeSelector={"kubernetes.io/hostname": pod["spec"]["nodeName"]}
    )
    for key in ("nodeName", "priority", "tolerations", "initContainers", "hostname"):
        spec.pop(key, None)
    spec["containers"] = [{**spec["containers"][0], "resources": {"requests": room, "limits": {**room}}}]
    meant = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "urgent", "namespace": run.namespace},
        "spec": spec,
    }

    def accepted():
        """Admission knows classes from a cache, which a busy server fills later than it answers."""
        try:
            return run.kube.create(meant) or True
        except InvalidInput as refused:
            if "no PriorityClass" not in str(refused):
                raise
            return False

    run.until(accepted, "the new priority class")


KINDS = {
    "EvictionByEvictionAPI": evict,
    "DeletionByTaintManager": taint,
    "PreemptionByScheduler": preempt,
    "DeletionByPodGC": lose_node,
}


def reason(pod):
    found = [
        c
        for c in pod.get("status", {}).get("conditions", ())
        if c["type"] == "DisruptionTarget" and c["status"] == "True"
    ]
    return found[0]["reason"] if found else ""


@pytest.fixture
def add_nodes(run):
    """Makes nodes that only this test's pods use."""
    made = []

    def add(numbers):
        simulated.add_nodes(run.home, numbers)
        for name in (f"gpu-{number}" for number in numbers):
            made.append(name)
            run.kube.request(
                "PATCH", NODE.format(name), {}, {"metadata": {"labels": {"tests/only": "disruptions"}}}, MERGE
            )

    yield add
    for name in made:
        with contextlib.suppress(NotFound):
            run.kube.request("DELETE", NODE.format(name))
    run.kube.request("DELETE", f"{CLASSES}/{run.namespace}")


def test_no_disruption_costs_a_retry(run, add_nodes):
    add_nodes(range(900, 904))
    run.launch("--retries", "0", "--gpus", "5", "--node-selector", "tests/only=disruptions", cells=4)
    pods = {i: run.running(i) for i in range(4)}
    assert len({p["spec"]["nodeName"] for p in pods.values()}) == 4

    for pod, disrupt in zip(pods.values(), KINDS.values(), strict=True):
        disrupt(run, pod)
    seen = {}

    def look():
        seen.update({reason(pod): pod["metadata"]["uid"] for pod in run.pods() if reason(pod)})
        return set(KINDS) <= set(seen)

    run.until(look, "every kind of disruption", seconds=120)
    add_nodes(range(910, 914))
    run.finish_all()

    ended = run.job()
    assert jobs.true_condition(ended, "Complete")
    assert (jobs.completed_indexes(ended), jobs.failed_indexes(ended)) == ({0, 1, 2, 3}, set())
    assert [seen[kind] for kind in KINDS] == [pods[i]["metadata"]["uid"] for i in range(4)]
