"""A simulated cluster: the API that a launch speaks to, and a Job controller that counts failures as the manifests say."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from experiment.errors import NotFound
from k8s.cluster.refusals import AlreadyExists
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest
from tests.simulation.kernel import Process

if TYPE_CHECKING:
    from tests.simulation.pods import Pod

START_SECONDS = 4.0  # until a pod runs
FIRST_BACK_OFF, LONGEST_BACK_OFF = 10.0, 360.0  # of the Job controller


def timestamp(now: float) -> str:
    """A simulated time as the API server writes it."""
    return (
        (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=now)).isoformat(timespec="seconds").replace("+00:00", "Z")
    )


def as_it_is(job: Manifest) -> Manifest:
    """The Job as it is now: its status will change."""
    return {**job, "status": dict(job["status"])}


class SimulatedKube:
    """What ``k8s.cluster.kube.Kube`` offers, for one process. Requests take time and meet faults, as the store's do."""

    namespace = "simulated"

    def __init__(self, cluster: Cluster, process: Process, travel: Callable[..., Any]) -> None:
        self._cluster, self._process, self._travel = cluster, process, travel

    def _do(self, operation: str, name: str, effect: Callable[[], Any]) -> Any:
        return self._travel(self._process, operation, name, effect)

    def get(self, kind: str, name: str) -> Manifest:
        return self._do("get", f"{kind}/{name}", lambda: self._cluster.get(kind, name))

    def list(self, kind: str, selector: str) -> list[Manifest]:
        return self._do("list", kind, lambda: self._cluster.list(kind, selector))

    def glance(self, kind: str, fields: str = "") -> tuple[Manifest, ...]:
        return ()  # no Events, so that no answer to them can decide anything

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        name = jobs.object_name(manifest)
        return self._do("check" if dry_run else "create", name, lambda: self._create(manifest, dry_run))

    def _create(self, manifest: Manifest, dry_run: bool) -> Manifest:
        if manifest["kind"] == "Event":  # nobody's decisions depend on it
            return manifest
        found = self._cluster.create(manifest, dry_run=dry_run)
        if not dry_run:
            self._cluster.planned[jobs.object_name(manifest)] = self._process.born
        return found

    def delete(self, kind: str, name: str) -> bool:
        return self._do("delete", name, lambda: self._cluster.delete(name))

    def patch(self, kind: str, name: str, change: Manifest) -> Manifest:
        return self._do("patch", name, lambda: self._cluster.patch(name, change))


class Cluster:
    """Jobs and their pods.

    Args:
        start: starts a pod: called with the Job, the completion index and a function to call with the ended pod.
    """

    def __init__(self, now: Callable[[], float], call_at: Callable[..., None], start: Callable[..., Pod]) -> None:
        self._now, self._call_at, self._start = now, call_at, start
        self.jobs: dict[str, Manifest] = {}
        self.pods: list[Pod] = []
        self._active: dict[tuple[str, int], Pod | None] = {}
        self.counted: dict[tuple[str, int], int] = {}
        self.planned: dict[str, float] = {}  # by Job, when its launcher began

    def get(self, kind: str, name: str) -> Manifest:
        if kind == "Job" and name not in self.jobs:
            raise NotFound(f"no Job {name}")
        return as_it_is(self.jobs[name]) if kind == "Job" else {}

    def patch(self, name: str, change: Manifest) -> Manifest:
        was = self.jobs[name]
        job = self.jobs[name] = {**was, "spec": {**was["spec"], **change.get("spec", {})}}
        for part, values in change.get("metadata", {}).items():
            merged = {**was["metadata"].get(part, {}), **values}
            kept = {k: v for k, v in merged.items() if v is not None}
            job["metadata"] = {**job["metadata"], part: kept}
        self._start_pods(name)
        return job

    def delete(self, name: str) -> bool:
        return self.jobs.pop(name, None) is not None

    def list(self, kind: str, selector: str) -> list[Manifest]:
        wanted = dict(part.split("=") for part in selector.split(","))
        found = map(as_it_is, self.jobs.values()) if kind == "Job" else [p.manifest() for p in self.pods]
        return [m for m in found if all(jobs.label_of(m, k) == v for k, v in wanted.items())]

    def create(self, manifest: Manifest, *, dry_run: bool) -> Manifest:
        name = jobs.object_name(manifest)
        if name in self.jobs:
            raise AlreadyExists(f"Job {name} already exists")
        if dry_run:
            return manifest
        metadata = {**manifest["metadata"], "uid": f"uid of {name}", "creationTimestamp": timestamp(self._now())}
        job = self.jobs[name] = {**manifest, "metadata": metadata, "status": {}}
        self._start_pods(name)
        return job

    def _start_pods(self, name: str) -> None:
        for index in range(self.jobs[name]["spec"].get("completions", 1)):
            self._call_at(self._now() + START_SECONDS, functools.partial(self._run_pod, name, index))

    def _run_pod(self, name: str, index: int) -> None:
        job = self.jobs.get(name)
        if job is None or job["spec"].get("suspend") or jobs.has_ended(job):
            return
        ended = jobs.completed_indexes(job) | jobs.failed_indexes(job)
        if self._active.get((name, index)) is None and index not in ended:
            pod = self._start(job, index, self._ended)
            self._active[name, index] = pod
            self.pods.append(pod)

    def _ended(self, pod: Pod) -> None:
        """The Job controller learns that a pod has ended."""
        place = (pod.job, pod.index)
        if self._active.get(place) is not pod:
            return
        self._active[place] = None
        if pod.job not in self.jobs:
            return
        job, action = self.jobs[pod.job], self._action(pod)
        if action == "Count":
            pod.counted = True
            self.counted[place] = self.counted.get(place, 0) + 1
        retries = job["spec"].get("backoffLimitPerIndex", job["spec"].get("backoffLimit"))
        if action == "Complete":
            self._note(job, "completedIndexes", pod.index)
        elif action in ("FailIndex", "FailJob") or self.counted.get(place, 0) > retries:
            self._note(job, "failedIndexes", pod.index)
        else:
            failures = self.counted.get(place, 0)
            pause = min(FIRST_BACK_OFF * 2 ** (failures - 1), LONGEST_BACK_OFF) if failures else 1.0
            self._call_at(self._now() + pause, functools.partial(self._run_pod, *place))

    def _action(self, pod: Pod) -> str:
        """The first rule of the manifest's policy that fits, as the Job controller applies it."""
        if pod.exit_code == 0:
            return "Complete"
        for rule in self.jobs[pod.job]["spec"].get("podFailurePolicy", {}).get("rules", ()):
            codes = rule.get("onExitCodes")
            named = codes and codes["containerName"] == pod.container and codes["operator"] == "In"
            if (pod.disrupted and "onPodConditions" in rule) or (named and pod.exit_code in codes["values"]):
                return str(rule["action"])
        return "Count"

    def _note(self, job: Manifest, field: str, index: int) -> None:
        done = sorted({*names.parse_indexes(job["status"].get(field)), index})
        job["status"][field] = ",".join(map(str, done))
        ended = jobs.completed_indexes(job) | jobs.failed_indexes(job)
        if len(ended) == job["spec"].get("completions", 1):
            kind = "Failed" if jobs.failed_indexes(job) else "Complete"
            job["status"]["conditions"] = [{"type": kind, "status": "True"}]
