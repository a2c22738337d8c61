"""Why a pod ended follows from its status, also where its process was killed and wrote nothing."""

from __future__ import annotations

import pytest

from k8s.cluster import postmortem
from k8s.manifests import names
from tests.k8s.cluster_objects import ended, pod

NODE_GONE = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}
NO_DATA = {**ended(42, message="error: mnist is not in s3://b/p after 3600 s")[0], "name": names.AWAIT}
NO_STORE = {**ended(75, message="error: s3://b/p: no route")[0], "name": names.AWAIT}


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (
            {"containerStatuses": ended(137, "OOMKilled")},
            "error",
            "killed because it exceeded its memory limit of 12Gi",
        ),
        ({"containerStatuses": ended(137)}, "error", "killed (SIGKILL) before it could write why"),
        ({"containerStatuses": ended(42, message="x\nerror: bad\n")}, "invalid", "exit code 42: error: bad"),
        ({"containerStatuses": ended(143)}, "interrupted", "exit code 143"),
        ({"reason": "DeadlineExceeded", "containerStatuses": ended(143)}, "error", "setting cell_hours"),
        ({"reason": "Evicted", "message": "ephemeral storage"}, "error", "evicted by its node: ephemeral storage"),
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
    ids=["memory", "killed", "invalid", "stopped", "too long", "storage", "no data", "no store", "node lost"],
)
def test_what_ended_a_pod_is_said_in_words(status, kind, said):
    found = postmortem.failure_of_pod(pod(0, **{"phase": "Failed", **status}), "cell")

    assert found.kind == kind
    assert said in found.message


def test_a_pod_that_runs_or_succeeded_has_not_failed():
    assert postmortem.failure_of_pod(pod(0), "cell") is None
    assert postmortem.failure_of_pod(pod(0, phase="Succeeded", containerStatuses=ended(0)), "cell") is None
