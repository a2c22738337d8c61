"""Reads a run as it stands in cluster and store: for its status, and for what another launch has to add."""

from __future__ import annotations

from datetime import UTC, datetime

from experiment import keys
from experiment.assignment import read_assignments
from experiment.ledger import read_ledger
from experiment.run import Run
from experiment.store import Store
from k8s.cluster.kube import Kube
from k8s.cluster.states import View
from k8s.manifests import names
from k8s.planning.cluster_plan import prepared_datasets
from k8s.planning.jobs_needed import Existing


def observe_run(store: Store, run: Run, kube: Kube | None) -> View:
    """Returns the run as it is now; without ``kube`` as the store alone has it.

    The cluster is asked first: the result of a cell whose pod it reports as completed is then already in the store.
    """
    selector = names.run_selector(run.name)
    jobs = kube.list("Job", selector) if kube else None
    pods = kube.list("Pod", selector) if kube else None
    ledger = read_ledger(store, run.grid.cells)
    assignments = read_assignments(store, run.name)
    return View(run=run, ledger=ledger, assignments=assignments, jobs=jobs, pods=pods, time=datetime.now(UTC))


def find_existing(kube: Kube, store: Store, run_name: str) -> Existing:
    """Returns what a launch of the run can build on: its Jobs in the cluster, its data sets and report in the store."""
    return Existing(
        jobs=kube.list("Job", names.run_selector(run_name)),
        assignments=read_assignments(store, run_name),
        prepared=prepared_datasets(store),
        reported=store.exists(keys.report(run_name)),
    )
