"""The state of every cell of a run, from what store and cluster say. Pure."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from experiment.assignment import Assignment
from experiment.errors import PERMANENT
from experiment.ledger import CELL_STATES, DONE, FAILED, MISSING, RUNNING, UNREADABLE, WAITING, Ledger, Problem
from experiment.records import Failure, Progress, is_recent
from experiment.run import Run
from k8s.cluster import postmortem
from k8s.cluster.events import Said
from k8s.cluster.preparation import describe_preparation
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest
from k8s.wording import count_times, describe_progress

STATES = tuple(s for s in CELL_STATES if s != UNREADABLE)  # results are listed here, not read
HELD = "in the hands of "  # begins the reason of a cell that another run has
IN_TURN = "waits for its turn in its pod"  # the reason of a cell of which its running pod, of several, has not told yet
FRESH = 90.0  # seconds for which a progress record shows that an attempt trains, where no pod can be seen


@dataclass(frozen=True, kw_only=True)
class CellState:
    """One cell of a run.

    Attributes:
        state: one of ``STATES``.
        settings: those beyond the paper's that the cell has, in words.
        reason: why it failed or what it waits for, in words.
        interrupted: number of attempts that ended by a disruption or on request; they count against no limit.
        failed: number of attempts that failed.
        progress: the running attempt's last progress record, if it has written one.
    """

    index: int
    cell: str
    state: str
    settings: str = ""
    reason: str = ""
    interrupted: int = 0
    failed: int = 0
    progress: Progress | None = None
    job: str = ""


@dataclass(frozen=True, kw_only=True)
class View:
    """A run as store and cluster have it at one moment.

    Attributes:
        ledger: what the store says of its cells.
        jobs, pods: the run's objects in the cluster; None if the cluster was not asked or gave no answer.
        said: what the cluster says of them in events and in its queue.
        problems: in the order of their weight, what could not be asked or read.
    """

    run: Run
    ledger: Ledger
    assignments: Mapping[str, Assignment] = field(default_factory=dict)
    jobs: Sequence[Manifest] | None = None
    pods: Sequence[Manifest] | None = None
    problems: Sequence[Problem] = ()
    said: Said = field(default_factory=Said)
    time: datetime

    @functools.cached_property
    def preparations(self) -> Mapping[str, str]:
        """What the Jobs do that suspended Jobs wait for to have their data prepared, by name: once, however many cells wait."""
        waited = {jobs.waits_for_data(j) for j in self.jobs or ()} - {""}
        return {n: describe_preparation(n, self.jobs or (), self.pods or (), self.said) for n in waited}


def cell_states(view: View) -> list[CellState]:
    """Returns the state of every cell, in the order of the grid."""
    places = _places(view)
    pods: dict[tuple[str, int], list[Manifest]] = {}
    for pod in sorted(view.pods or (), key=jobs.creation_time):
        if jobs.is_part(pod, names.TRAINER):
            place = (jobs.label_of(pod, names.JOB), int(jobs.label_of(pod, names.INDEX) or -1))
            pods.setdefault(place, []).append(pod)
    return [_cell_state(view, index, places.get(index, []), pods) for index in range(len(view.run.grid.cells))]


def describe_cell(cell: CellState) -> str:
    """Returns in words what is known of a cell beside its state."""
    parts = [
        cell.settings,
        describe_progress(cell.progress) if cell.progress else "",
        cell.reason,
        f"interrupted {count_times(cell.interrupted)}" if cell.interrupted else "",
        f"failed {count_times(cell.failed)}" if cell.failed and cell.state != DONE else "",
    ]
    return "; ".join(filter(None, parts))


def _places(view: View) -> dict[int, list[tuple[Manifest, int]]]:
    """Returns each cell's Jobs in the cluster with its completion index there, oldest first."""
    found: dict[int, list[tuple[Manifest, int]]] = {}
    for job in sorted(view.jobs or (), key=jobs.creation_time):
        assignment = view.assignments.get(jobs.object_name(job))
        for position, group in enumerate(assignment.groups if assignment else ()):
            for index in group:
                found.setdefault(index, []).append((job, position))
    return found


def _cell_state(
    view: View, index: int, places: Sequence[tuple[Manifest, int]], pods: Mapping[tuple[str, int], list[Manifest]]
) -> CellState:
    cell = view.run.grid.cells[index].id
    own = [p for job, position in places for p in pods.get((jobs.object_name(job), position), ())]
    failures = postmortem.all_failures(view.ledger.failures.get(cell, ()), own, cell)
    interrupted = sum(f.kind == "interrupted" for f in failures)
    job, position = places[-1] if places else (None, -1)
    state, reason = (DONE, "") if cell in view.ledger.committed else _undone(view, cell, job, position, own, failures)
    progress = view.ledger.progress.get(cell) if state == RUNNING else None
    if progress and own and progress.attempt != own[-1]["metadata"]["uid"]:
        progress = None  # an earlier attempt wrote it
    return CellState(
        index=index,
        cell=cell,
        state=state,
        settings=view.run.grid.cells[index].extensions_text,
        reason=reason,
        interrupted=interrupted,
        failed=len(failures) - interrupted,
        progress=progress,
        job=jobs.object_name(job) if job else "",
    )


def _undone(
    view: View, cell: str, job: Manifest | None, position: int, pods: Sequence[Manifest], failures: Sequence[Failure]
) -> tuple[str, str]:
    last = failures[-1].message if failures else ""
    if job is None:
        return _without_job(view, cell, failures)
    newest = pods[-1] if pods else {}
    phase = newest.get("status", {}).get("phase")
    if position in jobs.failed_indexes(job):
        return FAILED, last or "its Job gave it up"
    group = view.assignments[jobs.object_name(job)]
    if position in jobs.completed_indexes(job):
        lost = "its pod succeeded, but the store has no result: launch again"
        is_hopeless = group.sizes and failures and failures[-1].kind in PERMANENT  # which a pod of a group outlives
        return FAILED, last if is_hopeless else lost
    if jobs.has_ended(job):
        ending = jobs.true_condition(job, "Failed", "Complete") or {}
        ended = f"its Job ended first: {ending.get('message') or 'it was deleted'}"
        return FAILED, jobs.stop_reason(job) or last or ended
    if phase == "Running" and "deletionTimestamp" not in newest["metadata"]:
        several = len(group.groups[position]) > 1
        return _in_turn(view, cell, newest["metadata"]["uid"], failures) if several else (RUNNING, "")
    if phase == "Pending":
        said = postmortem.waiting_reason(newest) or view.said.why_waiting(newest) or "its containers"
        return WAITING, f"waits for {said}"
    if view.pods is None and _is_fresh(view, cell):
        return RUNNING, ""
    if data := jobs.waits_for_data(job):
        return WAITING, f"waits for its data set: {view.preparations[data]}"
    if holder := jobs.waits_for(job):
        who = names.describe_holder(holder)
        return WAITING, f"waits for its teacher: {who}" if jobs.waits_for_teachers(job) else f"{HELD}{who}: waited for"
    if job["spec"].get("suspend"):
        queued = view.said.why_queued(job)
        return WAITING, f"waits in its queue: {queued}" if queued else "its Job is suspended (by a queue or by hand)"
    if refused := view.said.why_refused(job):
        return WAITING, f"its pod cannot be created: {refused}"
    return WAITING, f"is tried again after: {last}" if last else "waits for its turn"


def _in_turn(view: View, cell: str, pod: str, failures: Sequence[Failure]) -> tuple[str, str]:
    """Returns the state of a cell whose running pod trains several."""
    own = next((f for f in failures if f.attempt == pod), None)
    if own:
        return (FAILED, own.message) if own.kind in PERMANENT else (WAITING, f"is tried again after: {own.message}")
    progress = view.ledger.progress.get(cell)
    return (RUNNING, "") if progress and progress.attempt == pod else (WAITING, IN_TURN)


def _is_fresh(view: View, cell: str) -> bool:
    """Returns whether a progress record shows that an attempt trains the cell."""
    progress = view.ledger.progress.get(cell)
    return progress is not None and is_recent(progress.time, view.time, FRESH)


def _without_job(view: View, cell: str, failures: Sequence[Failure]) -> tuple[str, str]:
    if _is_fresh(view, cell):
        return RUNNING, ""
    if failures and failures[-1].kind != "interrupted":
        return FAILED, failures[-1].message
    if view.jobs is None:
        return MISSING, "the store has no result and no recent progress of it"
    return MISSING, "no Job in the cluster trains it" + (f"; before: {failures[-1].message}" if failures else "")
