"""A pod without a GPU that tries image, identity, network and store, as the one does that comes before every training."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

from k8s.cluster import postmortem, submit
from k8s.cluster.events import read_said
from k8s.cluster.examination import RIGHT, WRONG, Finding
from k8s.cluster.kube import Kube
from k8s.cluster.preparation import describe_preparation
from k8s.manifests import checks, jobs, names, patch, render
from k8s.manifests.names import Manifest
from k8s.manifests.settings import Settings

RUN, DATASET = "doctor", "digits"  # this data set is in the image: to prepare it, nothing is fetched
POLL = 3.0  # seconds between two looks


def run_probe(
    kube: Kube,
    settings: Settings,
    store: str,
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Finding:
    """Runs the pod, removes it, and returns how it ended.

    Args:
        store: the store's URL, which then has the data set.
        seconds: after which it is removed though it has not ended.
    """
    own = patch.read_patch(settings.pod_patch)
    launch = render.Launch(store=store, run=RUN, grid=RUN, git_commit="", settings=settings, pod_patch=own)
    job = f"{RUN}-prepare-{DATASET}-{uuid.uuid4().hex[:6]}"
    manifest = render.prepare_manifest(launch, DATASET, job)
    checks.check_manifests([manifest])
    submit.check_on_server(kube, [manifest], lambda _: None)
    kube.create(manifest)
    try:
        return _follow(kube, job, clock() + seconds, clock, sleep)
    finally:
        kube.delete("Job", job)


def _waits_for(kube: Kube, job: str, found: Manifest, pods: Sequence[Manifest]) -> str:
    return describe_preparation(job, [found], pods, read_said(kube, [found], pods))


def _follow(
    kube: Kube, job: str, deadline: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Finding:
    while True:
        found = kube.get("Job", job)
        pods = kube.list("Pod", names.run_selector(RUN, names.PREPARE))
        if jobs.true_condition(found, "Complete"):
            return Finding(topic="probe", state=RIGHT, seen="a pod used the image, its identity and the store")
        failed = jobs.true_condition(found, "Failed")
        if failed or clock() >= deadline:
            ends = postmortem.failures_of_job(pods, job)
            seen = ends[-1].message if ends else (failed or {}).get("message") or _waits_for(kube, job, found, pods)
            return Finding(topic="probe", state=WRONG, seen=seen, advice="launches would end there, before any GPU")
        sleep(POLL)
