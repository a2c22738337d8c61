"""Whoever waits for a report that will not come is told why, and how to make it."""

from __future__ import annotations

from k8s.cluster.unreported import explain_missing_report
from k8s.manifests import names
from tests.k8s.cluster_objects import ended, job, pod, view_of

BY_HAND = "python -m k8s.collect --run s3://b/p/runs/r makes it, and so does another launch"


def collecting(name, **status):
    made = job(name, **status)
    made["metadata"]["labels"] = names.run_labels("r", names.COLLECT)
    return made


def collecting_pod(job_name, uid, created, memory="2Gi", **status):
    made = pod(0, uid, "Failed", created, **status)
    made["metadata"]["labels"] = {**names.run_labels("r", names.COLLECT), names.JOB: job_name}
    made["spec"]["containers"] = [{"name": names.COLLECT, "resources": {"limits": {"memory": memory}}}]
    return made


def test_the_last_pod_of_the_latest_collecting_job_is_the_reason():
    failed = [{"type": "Failed", "status": "True", "message": "Job has reached the specified backoff limit"}]
    no_memory = [{**ended(137, "OOMKilled")[0], "name": names.COLLECT}]
    pods = [
        collecting_pod("c", "late", "2026-11-01T12:00:00Z", containerStatuses=no_memory),
        collecting_pod("c", "early", "2026-11-01T11:00:00Z", containerStatuses=ended(1)),
        pod(0, phase="Failed", containerStatuses=ended(43)),
    ]

    said = explain_missing_report(
        view_of(jobs=[job(), collecting("c", conditions=failed)], pods=pods), "s3://b/p/runs/r"
    )

    assert said == (
        "the collecting Job ended without it: Job has reached the specified backoff limit (its last pod: killed because it "
        f"exceeded its memory limit of 2Gi (setting collect_memory)); {BY_HAND}"
    )


def test_without_a_collecting_job_the_command_is_still_named():
    assert explain_missing_report(view_of(jobs=[job()]), "s3://b/p/runs/r") == f"no collecting Job is left; {BY_HAND}"
