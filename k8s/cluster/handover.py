"""Suspended Jobs: they take no node until what they wait for has ended.

Every trainer Job waits for the one that prepares its data set (``k8s.cluster.preparation``). Cells that another run's Job has
are in a Job of their own, which waits for that one to end without them; so are students whose teachers are not trained yet.

A pod that waited for them would hold a GPU. Where two launches do not see one another's Jobs (at the same moment, in other
namespaces and clusters), leases let one pod train and the other wait.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence

from experiment import urls
from experiment.assignment import Assignment, read_assignment
from experiment.cell import Cell
from experiment.errors import ExperimentError, InvalidInput, NotFound, describe_error
from experiment.ledger import committed_ids
from experiment.run import Run, read_run
from experiment.store import Store
from k8s.cluster import postmortem
from k8s.cluster.kube import Kube
from k8s.cluster.preparation import find_preparing_job, refuse_cells, settle_unprepared, starting_change
from k8s.cluster.states import View
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest
from k8s.planning.cluster_plan import describe_waiting


def find_held_cells(kube: Kube, store: Store, run_name: str) -> dict[str, str]:
    """Returns the ``RUN/JOB`` of other runs on this store whose unfinished Jobs in this namespace have cells, by their ids."""
    held: dict[str, str] = {}
    for job in kube.list("Job", f"{names.PART}={names.TRAINER}"):
        run, name = jobs.label_of(job, names.RUN), jobs.object_name(job)
        is_here = jobs.annotation_of(job, names.RUN_URL) == urls.run_url(store.url, run)
        if run == run_name or not is_here or jobs.has_ended(job) or jobs.waits_for_cells(job):
            continue
        try:
            assignment, cells = read_assignment(store, run, name), read_run(store, run).grid.cells
        except ExperimentError:  # its own status names what is damaged, and leases keep the runs apart all the same
            continue
        indexes = jobs.covered_cells([job], {name: assignment})
        held |= {cells[i].id: f"{run}/{name}" for i in indexes if i < len(cells)}
    return held


def settle_waiting_jobs(
    kube: Kube, store: Store, run: Run, found: Iterable[Manifest], assignments: Mapping[str, Assignment]
) -> list[str]:
    """Starts the run's waiting Jobs whose time has come, and removes those that have nothing to train any more.

    Args:
        found: the run's Jobs.
        assignments: their cells, by the Job's name.

    Returns:
        what was done, or could not be, one line each.
    """
    lines, found = [], list(found)
    for job in found:
        name = jobs.object_name(job)
        if jobs.waits_for(job) and name in assignments:
            cells = [run.grid.cells[i] for i in assignments[name].indexes]
            try:
                lines += _settle(kube, store, run, job, cells, found)
            except InvalidInput as error:  # a namespace set up by an earlier version does not let the collecting Job
                lines.append(f"{name} could not be started or removed: {describe_error(error)}")
    return lines


def _settle(
    kube: Kube, store: Store, run: Run, job: Manifest, cells: Sequence[Cell], found: Sequence[Manifest]
) -> list[str]:
    if jobs.waits_for_teachers(job):
        return _settle_students(kube, store, job, cells)
    settle = _settle_held if jobs.waits_for_cells(job) else settle_unprepared
    return settle(kube, store, run, job, cells, found)


def follow_waiting_jobs(kube: Kube, store: Store, view: View) -> list[str]:
    """Settles the waiting Jobs of a run that somebody watches; returns what was done, and who has the other cells."""
    waiting = describe_waiting_jobs(view)
    return [*waiting, *settle_waiting_jobs(kube, store, view.run, view.jobs or (), view.assignments)]


def describe_waiting_jobs(view: View) -> list[str]:
    """Returns in lines which runs have the cells of this run's waiting Jobs."""
    counts: dict[str, int] = {}
    for job in view.jobs or ():
        holder, assignment = jobs.waits_for_cells(job), view.assignments.get(jobs.object_name(job))
        if holder and assignment:
            counts[holder] = counts.get(holder, 0) + len(assignment.indexes)
    return describe_waiting(counts)


def _follow_holder(kube: Kube, store: Store, holder: str) -> bool:
    """Starts or removes a Job that another one waits for, if what it waits for itself is there or cannot be.

    Its launch may have ended before it had a collecting Job, which alone would do it.

    Returns:
        whether it has ended.
    """
    run, _, name = holder.partition("/")
    job = _find_job(kube, name)
    if job is None or jobs.has_ended(job):
        return True
    if jobs.waits_for_teachers(job):
        with contextlib.suppress(ExperimentError):  # its own status names what is damaged
            grid = read_run(store, run).grid
            _settle_students(kube, store, job, [grid.cells[i] for i in read_assignment(store, run, name).indexes])
        return False
    if not jobs.waits_for_data(job):
        return False
    preparing = _find_job(kube, jobs.waits_for_data(job))
    if preparing and jobs.true_condition(preparing, "Failed"):
        kube.delete("Job", name)
        return True
    if preparing is None or jobs.has_ended(preparing):
        kube.patch("Job", name, starting_change(job))
    return False


def _find_job(kube: Kube, name: str) -> Manifest | None:
    try:
        return kube.get("Job", name)
    except NotFound:
        return None


def _settle_held(
    kube: Kube, store: Store, run: Run, job: Manifest, cells: Sequence[Cell], found: Sequence[Manifest]
) -> list[str]:
    """Starts or removes a Job whose cells another run's Job has, if that has ended or has done them."""
    name, holder = jobs.object_name(job), names.describe_holder(jobs.waits_for(job))
    ended = _follow_holder(kube, store, jobs.waits_for(job))
    # Looked at after the holder, which may commit to the last.
    missing = {c.id for c in cells} - committed_ids(store, cells)
    if not missing:
        kube.delete("Job", name)
        return [f"removed {name}: its cells are done by {holder}"]
    if not ended:
        return []
    held = find_held_cells(kube, store, run.name)
    if missing <= held.keys():  # a third run was quicker
        other = held[min(missing)]
        kube.patch("Job", name, {"metadata": {"annotations": {names.WAITS_FOR: other}}})
        return [f"{name} now waits for {names.describe_holder(other)}"]
    gone = f"{holder} has ended without {len(missing)} of its cells"
    preparing = find_preparing_job(job, found)
    if preparing and not jobs.true_condition(preparing, "Complete"):
        own = f"{run.name}/{jobs.object_name(preparing)}"
        kube.patch("Job", name, {"metadata": {"annotations": {names.WAITS_FOR: own}}})
        return [f"{name} now waits for its data set: {gone}"]
    kube.patch("Job", name, starting_change(job))
    return [f"started {name}: {gone}"]


def _settle_students(kube: Kube, store: Store, job: Manifest, cells: Sequence[Cell]) -> list[str]:
    """Starts a Job whose cells' teachers are trained, or removes it if the Job that trains them has ended without any."""
    name, trains = jobs.object_name(job), jobs.waits_for(job)
    ended = _follow_holder(kube, store, trains)
    # Looked at after the Job, which may commit to the last.
    teachers = {c.teacher.id: c.teacher for c in cells if c.teacher}
    taught = committed_ids(store, teachers.values())
    if taught == teachers.keys() or (ended and taught):
        kube.patch("Job", name, starting_change(job))
        return [f"started {name}: {len(taught)} of {len(teachers)} teachers of its cells are trained"]
    if not ended:
        return []
    message = f"{names.describe_holder(trains)} has ended without the teachers of its cells"
    refuse_cells(
        store,
        cells,
        {"attempt": job["metadata"]["uid"], "kind": "error", "exit_code": postmortem.KILLED, "message": message},
    )
    kube.delete("Job", name)
    return [f"removed {name}: {message}; launch again when that is mended"]
