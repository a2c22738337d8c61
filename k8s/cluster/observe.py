"""Reads a run from cluster and store, for its status and for a further launch."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime

from experiment import keys
from experiment.assignment import Assignment, read_assignment, read_assignments
from experiment.errors import ExperimentError, describe_error
from experiment.ledger import Ledger, LedgerReader, Problem, read_ledger
from experiment.run import Run
from experiment.store import Store
from k8s.cluster.events import Said, read_said
from k8s.cluster.handover import find_held_cells
from k8s.cluster.kube import Kube
from k8s.cluster.states import View
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest
from k8s.planning.jobs_needed import Existing

NOTHING_SAID = Said()
REFRESH = 30.0  # seconds after which pods and progress are asked for again although nothing tells of a change


class Observer:
    """Observes a run in cluster and store, or without ``kube`` in the store alone; asks again only for what may have changed."""

    def __init__(self, store: Store, run: Run, kube: Kube | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._run, self._kube, self._clock = store, run, kube, clock
        self._selector = names.run_selector(run.name)
        self._ledger = LedgerReader(store, run.grid.cells, progress_seconds=REFRESH, clock=clock)
        self._assignments: dict[str, Assignment] = {}
        self._pods: list[Manifest] = []
        self._said = Said()
        self._versions: dict[str, str] = {}
        self._listed = float("-inf")

    def observe(self) -> View:
        """Returns the run as it is now.

        The cluster is asked first: the result of a cell whose pod it reports as completed is then already in the store.
        """
        found = self._kube.list("Job", self._selector) if self._kube else None
        pods = self._list_pods(self._kube, found) if self._kube and found is not None else None
        trainers = [jobs.object_name(j) for j in found or () if jobs.is_part(j, names.TRAINER)]
        damaged = read_new_assignments(self._store, self._run.name, self._assignments, trainers)
        return _view(self._run, self._ledger.read(), (self._assignments, damaged), found, pods, self._said)

    def _list_pods(self, kube: Kube, found: Sequence[Manifest]) -> list[Manifest]:
        """Returns the pods. The status of their Job changes with theirs, except for the reasons why they wait."""
        versions = {jobs.object_name(j): str(j["metadata"].get("resourceVersion", "")) for j in found}
        if versions != self._versions or not all(versions.values()) or self._clock() - self._listed >= REFRESH:
            self._pods = kube.list("Pod", self._selector)
            self._said = read_said(kube, found, self._pods)
            self._versions, self._listed = versions, self._clock()
        return self._pods


def observe_run(store: Store, run: Run, kube: Kube | None) -> View:
    """Returns the run as it is now; without ``kube``, what the store holds of it."""
    return Observer(store, run, kube).observe()


def observe_reachable(store: Store, run: Run, kube: Kube | None, unasked: str = "") -> View:
    """Returns what the store holds of a run and what the cluster answers. What it does not answer is among the problems.

    Args:
        unasked: why there is no ``kube``.
    """
    selector = names.run_selector(run.name)
    missing = [f"the cluster was not asked, so this is what the store holds: {unasked}"] if unasked else []
    found = pods = None
    said = Said()
    if kube:
        try:
            found = kube.list("Job", selector)
        except ExperimentError as error:
            missing.append(f"the cluster did not answer, so this is what the store holds: {describe_error(error)}")
    if kube and found is not None:
        try:
            pods = kube.list("Pod", selector)
            said = read_said(kube, found, pods)
        except ExperimentError as error:
            missing.append(f"the cluster did not list the pods: {describe_error(error)}")
    assigned = read_known_assignments(store, run.name)
    return _view(run, read_ledger(store, run.grid.cells), assigned, found, pods, said, missing)


def _view(
    run: Run,
    ledger: Ledger,
    assigned: tuple[dict[str, Assignment], list[Problem]],
    found: list[Manifest] | None = None,
    pods: list[Manifest] | None = None,
    said: Said = NOTHING_SAID,
    missing: Collection[str] = (),
) -> View:
    assignments, problems = assigned
    missing = [*missing, said.unread] if said.unread else missing
    return View(
        run=run,
        ledger=ledger,
        assignments=assignments,
        jobs=found,
        pods=pods,
        said=said,
        problems=(*(Problem(key="", reason=reason) for reason in missing), *problems, *ledger.problems),
        time=datetime.now(UTC),
    )


def read_known_assignments(store: Store, run_name: str) -> tuple[dict[str, Assignment], list[Problem]]:
    """Returns the cells of every Job of the run, by the Job's name, and the lists that cannot be read."""
    found: dict[str, Assignment] = {}
    return found, _add_assignments(store, run_name, found)


def read_new_assignments(
    store: Store, run_name: str, known: dict[str, Assignment], wanted: Iterable[str]
) -> list[Problem]:
    """Adds the cells of the run's Jobs to ``known`` if it lacks one that is wanted; returns the lists that cannot be read."""
    return [] if known.keys() >= set(wanted) else _add_assignments(store, run_name, known)


def _add_assignments(store: Store, run_name: str, known: dict[str, Assignment]) -> list[Problem]:
    problems = []
    for key in store.list(keys.assignments(run_name)):
        job = keys.job_of(key)
        if job and job not in known:
            try:
                known[job] = read_assignment(store, run_name, job)
            except ExperimentError as error:
                problems.append(Problem(key=key, reason=describe_error(error)))
    return problems


def find_existing(kube: Kube, store: Store, run_name: str) -> Existing:
    """Returns what a launch of the run can build on: its Jobs in the cluster, its report in the store."""
    return Existing(
        jobs=kube.list("Job", names.run_selector(run_name)),
        assignments=read_assignments(store, run_name),
        held=find_held_cells(kube, store, run_name),
        reported=store.exists(keys.report(run_name)),
    )
