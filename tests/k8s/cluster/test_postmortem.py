"""Why a pod ended follows from its status, also where its process was killed and wrote nothing."""

from __future__ import annotations

import pytest

from k8s.cluster import postmortem
from k8s.manifests import names
from tests.k8s.cluster_objects import ended, pod

NODE_GONE = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}
BY_KUBELET = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
# As kubelet 1.35 writes them (pkg/kubelet/eviction).
FULL_TMP = 'Usage of EmptyDir volume "tmp" exceeds the limit "8Gi".'
LOW_DISK = "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 900Mi."
NO_MEMORY = {**ended(137, "OOMKilled")[0], "name": names.AWAIT}
NO_DATA = {**ended(42, message="error: mnist is not in s3://b/p after 3600 s")[0], "name": names.AWAIT}
NO_STORE = {**ended(75, message="error: s3://b/p: no route")[0], "name": names.AWAIT}


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (
            {"containerStatuses": ended(137, "OOMKilled")},
            "error",
            "killed because it exceeded its memory limit of 12Gi (setting memory)",
        ),
        ({"containerStatuses": ended(137)}, "error", "killed (SIGKILL) before it could write why"),
        ({"containerStatuses": ended(42, message="x\nerror: bad\n")}, "invalid", "exit code 42: error: bad"),
        ({"containerStatuses": ended(143)}, "interrupted", "exit code 143"),
        ({"reason": "DeadlineExceeded", "containerStatuses": ended(143)}, "error", "setting cell_hours"),
        ({"reason": "Evicted", "message": FULL_TMP}, "error", f"evicted by its node: {FULL_TMP} (setting scratch)"),
        (
            {"reason": "Evicted", "message": LOW_DISK, "conditions": [BY_KUBELET]},
            "interrupted",
            f"interrupted: its node evicted it: {LOW_DISK}",
        ),
        ({"reason": "Terminated", "conditions": [BY_KUBELET]}, "interrupted", "interrupted: its node shut down"),
        ({"initContainerStatuses": [NO_MEMORY]}, "error", "killed because it exceeded its memory limit of 256Mi"),
        (
            {"initContainerStatuses": [NO_DATA]},
            "invalid",
            "waiting for its data set: exit code 42: error: mnist is not in",
        ),
        (
            {"initContainerStatuses": [NO_STORE]},
            "transient",
            "waiting for its data set: exit code 75: error: s3://b/p: no",
        ),
        ({"phase": "Running", "conditions": [NODE_GONE]}, "interrupted", "its node is gone"),
    ],
    ids=[
        "memory",
        "killed",
        "invalid",
        "stopped",
        "too long",
        "scratch",
        "disk",
        "shutdown",
        "waiting",
        "no data",
        "no store",
        "node lost",
    ],
)
def test_what_ended_a_pod_is_said_in_words(status, kind, said):
    found = postmortem.failure_of_pod(pod(0, **{"phase": "Failed", **status}), "cell")

    assert found.kind == kind
    assert said in found.message


def test_a_pod_that_runs_or_succeeded_has_not_failed():
    assert postmortem.failure_of_pod(pod(0), "cell") is None
    assert postmortem.failure_of_pod(pod(0, phase="Succeeded", containerStatuses=ended(0)), "cell") is None


@pytest.mark.parametrize(
    ("container", "limit", "said"),
    [
        (
            names.TRAINER,
            "12Gi",
            "(setting memory); each try has as much; once its cell has failed for good, python -m k8s.retry --run s3://b/p/runs/r --memory 24Gi gives it more",
        ),
        (names.TRAINER, "1.5G", "--memory 3G gives it more"),
        (names.TRAINER, "12884901888", "--memory 25769803776 gives it more"),
        (names.TRAINER, "unknown", "(setting memory)"),
        (names.PREPARE, "6Gi", "(setting prepare_memory); launch again with --prepare-memory 12Gi"),
        (names.COLLECT, "2Gi", "(setting collect_memory)"),
        (names.AWAIT, "256Mi", "memory limit of 256Mi"),
    ],
)
def test_a_pod_that_ran_out_of_memory_says_how_it_gets_more(container, limit, said):
    dead = pod(0, phase="Failed", containerStatuses=[{**ended(137, "OOMKilled")[0], "name": container}])
    dead["metadata"]["annotations"] = {names.RUN_URL: "s3://b/p/runs/r"}
    dead["spec"]["containers"] = [{"name": container, "resources": {"limits": {"memory": limit}}}]

    assert postmortem.failure_of_pod(dead, "cell").message.endswith(said)


@pytest.mark.parametrize(
    ("status", "unstarted"),
    [
        ({"phase": "Failed", "reason": "Evicted"}, True),
        (
            {
                "phase": "Failed",
                "reason": "Evicted",
                "containerStatuses": [{"name": "trainer", "state": {"waiting": {}}}],
            },
            True,
        ),
        ({"phase": "Failed", "reason": "Evicted", "containerStatuses": ended(137)}, False),
        ({"phase": "Failed"}, False),
        ({"phase": "Pending"}, False),
    ],
)
def test_an_eviction_before_the_start_is_told_from_one_that_a_trainer_counts(status, unstarted):
    assert postmortem.is_evicted_unstarted(pod(0, **status)) == unstarted
