"""Looks at a run, in cluster and store: the effects behind ``k8s.cluster.states``."""

from __future__ import annotations

from datetime import UTC, datetime

from experiment.assignment import read_assignments
from experiment.ledger import read_ledger
from experiment.run import Run
from experiment.store import Store
from k8s.cluster.kube import Kube
from k8s.cluster.states import View
from k8s.manifests import names


def look(store: Store, run: Run, kube: Kube | None) -> View:
    """Returns the run as it is now.

    The cluster is asked first: the result of a cell whose pod it reports as completed is then already in the store.
    """
    selector = names.selector(run.name)
    jobs = kube.list("Job", selector) if kube else None
    pods = kube.list("Pod", selector) if kube else None
    return View(
        frozen=run,
        ledger=read_ledger(store, run.grid.cells),
        assignments=read_assignments(store, run.name),
        jobs=jobs,
        pods=pods,
        time=datetime.now(UTC),
    )
