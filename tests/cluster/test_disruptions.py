"""The four kinds of disruption cost no retry: with retries = 0, a counted failure would end the cell."""

from __future__ import annotations

import contextlib

import pytest

from experiment.errors import InvalidInput, NotFound
from k8s.cluster import jobs
from k8s.cluster.kube import MERGE
from tests.cluster import simulated

pytestmark = pytest.mark.cluster
NODE = "/api/v1/nodes/{}"
CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"


def evict(lab, pod):
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": jobs.name(pod), "namespace": lab.namespace},
    }
    lab.kube.request("POST", f"{lab.kube.path('Pod', jobs.name(pod))}/eviction", {}, body)


def taint(lab, pod):
    taints = [{"key": "tests/lost", "effect": "NoExecute"}]
    lab.kube.request("PATCH", NODE.format(pod["spec"]["nodeName"]), {}, {"spec": {"taints": taints}}, MERGE)


def lose_node(lab, pod):
    lab.kube.request("DELETE", NODE.format(pod["spec"]["nodeName"]))


def preempt(lab, pod):
    """A pod of higher priority wants the whole node."""
    urgent = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": lab.namespace},
        "value": 1000,
    }
    lab.kube.request("POST", CLASSES, {}, urgent)
    room = {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "8"}
    spec = dict(
        pod["spec"], priorityClassName=lab.namespace, nodeSelector={"kubernetes.io/hostname": pod["spec"]["nodeName"]}
    )
    for key in ("nodeName", "priority", "tolerations", "initContainers", "hostname"):
        spec.pop(key, None)
    spec["containers"] = [{**spec["containers"][0], "resources": {"requests": room, "limits": {**room}}}]
    meant = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "urgent", "namespace": lab.namespace},
        "spec": spec,
    }

    def accepted():
        """Admission knows classes from a cache, which a busy server fills later than it answers."""
        try:
            return lab.kube.create(meant) or True
        except InvalidInput as refused:
            if "no PriorityClass" not in str(refused):
                raise
            return False

    lab.until(accepted, "the new priority class")


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
def add_nodes(lab):
    """Makes nodes that only this test's pods use."""
    made = []

    def add(numbers):
        simulated.add_nodes(lab.home, numbers)
        for name in (f"gpu-{number}" for number in numbers):
            made.append(name)
            lab.kube.request(
                "PATCH", NODE.format(name), {}, {"metadata": {"labels": {"tests/only": "disruptions"}}}, MERGE
            )

    yield add
    for name in made:
        with contextlib.suppress(NotFound):
            lab.kube.request("DELETE", NODE.format(name))
    lab.kube.request("DELETE", f"{CLASSES}/{lab.namespace}")


def test_no_disruption_costs_a_retry(lab, add_nodes):
    add_nodes(range(900, 904))
    lab.launch("--retries", "0", "--gpus", "5", "--node-selector", "tests/only=disruptions", cells=4)
    pods = {i: lab.running(i) for i in range(4)}
    assert len({p["spec"]["nodeName"] for p in pods.values()}) == 4

    for pod, disrupt in zip(pods.values(), KINDS.values(), strict=True):
        disrupt(lab, pod)
    seen = {}

    def look():
        seen.update({reason(pod): pod["metadata"]["uid"] for pod in lab.pods() if reason(pod)})
        return set(KINDS) <= set(seen)

    lab.until(look, "every kind of disruption", seconds=120)
    add_nodes(range(910, 914))
    lab.finish_all()

    ended = lab.job()
    assert jobs.condition(ended, "Complete")
    assert (jobs.completed(ended), jobs.failed(ended)) == ({0, 1, 2, 3}, set())
    assert [seen[kind] for kind in KINDS] == [pods[i]["metadata"]["uid"] for i in range(4)]
