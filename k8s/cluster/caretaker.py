"""What the collecting Job does for its run beside the report: starts and ends Jobs whose time has come, and tells the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from experiment.assignment import Assignment
from experiment.run import Run
from experiment.store import Store
from k8s.cluster import handover, notice
from k8s.cluster.ceiling import Guard
from k8s.cluster.hopeless import Stopper
from k8s.cluster.kube import Kube
from k8s.cluster.observe import read_new_assignments
from k8s.manifests import jobs
from k8s.manifests.names import Manifest


@dataclass(frozen=True, kw_only=True)
class Caretaker:
    """Looks after the Jobs of one run.

    Attributes:
        stopper: ends Jobs that wait for what time does not heal.
        guard: measures what the run takes, and ends it at its ceiling.
        notify: URL that is told the end of the run; empty for none.
    """

    stopper: Stopper = field(default_factory=Stopper)
    guard: Guard = field(default_factory=lambda: Guard(writes=True))
    notify: str = ""
    _assignments: dict[str, Assignment] = field(default_factory=dict)

    def settle(
        self, kube: Kube, store: Store, run: Run, found: Sequence[Manifest], pods: Sequence[Manifest]
    ) -> list[str]:
        """Starts, removes and ends Jobs; returns a line for each thing that was done or could not be."""
        lines = self.guard.hold(kube, store, run, found, pods)
        if not self.guard.reached:  # nothing is started any more
            waiting = [jobs.object_name(j) for j in found if jobs.waits_for(j)]
            read_new_assignments(store, run.name, self._assignments, waiting)
            lines += handover.settle_waiting_jobs(kube, store, run, found, self._assignments)
        return [*lines, *self.stopper.settle(kube, store, run, found, pods)]

    def tell_end(self, kube: Kube, store: Store, run: Run, own: str, done: int) -> list[str]:
        """Tells that the run has ended, whoever is to know; returns lines on it.

        Args:
            own: name of the collecting Job; empty outside a cluster.
            done: number of the run's cells that have a result.
        """
        told = notice.make_notice(store, run, done, self.guard.dollars)
        lines = [notice.post_notice(self.notify, told)] if self.notify else []
        return lines + (notice.create_event(kube, own, told) if own else [])
