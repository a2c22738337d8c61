"""Reads a run from cluster and store, for its status and for a further launch."""

from __future__ import annotations

from datetime import UTC, datetime

from experiment import keys
from experiment.assignment import Assignment, read_assignment, read_assignments
from experiment.errors import ExperimentError, describe_error
from experiment.ledger import Problem, read_ledger
from experiment.run import Run
from experiment.store import Store
from k8s.cluster.kube import Kube
from k8s.cluster.states import View
from k8s.manifests import names
from k8s.manifests.names import Manifest
from k8s.planning.cluster_plan import prepared_datasets
from k8s.planning.jobs_needed import Existing


def observe_run(store: Store, run: Run, kube: Kube | None) -> View:
    """Returns the run as it is now; without ``kube``, what the store holds of it.

    The cluster is asked first: the result of a cell whose pod it reports as completed is then already in the store.
    """
    selector = names.run_selector(run.name)
    jobs = kube.list("Job", selector) if kube else None
    pods = kube.list("Pod", selector) if kube else None
    return _view(store, run, jobs, pods, [])


def observe_reachable(store: Store, run: Run, kube: Kube | None, unasked: str = "") -> View:
    """Returns what the store holds of a run and what the cluster answers. What it does not answer is among the problems.

    Args:
        unasked: why there is no ``kube``.
    """
    selector = names.run_selector(run.name)
    missing = [f"the cluster was not asked, so this is what the store holds: {unasked}"] if unasked else []
    jobs = pods = None
    if kube:
        try:
            jobs = kube.list("Job", selector)
        except ExperimentError as error:
            missing.append(f"the cluster did not answer, so this is what the store holds: {describe_error(error)}")
    if kube and jobs is not None:
        try:
            pods = kube.list("Pod", selector)
        except ExperimentError as error:
            missing.append(f"the cluster did not list the pods: {describe_error(error)}")
    return _view(store, run, jobs, pods, missing)


def _view(store: Store, run: Run, jobs: list[Manifest] | None, pods: list[Manifest] | None, missing: list[str]) -> View:
    ledger = read_ledger(store, run.grid.cells)
    assignments, problems = read_known_assignments(store, run.name)
    return View(
        run=run,
        ledger=ledger,
        assignments=assignments,
        jobs=jobs,
        pods=pods,
        problems=(*(Problem(key="", reason=reason) for reason in missing), *problems, *ledger.problems),
        time=datetime.now(UTC),
    )


def read_known_assignments(store: Store, run_name: str) -> tuple[dict[str, Assignment], list[Problem]]:
    """Returns the cells of every Job of the run, by the Job's name, and the lists that cannot be read."""
    found, problems = {}, []
    for key in store.list(keys.assignments(run_name)):
        job = keys.job_of(key)
        if job:
            try:
                found[job] = read_assignment(store, run_name, job)
            except ExperimentError as error:
                problems.append(Problem(key=key, reason=describe_error(error)))
    return found, problems


def find_existing(kube: Kube, store: Store, run_name: str) -> Existing:
    """Returns what a launch of the run can build on: its Jobs in the cluster, its data sets and report in the store."""
    return Existing(
        jobs=kube.list("Job", names.run_selector(run_name)),
        assignments=read_assignments(store, run_name),
        prepared=prepared_datasets(store),
        reported=store.exists(keys.report(run_name)),
    )
