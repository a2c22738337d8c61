"""The reason why a pod ended or waits, from its status alone, because a killed process leaves no record. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from experiment.errors import COMMITTED, kind_of
from experiment.records import Failure
from k8s.manifests import jobs, names, setting_rules
from k8s.manifests.names import Manifest

DISRUPTIONS = {
    "PreemptionByScheduler": "a pod of higher priority took its place",
    "DeletionByTaintManager": "its node was tainted",
    "EvictionByEvictionAPI": "it was evicted",
    "DeletionByPodGC": "its node is gone",
    "TerminationByKubelet": "its node shut down",
}
# The kubelet gives one reason for all that it ends; the pod's status tells them apart. They are followed by its own words.
BY_KUBELET = {"Evicted": "its node evicted it", "Preempting": "its node needed the room for a critical pod"}
MEMORY = {
    names.TRAINER: "memory",
    names.PREPARE: "prepare_memory",
    names.COLLECT: "collect_memory",
}  # a container's setting
KILLED = 137


def disruption_reason(pod: Manifest) -> str | None:
    """Returns why a pod was disrupted, in words; None if it was not."""
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True":
            reason = condition.get("reason", "")
            said = BY_KUBELET.get(pod["status"].get("reason", "")) if reason == "TerminationByKubelet" else None
            if said:
                return f"{said}: {_own_words(pod)}"
            return DISRUPTIONS.get(reason, str(condition.get("message") or reason))
    return None


def _own_words(pod: Manifest) -> str:
    return " ".join(str(pod.get("status", {}).get("message") or "no reason given").split())[:300]


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


def all_failures(records: Iterable[Failure], pods: Iterable[Manifest], cell: str) -> list[Failure]:
    """Returns the failure records of a cell and the ends of its pods that left none, oldest first."""
    found = {f.attempt: f for f in records}
    for pod in pods:
        failure = failure_of_pod(pod, cell)
        if failure and failure.attempt not in found:
            found[failure.attempt] = failure
    return sorted(found.values(), key=lambda f: f.time)


def failures_of_job(pods: Iterable[Manifest], job: str) -> list[Failure]:
    """Returns how the pods of a Job that failed have ended, oldest first."""
    own = [p for p in pods if jobs.label_of(p, names.JOB) == job]
    own.sort(key=jobs.creation_time)
    return [failure for pod in own if (failure := failure_of_pod(pod, ""))]


def _explain(pod: Manifest, container: str, end: dict[str, Any], code: int) -> tuple[str, str]:
    """Returns kind and message of a failure that was no disruption."""
    status = pod.get("status", {})
    if status.get("reason") == "DeadlineExceeded":
        return "error", "stopped after the longest time that an attempt may take (setting cell_hours)"
    if end.get("reason") == "OOMKilled":
        limit = _memory(pod, container)
        return "error", f"killed because it exceeded its memory limit of {limit}{_give_more(pod, container, limit)}"
    if status.get("reason") == "Evicted":
        setting = " (setting scratch)" if "EmptyDir" in _own_words(pod) else ""
        return "error", f"evicted by its node: {_own_words(pod)}{setting}"
    if code == KILLED:
        return "error", "killed (SIGKILL) before it could write why"
    doing = "waiting for its data set: " if container == names.AWAIT else ""
    return kind_of(code), f"{doing}exit code {code}{_last_line(end)}"


def _memory(pod: Manifest, container: str) -> str:
    found = [c for c in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]) if c["name"] == container]
    return str(found[0]["resources"].get("limits", {}).get("memory", "unknown")) if found else "unknown"


def _give_more(pod: Manifest, container: str, limit: str) -> str:
    """Returns the setting of a container's memory, and the command that gives it twice as much."""
    setting, match = MEMORY.get(container), setting_rules.QUANTITY.fullmatch(limit)
    if not setting:
        return ""
    run = jobs.annotation_of(pod, names.RUN_URL)
    if container == names.COLLECT or not (run and match):
        return f" (setting {setting})"
    unit = match[2] or ""
    more = f"--{setting.replace('_', '-')} {2 * float(limit.removesuffix(unit)):.15g}{unit}"
    retry = (
        f"each try has as much; once its cell has failed for good, python -m k8s.retry --run {run} {more} gives it more"
    )
    return f" (setting {setting}); {retry if container == names.TRAINER else f'launch again with {more}'}"


def _last_line(end: dict[str, Any]) -> str:
    lines = [line for line in str(end.get("message") or "").splitlines() if line.strip()]
    return f": {' '.join(lines[-1].split())[:300]}" if lines else ""


def blocked_containers(pod: Manifest) -> Iterator[tuple[str, str]]:
    """Yields reason and message of each container of a pod that cannot start."""
    for container in _containers(pod):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") and waiting["reason"] not in ("PodInitializing", "ContainerCreating"):
            yield waiting["reason"], " ".join(str(waiting.get("message", "")).split())[:200]


def is_evicted_unstarted(pod: Manifest) -> bool:
    """Returns whether a node that was short of something evicted a pod before any of its containers ran."""
    status = pod.get("status", {})
    evicted = status.get("phase") == "Failed" and status.get("reason") == "Evicted"
    return evicted and not any({"running", "terminated"} & c.get("state", {}).keys() for c in _containers(pod))


def is_at_work(pod: Manifest) -> bool:
    """Returns whether a container of a pod runs, an init container included: its image and its Secrets are right."""
    return any("running" in container.get("state", {}) for container in _containers(pod))


def waiting_reason(pod: Manifest) -> str:
    """Returns what a pod that does not train yet waits for, in words; empty where its status does not say it."""
    for reason, message in blocked_containers(pod):
        return f"{reason}: {message}"
    for container in _containers(pod):
        if container["name"] == names.AWAIT and "running" in container.get("state", {}):
            return "its data set"
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            said = " ".join(str(condition.get("message", "")).split())
            return f"a node: {said.partition(' preemption:')[0][:300]}"
    return ""
