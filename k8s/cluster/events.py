"""What the cluster says beside the status of Jobs and pods: Warning Events, and the conditions of Kueue's Workloads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from experiment.errors import ExperimentError, Misconfigured, NotFound
from experiment.records import parse_time
from k8s.cluster import postmortem
from k8s.cluster.kube import Kube
from k8s.cluster.refusals import LoggedOut
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest

NO_POD = "FailedCreate"  # the reason of the Event of a Job whose pod the API server refuses
# What stands before the refusal itself. The name is that of a pod that never was.
BEFORE_REFUSAL = re.compile(r'(\(combined from similar events\): )?(Error creating: )?(pods? "[^"]*" is forbidden: )?')
LONGEST = 300  # characters of a reason


@dataclass(frozen=True, kw_only=True)
class Said:
    """The cluster's words on a run.

    Attributes:
        warnings: the newest warning of each pod, by the pod's UID.
        refused: why the API server refuses the pods that a Job lacks, by the Job's UID.
        queued: why Kueue has not admitted a Job, by the Job's UID.
        unread: a sentence on what could not be read; empty if all was.
    """

    warnings: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    queued: Mapping[str, str] = field(default_factory=dict)
    unread: str = ""

    def why_waiting(self, pod: Manifest) -> str:
        """Returns the newest warning of a pod; empty without one."""
        return self.warnings.get(_uid(pod), "")

    def why_refused(self, job: Manifest) -> str:
        """Returns why the API server refuses the pods that a Job lacks; empty if it lacks none."""
        return self.refused.get(_uid(job), "")

    def why_queued(self, job: Manifest) -> str:
        """Returns why Kueue has not admitted a Job; empty where it says nothing."""
        return self.queued.get(_uid(job), "")


def needs_events(found: Iterable[Manifest], pods: Iterable[Manifest]) -> bool:
    """Returns whether a Job lacks pods, or a pod waits and its status does not say for what."""
    return any(map(jobs.lacks_pods, found)) or any(map(_is_unexplained, pods))


def _is_unexplained(pod: Manifest) -> bool:
    return pod.get("status", {}).get("phase") == "Pending" and not postmortem.waiting_reason(pod)


def read_said(kube: Kube, found: Sequence[Manifest], pods: Sequence[Manifest]) -> Said:
    """Returns what the cluster says of Jobs and pods; asks only where something waits that their status does not explain.

    An answer that does not come is no error: reasons are missing then, and nothing else.
    """
    events: Sequence[Manifest] = ()
    unread = ""
    try:
        if needs_events(found, pods):
            events = kube.glance("Event", "type=Warning")
    except LoggedOut:  # the next request renews the credentials
        pass
    except Misconfigured:
        advice = f"python -m k8s.setup --namespace {kube.namespace} --apply gives the right"
        unread = f"this user may not list events, so what keeps pods from being created is not shown; {advice}"
    except ExperimentError:  # away for a moment; the next look asks again
        pass
    newest = {str(e["involvedObject"].get("uid", "")): e for e in sorted(events, key=event_time)}
    return Said(
        warnings={_uid(p): _words(newest[_uid(p)]) for p in pods if _uid(p) in newest},
        refused=find_refusals(newest, found, pods),
        queued=_read_queue(kube, found),
        unread=unread,
    )


def find_refusals(
    newest: Mapping[str, Manifest], found: Iterable[Manifest], pods: Iterable[Manifest]
) -> dict[str, str]:
    """Returns why the API server refuses the pods that Jobs lack, by the Job's UID.

    Args:
        newest: the newest warning of each object, by its UID. One that is older than a pod of the Job is over.
    """
    latest: dict[str, datetime] = {}  # creation of a Job's youngest pod
    for pod in pods:
        name, created = jobs.label_of(pod, names.JOB), parse_time(jobs.creation_time(pod))
        latest[name] = max(created, latest.get(name, created))
    reasons = {}
    for job in found:
        event = newest.get(_uid(job), {})
        if event.get("reason") == NO_POD and jobs.lacks_pods(job):
            time = event_time(event)
            if latest.get(jobs.object_name(job), time) <= time:
                reasons[_uid(job)] = _words(event)
    return reasons


def event_time(event: Manifest) -> datetime:
    """Returns when an Event was last observed: it is one object, however often it happens."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return parse_time(next(filter(None, times), event["metadata"].get("creationTimestamp") or ""))


def _read_queue(kube: Kube, found: Iterable[Manifest]) -> dict[str, str]:
    """Returns what Kueue says of suspended Jobs in a queue; nothing where it, or the right to read it, is missing."""
    if not any(j["spec"].get("suspend") and jobs.label_of(j, names.QUEUE) and not jobs.has_ended(j) for j in found):
        return {}
    for kind in ("Workload", "EarlierWorkload"):
        try:
            return describe_workloads(kube.glance(kind))
        except NotFound:
            continue
        except ExperimentError:
            break
    return {}


def describe_workloads(workloads: Iterable[Manifest]) -> dict[str, str]:
    """Returns why each Workload is not admitted, by the UID of its Job."""
    reasons: dict[str, str] = {}
    for workload in workloads:
        conditions = {c["type"]: c for c in workload.get("status", {}).get("conditions") or ()}
        reserved = conditions.get("QuotaReserved", {})
        if reserved.get("status") == "False":
            said = _shorten(str(reserved.get("message") or reserved.get("reason", "")))
            reasons |= {str(o.get("uid")): said for o in workload["metadata"].get("ownerReferences") or ()}
    return reasons


def _words(warning: Manifest) -> str:
    message = BEFORE_REFUSAL.sub("", str(warning.get("message") or ""), count=1)
    return f"{warning.get('reason', '')}: {_shorten(message)}"


def _shorten(text: str) -> str:
    return " ".join(text.split())[:LONGEST]


def _uid(thing: Manifest) -> str:
    return str(thing["metadata"].get("uid", "none"))
