"""The probe's pod is created, followed to its end, and removed, however it ends."""

from __future__ import annotations

import pytest

from k8s.cluster.connect import connect_cluster
from k8s.cluster.examination import RIGHT, WRONG
from k8s.cluster.probe import run_probe
from k8s.manifests import names
from tests.k8s.cluster_objects import ended
from tests.k8s.factories import settings

DENIED = [{**ended(75, message="error: s3://b/p refuses: AccessDenied")[0], "name": names.PREPARE}]
PULL = {"reason": "ImagePullBackOff", "message": "no such image"}
WAITING = [{"name": names.PREPARE, "state": {"waiting": PULL}}]


def pod_of(job, phase, statuses):
    labels = {**names.run_labels("doctor", names.PREPARE), names.JOB: job}
    metadata = {"name": "p", "uid": "u", "creationTimestamp": "2026-11-01T11:00:01Z", "labels": labels}
    return {
        "metadata": metadata,
        "spec": {"containers": []},
        "status": {"phase": phase, "containerStatuses": statuses},
    }


@pytest.mark.parametrize(
    ("condition", "pod", "state", "words"),
    [
        ("Complete", ("Succeeded", []), RIGHT, "a pod used the image"),
        ("Failed", ("Failed", DENIED), WRONG, "exit code 75: error: s3://b/p refuses: AccessDenied"),
        ("Failed", None, WRONG, "no more tries"),
        ("", ("Pending", WAITING), WRONG, "waits for ImagePullBackOff: no such image"),
        ("", None, WRONG, "has no pod yet"),
    ],
)
def test_how_it_ended_is_said_and_nothing_is_left(api, condition, pod, state, words):
    now = [0.0]

    def play(seconds):
        now[0] += seconds
        (job,) = api.names("jobs")
        if condition:
            ending = {"type": condition, "status": "True", "message": "no more tries"}
            (path,) = [p for p in api.objects if p.endswith(job)]
            api.objects[path]["status"] = {"conditions": [ending]}
        if pod:
            api.add("pods", pod_of(job, *pod), "/api/v1")

    with connect_cluster("", "ensembles") as kube:
        found = run_probe(kube, settings(), "s3://b/p", 9.0, clock=lambda: now[0], sleep=play)

    assert (found.topic, found.state) == ("probe", state)
    assert words in found.seen
    assert api.names("jobs") == []
