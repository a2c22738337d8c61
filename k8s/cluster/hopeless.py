"""Ends Jobs that wait for what time does not heal: a wrong image, a missing Secret, a pod that the cluster's rules forbid.

Such a pod would hold its node for as long as an attempt may take, and so would each of its retries. A Job is ended by its own
deadline: its pods go, its nodes are released, a further launch makes another one. Suspended, it would be started again by Kueue.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from experiment import keys, records
from experiment.assignment import Assignment
from experiment.errors import Interrupted, InvalidInput, describe_error, kind_of
from experiment.ledger import committed_ids
from experiment.records import Failure
from experiment.run import Run
from experiment.store import Store
from k8s.cluster import postmortem
from k8s.cluster.events import Said, read_said
from k8s.cluster.kube import Kube
from k8s.cluster.observe import read_new_assignments
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest

MINUTES = 15  # unless a setting says otherwise
EVICTIONS = 10  # of one index, before its containers start
CONTAINERS = frozenset(
    ("ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError")
)
# The words of a pod's warning, and of the API server's refusal of a pod. A quota is not among them: it may be freed.
POD = re.compile(r'(secret|configmap)s? "[^"]+" not found|references non-existent')
REFUSED = re.compile(
    r"violates PodSecurity|no PriorityClass with name|RuntimeClass .+ not found|admission webhook .+ denied"
    r"|ValidatingAdmissionPolicy .+ denied|(maximum|minimum) \S+ usage|failed quota: .+ must specify"
    r"|error looking up service account"
)


def find_hopeless(found: Iterable[Manifest], pods: Iterable[Manifest], said: Said) -> dict[str, str]:
    """Returns why Jobs wait for what time does not heal, by their names.

    A Job of which one pod is at work is not among them: its settings are right, and what ails another pod is its node's.
    """
    of_jobs: dict[str, list[Manifest]] = {}
    for pod in pods:
        of_jobs.setdefault(jobs.label_of(pod, names.JOB), []).append(pod)
    reasons = {}
    for job in found:
        own = of_jobs.get(jobs.object_name(job), [])
        if not jobs.has_ended(job) and not job["spec"].get("suspend") and not any(map(postmortem.is_at_work, own)):
            reasons[jobs.object_name(job)] = _first_reason(job, own, said)
    return {name: reason for name, reason in reasons.items() if reason}


def _first_reason(job: Manifest, own: Sequence[Manifest], said: Said) -> str:
    refused = said.why_refused(job)
    if REFUSED.search(refused):
        return refused
    return next(filter(None, (_reason_of_pod(pod, said) for pod in own)), "") or _reason_of_evictions(own)


def _reason_of_evictions(own: Iterable[Manifest]) -> str:
    """Returns why nodes evict the pods of an index again and again before they start.

    Such an end costs no retry, and a pod that has not started leaves no record by which the trainer would give its cell up.
    """
    evicted: dict[str, list[Manifest]] = {}
    for pod in sorted(filter(postmortem.is_evicted_unstarted, own), key=jobs.creation_time):
        evicted.setdefault(jobs.label_of(pod, names.INDEX), []).append(pod)
    worst = max(evicted.values(), key=len, default=[])
    if len(worst) < EVICTIONS:
        return ""
    return f"its nodes evicted a pod {len(worst)} times before it started: {postmortem.disruption_reason(worst[-1]) or 'Evicted'}"


def _reason_of_pod(pod: Manifest, said: Said) -> str:
    if pod.get("status", {}).get("phase") != "Pending" or "deletionTimestamp" in pod["metadata"]:
        return ""
    for reason, message in postmortem.blocked_containers(pod):
        if reason in CONTAINERS:
            return f"{reason}: {message}"
    warning = said.why_waiting(pod)
    return warning if POD.search(warning) else ""


def find_due(hopeless: Iterable[str], since: Mapping[str, float], now: float, seconds: float) -> list[str]:
    """Returns the hopeless Jobs that have waited for ``seconds``; ``since``: when each was first seen to wait so."""
    return [name for name in hopeless if now - since.get(name, now) >= seconds]


@dataclass(frozen=True, kw_only=True)
class Stopper:
    """Ends hopeless Jobs of a run that somebody watches.

    Attributes:
        minutes: how long a Job may wait so, by this process's own clock; 0: for ever.
    """

    minutes: float = MINUTES
    clock: Callable[[], float] = time.monotonic
    _since: dict[str, float] = field(default_factory=dict)  # when a Job was first seen to wait so
    _recorded: set[str] = field(default_factory=set)  # ended Jobs whose cells have a record

    def settle(
        self, kube: Kube, store: Store, run: Run, found: Sequence[Manifest], pods: Sequence[Manifest]
    ) -> list[str]:
        """Does what the collecting Job does about hopeless Jobs: ends them, and records it for the report. Returns lines on it."""
        # Not before its end: its pods may still write records of their own, and the last one tells what is to be done.
        stopped = [j for j in found if jobs.stop_reason(j) and jobs.is_part(j, names.TRAINER) and jobs.has_ended(j)]
        for job in stopped:
            name = jobs.object_name(job)
            if name not in self._recorded and record_stopped(store, run, job):
                self._recorded.add(name)
        said = read_said(kube, found, pods) if self.minutes else Said()
        return [*filter(None, [said.unread]), *self.stop_jobs(kube, found, pods, said)]

    def stop_jobs(self, kube: Kube, found: Sequence[Manifest], pods: Sequence[Manifest], said: Said) -> list[str]:
        """Ends the Jobs that have waited for too long; returns a line for each."""
        hopeless, now = find_hopeless(found, pods, said) if self.minutes else {}, self.clock()
        since = {name: self._since.get(name, now) for name in hopeless}
        self._since.clear()  # what has healed meanwhile begins anew
        self._since.update(since)
        due = find_due(hopeless, since, now, self.minutes * 60)
        return [_stop_job(kube, name, f"{hopeless[name]} (for {self.minutes:g} min)") for name in due]


def _stop_job(kube: Kube, name: str, why: str) -> str:
    reason = f"its Job was ended, because time does not heal this: {why}; correct it and launch again"
    change: Manifest = {"metadata": {"annotations": {names.STOPPED: reason}}, "spec": {"activeDeadlineSeconds": 1}}
    try:
        kube.patch("Job", name, change)
    except InvalidInput as error:  # a namespace set up by an earlier version does not let the collecting Job
        return f"{name} could not be ended: {describe_error(error)}; it waits in vain: {why}"
    return f"ended {name}: {why}"


def record_stopped(store: Store, run: Run, job: Manifest) -> bool:
    """Records for the report why the cells of a Job have no result that was ended by whoever watched it.

    Returns:
        whether the list of its cells could be read; ``k8s.status`` names a damaged one.
    """
    name, known = jobs.object_name(job), dict[str, Assignment]()
    read_new_assignments(store, run.name, known, [name])
    if name not in known:
        return False
    over = jobs.completed_indexes(job) | jobs.failed_indexes(job)
    cells = [run.grid.cells[index] for group in known[name].groups_without(over) for index in group]
    done = committed_ids(store, cells)
    for cell in cells:
        if cell.id not in done:
            _record(store, cell.id, job)
    return True


def _record(store: Store, cell: str, job: Manifest) -> None:
    asked = jobs.stop_kind(job) == Interrupted.kind
    code, uid = (Interrupted if asked else InvalidInput).exit_code, str(job["metadata"]["uid"])
    failure = Failure(
        cell=cell,
        attempt=uid,
        kind=kind_of(code),
        exit_code=code,
        message=jobs.stop_reason(job),
        time=records.utc_now(),
    )
    store.put_once(keys.failure(cell, uid), records.to_bytes(failure), uid)
