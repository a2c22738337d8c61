"""Measures what a run's trainer pods take: from a node to their end, times the price that the launch wrote on their Job. Pure.

A pod that waits for a node costs nothing, nor does a node count before it has a pod or after it: what the cloud bills is more.
The price is that of the settings' type, whichever node a pod got: nobody who watches a run may look at nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from experiment.records import parse_time
from experiment.spending import Spent
from k8s.cluster import postmortem
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest


def pod_span(pod: Manifest, now: datetime) -> tuple[datetime, datetime] | None:
    """Returns from when to when a pod has had its node, ``now`` if it still has it; None without a node.

    ``now`` is this machine's time. S3 refuses whoever is wrong by more than a quarter of an hour, so that is the most it errs.
    """
    status = pod.get("status", {})
    scheduled = [c for c in status.get("conditions") or () if c["type"] == "PodScheduled" and c["status"] == "True"]
    begin = status.get("startTime") or next((c.get("lastTransitionTime") for c in scheduled), None)
    if not begin:
        return None
    began = parse_time(begin)
    return began, max(began, _find_end(pod) if status.get("phase") in ("Succeeded", "Failed") else now)


def _find_end(pod: Manifest) -> datetime:
    """Returns when a pod ended: its last container, or the last change of its status where no container says so."""
    ends = [end.get("finishedAt") for _, end in postmortem.ended_containers(pod)]
    changes = [c.get("lastTransitionTime") for c in pod["status"].get("conditions") or ()]
    return max(map(parse_time, filter(None, ends if any(ends) else changes)), default=parse_time(""))


class Meter:
    """Adds up a run's pods, those too that were seen once and are no more.

    Args:
        recorded: what was taken before, as the store has it. A pod that went while nobody watched is in it as far as it was seen.
    """

    def __init__(self, recorded: Iterable[Spent] = ()) -> None:
        self._before = {s.job: s for s in recorded}
        self._gone = {s.job: s.gone for s in self._before.values()}
        self._seen: dict[str, tuple[str, float]] = {}  # the Job and the seconds of each pod of the last look, by UID

    def read(self, found: Sequence[Manifest], pods: Iterable[Manifest], now: datetime) -> list[Spent]:
        """Returns what each Job has taken that has a price, or had one, in the order of their names."""
        spans: dict[str, dict[str, tuple[datetime, datetime]]] = {}
        for pod in pods:
            span = pod_span(pod, now) if jobs.is_part(pod, names.TRAINER) else None
            if span:
                spans.setdefault(jobs.label_of(pod, names.JOB), {})[str(pod["metadata"]["uid"])] = span
        self._note_gone(spans)
        for job in found:
            name = jobs.object_name(job)
            if names.PRICE in job["metadata"].get("annotations", {}) and name not in self._before:
                dataset, price = jobs.label_of(job, names.DATASET), jobs.number_in(job, names.PRICE)
                self._before[name] = Spent(job=name, dataset=dataset, price=price)
        self._before = {name: self._add(self._before[name], spans.get(name, {})) for name in sorted(self._before)}
        return list(self._before.values())

    def _note_gone(self, spans: Mapping[str, Mapping[str, tuple[datetime, datetime]]]) -> None:
        now = {
            uid: (job, (end - begin).total_seconds()) for job, own in spans.items() for uid, (begin, end) in own.items()
        }
        for uid, (job, seconds) in self._seen.items():
            if uid not in now:
                self._gone[job] = self._gone.get(job, 0.0) + seconds
        self._seen = now

    def _add(self, before: Spent, spans: Mapping[str, tuple[datetime, datetime]]) -> Spent:
        gone = self._gone.get(before.job, 0.0)
        here = sum((end - begin).total_seconds() for begin, end in spans.values())
        begun = [*([parse_time(before.began)] if before.began else []), *(begin for begin, _ in spans.values())]
        ended = [*([parse_time(before.until)] if before.until else []), *(end for _, end in spans.values())]
        return Spent(
            job=before.job,
            dataset=before.dataset,
            price=before.price,
            seconds=max(before.seconds, gone + here),
            gone=gone,
            began=min(begun).isoformat(timespec="seconds") if begun else "",
            until=max(ended).isoformat(timespec="seconds") if ended else "",
        )
