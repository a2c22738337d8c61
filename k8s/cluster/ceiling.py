"""Holds a run to its ``max_dollars``: whoever watches it ends its trainer Jobs once their pods have taken as much.

They are ended and not suspended, as hopeless Jobs are: Kueue would start a suspended one again, and the collecting Job would
wait for it to the end of its days. So it makes the last report, and a launch with a higher ceiling makes new Jobs, which go on
from the checkpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from experiment import keys
from experiment.errors import Interrupted, InvalidInput, describe_error
from experiment.run import Run
from experiment.spending import Spent, add_dollars, read_spent, spent_to_bytes
from experiment.store import Store
from k8s.cluster.hopeless import record_stopped
from k8s.cluster.kube import Kube
from k8s.cluster.meter import Meter
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest

RECORD_SECONDS = 60.0  # between two records of what was taken


def find_ceiling(found: Iterable[Manifest]) -> float:
    """Returns the dollars that a run may take: the highest ceiling of its unfinished trainer Jobs; 0 if one of them has none."""
    ceilings = [jobs.number_in(j, names.CEILING) for j in jobs.unfinished_jobs(found, names.TRAINER)]
    return max(ceilings) if ceilings and all(ceilings) else 0.0


@dataclass(kw_only=True)
class Guard:
    """Measures what a watched run takes, and ends it at its ceiling.

    Attributes:
        writes: whether it records what the run takes, and why its cells have no result: the collecting Job does.
        reached: whether the run had taken its ceiling at the last look.
        dollars: what it had taken by then.
    """

    writes: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic
    reached: bool = False
    dollars: float = 0.0
    _meter: Meter | None = None
    _written: tuple[float, list[Spent]] = field(default_factory=lambda: (float("-inf"), []))

    def hold(
        self, kube: Kube, store: Store, run: Run, found: Sequence[Manifest], pods: Sequence[Manifest]
    ) -> list[str]:
        """Measures the run, and ends its trainer Jobs if it has reached its ceiling. Returns lines on it."""
        lines = self._begin(store, run) if self._meter is None else []
        assert self._meter is not None
        spent = self._meter.read(found, pods, self.now())
        if self.writes:
            self._record(store, run, spent, found)
        ceiling, self.dollars = find_ceiling(found), add_dollars(spent)
        self.reached = 0 < ceiling <= self.dollars
        if self.reached:
            why = f"the run has taken ${self.dollars:,.2f}, and its max_dollars is ${ceiling:,.2f}"
            lines += self._end_jobs(kube, store, run, found, why)
        return lines

    def _begin(self, store: Store, run: Run) -> list[str]:
        """Reads what was taken before."""
        try:
            self._meter = Meter(read_spent(store, run.name))
        except InvalidInput as error:
            self._meter = Meter()
            return [f"what the run has taken so far is unknown: {describe_error(error)}"]
        return []

    def _record(self, store: Store, run: Run, spent: list[Spent], found: Iterable[Manifest]) -> None:
        at, before = self._written
        is_last = not jobs.unfinished_jobs(found, names.TRAINER)
        if spent != before and (is_last or self.clock() - at >= RECORD_SECONDS):
            store.put(keys.report(run.name, keys.SPENT), spent_to_bytes(spent))
            self._written = (self.clock(), spent)

    def _end_jobs(self, kube: Kube, store: Store, run: Run, found: Iterable[Manifest], why: str) -> list[str]:
        lines = []
        for job in jobs.unfinished_jobs(found, names.TRAINER):
            if jobs.stop_reason(job):
                continue
            try:
                lines += self._end_job(kube, store, run, job, why)
            except InvalidInput as error:  # a namespace set up by an earlier version gives no right to it
                lines.append(f"{jobs.object_name(job)} could not be ended: {describe_error(error)}; {why}")
        return lines

    def _end_job(self, kube: Kube, store: Store, run: Run, job: Manifest, why: str) -> list[str]:
        name, change = jobs.object_name(job), ending_change(job, why)
        if job["spec"].get("suspend") and jobs.label_of(job, names.QUEUE):
            if not self.writes:
                return []  # it takes nothing; the collecting Job removes it
            stopped = {**job, "metadata": {**job["metadata"], "annotations": change["metadata"]["annotations"]}}
            record_stopped(store, run, stopped)
            kube.delete("Job", name)  # only its queue could start it, and one that never starts has no deadline
            return [f"removed {name}: {why}"]
        kube.patch("Job", name, change)
        return [
            f"ended {name}: {why}; its cells keep their checkpoints, and a launch with a higher --max-dollars goes on"
        ]


def ending_change(job: Manifest, why: str) -> Manifest:
    """Returns the change that ends a Job within a second; one that is suspended starts for it, without a pod."""
    reason = f"its Job was ended, because {why}; launch the run again with a higher --max-dollars, and it goes on"
    told = {names.STOPPED: reason, names.STOP_KIND: Interrupted.kind}
    if not job["spec"].get("suspend"):
        return {"metadata": {"annotations": told}, "spec": {"activeDeadlineSeconds": 1}}
    free = {**told, **dict.fromkeys(names.WAITS)}
    return {"metadata": {"annotations": free}, "spec": {"suspend": False, "parallelism": 0, "activeDeadlineSeconds": 1}}
