"""What ended a pod, in words: also where its process could leave no record, being killed. Pure."""

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


def disruption(pod: Manifest) -> str | None:
    """Why a pod was disrupted, in words; None if it was not."""
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            return DISRUPTIONS.get(
                condition.get("reason", ""), str(condition.get("message") or condition.get("reason", ""))
            )
    return None


def ended(pod: Manifest) -> Iterator[tuple[str, dict[str, Any]]]:
    """The containers of a pod that have ended, each with how."""
    status = pod.get("status", {})
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        how = container.get("state", {}).get("terminated")
        if how:
            yield container["name"], how


def of_pod(pod: Manifest, cell: str) -> Failure | None:
    """The failure record that a pod's own status amounts to; None if it has not failed."""
    status = pod.get("status", {})
    disrupted = disruption(pod)
    if status.get("phase") != "Failed" and not disrupted:
        return None
    bad = [(name, how) for name, how in ended(pod) if how["exitCode"] != COMMITTED]
    name, how = bad[-1] if bad else ("", {})
    code = int(how.get("exitCode", KILLED))
    if disrupted:
        kind, words = "interrupted", f"interrupted: {disrupted}"
    elif status.get("reason") == "DeadlineExceeded":
        kind, words = "error", "stopped after the longest time that an attempt may take (setting cell_hours)"
    elif how.get("reason") == "OOMKilled":
        kind, words = "error", f"killed for want of memory: its limit is {_memory(pod, name)} (setting memory)"
    elif status.get("reason") == "Evicted":
        kind, words = "error", f"evicted by its node: {status.get('message', 'no reason given')}"
    elif code == KILLED:
        kind, words = "error", "killed (SIGKILL), it could leave no word"
    elif name == names.AWAIT:
        kind, words = kind_of(code), "its data set did not come; see the preparing Job"
    else:
        kind, words = kind_of(code), f"exit code {code}{_last_line(how)}"
    time = how.get("finishedAt") or pod["metadata"].get("creationTimestamp", "")
    return Failure(cell=cell, attempt=pod["metadata"]["uid"], kind=kind, exit_code=code, message=words, time=time)


def _memory(pod: Manifest, container: str) -> str:
    found = [c for c in pod["spec"]["containers"] if c["name"] == container]
    return str(found[0]["resources"].get("limits", {}).get("memory", "unknown")) if found else "unknown"


def _last_line(how: dict[str, Any]) -> str:
    lines = [line for line in str(how.get("message") or "").splitlines() if line.strip()]
    return f": {' '.join(lines[-1].split())[:300]}" if lines else ""


def waiting_for(pod: Manifest) -> str:
    """What a pod that does not train yet waits for, in words."""
    status = pod.get("status", {})
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") and waiting["reason"] not in ("PodInitializing", "ContainerCreating"):
            return f"{waiting['reason']}: {' '.join(str(waiting.get('message', '')).split())[:200]}"
        if container["name"] == names.AWAIT and "running" in container.get("state", {}):
            return "its data set"
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"a node: {' '.join(str(condition.get('message', '')).split())[:200]}"
    return "its containers"
