"""Disruptions cost no retry: with retries = 0, a counted failure would end the cell. Those without progress end all the same."""

from __future__ import annotations

import contextlib

import pytest

from experiment import keys
from experiment.errors import InvalidInput, NotFound
from k8s import status
from k8s.cluster.kube import MERGE
from k8s.manifests import jobs
from tests.cluster import simulated
from tests.cluster.simulated_run import cell, now
from tests.cluster.test_collect import collector
from trainer import stalling

pytestmark = pytest.mark.cluster
NODE = "/api/v1/nodes/{}"
LOW_DISK = "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 900Mi. "
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


def run_out_of_disk(run, pod):
    """Writes what the kubelet writes of a pod that it evicts because its node is short of disk (kubelet 1.35)."""
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet", "message": LOW_DISK}
    end = {"exitCode": 137, "reason": "Error", "startedAt": now(), "finishedAt": now()}
    known = {"name": "trainer", "image": "", "imageID": "", "ready": False, "restartCount": 0}
    written = {
        "phase": "Failed",
        "reason": "Evicted",
        "message": LOW_DISK,
        "conditions": [*pod["status"].get("conditions", ()), condition],
        "containerStatuses": [{**known, "state": {"terminated": end}}],
    }
    run.kube.request("PATCH", f"{run.kube.path('Pod', jobs.object_name(pod))}/status", {}, {"status": written}, MERGE)


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


def test_a_node_short_of_disk_evicts_a_cell_for_nothing_until_it_gets_nowhere_and_then_it_is_given_up_with_the_reason(
    run, monkeypatch
):
    """Such an eviction costs no retry, so that nothing of Kubernetes ends it: the trainer counts, with the code tested here."""
    monkeypatch.setattr(stalling, "MOST_STARTS", 2)
    run.launch("--retries", "0", cells=1)
    last = ""
    for _ in range(stalling.MOST_STARTS):
        pod = run.running(0, other_than=last)
        last = pod["metadata"]["uid"]
        stalling.record_start(run.store, cell(0), last, 0)
        run_out_of_disk(run, pod)
        run.until(lambda: all(p["status"]["phase"] == "Failed" for p in run.pods(0)[:1]), "the end of the evicted pod")
    assert not jobs.has_ended(run.job())
    run.until(lambda: LOW_DISK.strip() in run.of_run(status.main)[1], "the reason in status")

    pod = run.running(0, other_than=last)
    collector(run, lambda: 0).record_failures()  # what a pod that is killed at once cannot leave itself
    with pytest.raises(
        InvalidInput, match=r"2 attempts in a row began at step 0.*its node evicted it: The node was low"
    ) as up:
        stalling.record_start(run.store, cell(0), pod["metadata"]["uid"], 0)
    run.fail(pod, up.value.exit_code, up.value.kind, str(up.value))

    ended = run.until_ended()
    assert jobs.failed_indexes(ended) == {0}
    assert "gets nowhere" in run.of_run(status.main)[1]
    assert run.store.exists(keys.start(cell(0).id))
