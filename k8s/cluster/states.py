"""The state of every cell of a run, from what store and cluster say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from experiment.assignment import Assignment
from experiment.ledger import Ledger
from experiment.records import Failure, Progress
from experiment.run import Run
from k8s.cluster import jobs, postmortem
from k8s.manifests import names
from k8s.manifests.names import Manifest

DONE, RUNNING, WAITING, FAILED, ABSENT = STATES = ("done", "running", "waiting", "failed", "not launched")
FRESH = 90.0  # seconds for which a word of progress shows that somebody trains, where no cluster can be asked


@dataclass(frozen=True, kw_only=True)
class CellState:
    """One cell of a run.

    Attributes:
        state: one of ``STATES``.
        reason: why it failed or what it waits for, in words.
        interrupted: attempts that ended by a disruption or on request, at no cost.
        failed: attempts that failed.
        progress: of the running attempt, once it has said something.
    """

    index: int
    cell: str
    state: str
    reason: str = ""
    interrupted: int = 0
    failed: int = 0
    progress: Progress | None = None
    job: str = ""


@dataclass(frozen=True, kw_only=True)
class View:
    """What is known of a run.

    Attributes:
        ledger: what the store says of its cells.
        jobs, pods: of the cluster; None if it could not be asked.
        time: of looking.
    """

    frozen: Run
    ledger: Ledger
    assignments: Mapping[str, Assignment] = field(default_factory=dict)
    jobs: Sequence[Manifest] | None = None
    pods: Sequence[Manifest] | None = None
    time: datetime


def states(view: View) -> list[CellState]:
    """The state of every cell, in the order of the grid."""
    places = _places(view)
    pods: dict[tuple[str, int], list[Manifest]] = {}
    for pod in sorted(view.pods or (), key=lambda p: p["metadata"]["creationTimestamp"]):
        if jobs.part(pod, names.TRAINER):
            pods.setdefault((jobs.label(pod, names.JOB), int(jobs.label(pod, names.INDEX) or -1)), []).append(pod)
    return [_state(view, index, places.get(index, []), pods) for index in range(len(view.frozen.grid.cells))]


def _places(view: View) -> dict[int, list[tuple[Manifest, int]]]:
    """Each cell's Jobs in the cluster and its index there, oldest first."""
    found: dict[int, list[tuple[Manifest, int]]] = {}
    for job in sorted(view.jobs or (), key=lambda j: j["metadata"]["creationTimestamp"]):
        assignment = view.assignments.get(jobs.name(job))
        for position, index in enumerate(assignment.indexes if assignment else ()):
            found.setdefault(index, []).append((job, position))
    return found


def _state(
    view: View, index: int, places: Sequence[tuple[Manifest, int]], pods: Mapping[tuple[str, int], list[Manifest]]
) -> CellState:
    cell = view.frozen.grid.cells[index].id
    own = [p for job, position in places for p in pods.get((jobs.name(job), position), ())]
    failures = _all_failures(view.ledger.failures.get(cell, ()), own, cell)
    interrupted = sum(f.kind == "interrupted" for f in failures)
    job, position = places[-1] if places else (None, -1)
    state, reason = (DONE, "") if cell in view.ledger.committed else _undone(view, cell, job, position, own, failures)
    progress = view.ledger.progress.get(cell) if state == RUNNING else None
    if progress and own and progress.attempt != own[-1]["metadata"]["uid"]:
        progress = None  # the word of an earlier attempt
    return CellState(index=index, cell=cell, state=state, reason=reason, interrupted=interrupted, failed=len(failures) - interrupted,
                     progress=progress, job=jobs.name(job) if job else "")  # fmt: skip


def _all_failures(records: Iterable[Failure], pods: Iterable[Manifest], cell: str) -> list[Failure]:
    """The records, and what pods that left none show of their end; oldest first."""
    found = {f.attempt: f for f in records}
    for pod in pods:
        failure = postmortem.of_pod(pod, cell)
        if failure and failure.attempt not in found:
            found[failure.attempt] = failure
    return sorted(found.values(), key=lambda f: f.time)


def _undone(
    view: View, cell: str, job: Manifest | None, position: int, pods: Sequence[Manifest], failures: Sequence[Failure]
) -> tuple[str, str]:
    last = failures[-1].message if failures else ""
    if job is None:
        return _without_job(view, cell, failures)
    newest = pods[-1] if pods else {}
    phase = newest.get("status", {}).get("phase")
    if position in jobs.failed(job):
        return FAILED, last or "its Job gave it up"
    if position in jobs.completed(job):
        return FAILED, "its pod succeeded, but the store has no result: launch again"
    if jobs.finished(job):
        ending = jobs.condition(job, "Failed", "Complete") or {}
        return FAILED, last or f"its Job ended before it: {ending.get('message') or 'it was deleted'}"
    if phase == "Running" and "deletionTimestamp" not in newest["metadata"]:
        return RUNNING, ""
    if phase == "Pending":
        return WAITING, f"waits for {postmortem.waiting_for(newest)}"
    if job["spec"].get("suspend"):
        return WAITING, "its Job is suspended (by a queue or by hand)"
    return WAITING, f"to be tried again after: {last}" if last else "waits for its turn"


def _without_job(view: View, cell: str, failures: Sequence[Failure]) -> tuple[str, str]:
    progress = view.ledger.progress.get(cell)
    if progress and (view.time - datetime.fromisoformat(progress.time)).total_seconds() < FRESH:
        return RUNNING, ""
    if failures and failures[-1].kind != "interrupted":
        return FAILED, failures[-1].message
    return ABSENT, "no Job of the cluster has it"
