"""The reason why a pod ended or waits, from its status alone, because a killed process leaves no record. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from experiment.errors import COMMITTED, kind_of
from experiment.records import Failure
from k8s.manifests import names
from k8s.manifests.names import Manifest

DISRUPTIONS = {
    "PreemptionByScheduler": "a pod of higher priority took its place",
    "DeletionByTaintManager": "its node was tainted",
    "EvictionByEvictionAPI": "it was evicted",
    "DeletionByPodGC": "its node is gone",
    "TerminationByKubelet": "its node shut down",
}
KILLED = 137


def disruption_reason(pod: Manifest) -> str | None:
    """Returns why a pod was disrupted, in words; None if it was not."""
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            reason = condition.get("reason", "")
            return DISRUPTIONS.get(reason, str(condition.get("message") or reason))
    return None


def ended_containers(pod: Manifest) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the name and the end of each container of a pod that has ended."""
    for container in _containers(pod):
        end = container.get("state", {}).get("terminated")
        if end:
            yield container["name"], end


def _containers(pod: Manifest) -> list[Manifest]:
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def failure_of_pod(pod: Manifest, cell: str) -> Failure | None:
    """Returns the failure record that a pod's status stands for; None if the pod has not failed."""
    status = pod.get("status", {})
    disruption = disruption_reason(pod)
    if status.get("phase") != "Failed" and not disruption:
        return None
    bad = [(name, end) for name, end in ended_containers(pod) if end["exitCode"] != COMMITTED]
    name, end = bad[-1] if bad else ("", {})
    code = int(end.get("exitCode", KILLED))
    kind, message = ("interrupted", f"interrupted: {disruption}") if disruption else _explain(pod, name, end, code)
    time = end.get("finishedAt") or pod["metadata"].get("creationTimestamp", "")
    return Failure(cell=cell, attempt=pod["metadata"]["uid"], kind=kind, exit_code=code, message=message, time=time)


def _explain(pod: Manifest, container: str, end: dict[str, Any], code: int) -> tuple[str, str]:
    """Returns kind and message of a failure that was no disruption."""
    status = pod.get("status", {})
    if status.get("reason") == "DeadlineExceeded":
        return "error", "stopped after the longest time that an attempt may take (setting cell_hours)"
    if end.get("reason") == "OOMKilled":
        return "error", f"killed because it exceeded its memory limit of {_memory(pod, container)} (setting memory)"
    if status.get("reason") == "Evicted":
        return "error", f"evicted by its node: {status.get('message', 'no reason given')}"
    if code == KILLED:
        return "error", "killed (SIGKILL) before it could write why"
    doing = "waiting for its data set: " if container == names.AWAIT else ""
    return kind_of(code), f"{doing}exit code {code}{_last_line(end)}"


def _memory(pod: Manifest, container: str) -> str:
    found = [c for c in pod["spec"]["containers"] if c["name"] == container]
    return str(found[0]["resources"].get("limits", {}).get("memory", "unknown")) if found else "unknown"


def _last_line(end: dict[str, Any]) -> str:
    lines = [line for line in str(end.get("message") or "").splitlines() if line.strip()]
    return f": {' '.join(lines[-1].split())[:300]}" if lines else ""


def waiting_reason(pod: Manifest) -> str:
    """Returns what a pod that does not train yet waits for, in words."""
    for container in _containers(pod):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") and waiting["reason"] not in ("PodInitializing", "ContainerCreating"):
            return f"{waiting['reason']}: {' '.join(str(waiting.get('message', '')).split())[:200]}"
        if container["name"] == names.AWAIT and "running" in container.get("state", {}):
            return "its data set"
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"a node: {' '.join(str(condition.get('message', '')).split())[:200]}"
    return "its containers"
