"""Finds the Jobs that a launch needs, from the store's content and the cluster's Jobs. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from experiment.assignment import Assignment
from experiment.grid import Grid
from experiment.workload import compiled_shape
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest

Shares = dict[tuple[str, str], list[int]]


@dataclass(frozen=True, kw_only=True)
class NeededJobs:
    """The Jobs to create, and the missing cells that need none.

    Attributes:
        trainers: one per data set with cells to train, and one more for each Job of another run that has some of them, and
            for each that trains teachers of some of them.
        waits: the ``RUN/JOB`` that has the cells of a trainer Job, by the Job's name.
        taught: the ``RUN/JOB`` that trains the teachers of a trainer Job's students, by the Job's name.
        prepare: data set of each preparing Job that is to be created, by the Job's name.
        preparing: the preparing Job, new or active, of each data set that the trainer Jobs wait for.
        collect: the collecting Job's name; empty if none is needed.
        active: the Job of each missing cell that an unfinished Job covers.
        given_up: the Job of each missing cell that a Job has given up; ``k8s.retry`` trains them again.
    """

    trainers: tuple[Assignment, ...]
    waits: Mapping[str, str]
    prepare: Mapping[str, str]
    preparing: Mapping[str, str]
    collect: str
    active: Mapping[int, str]
    given_up: Mapping[int, str]
    taught: Mapping[str, str] = field(default_factory=dict)

    def wait_of(self, run: str, dataset: str, job: str) -> dict[str, str]:
        """Returns the annotation that says for which ``RUN/JOB`` a trainer Job of this data set waits."""
        if job in self.taught:
            return {names.TAUGHT_BY: self.taught[job]}
        return {names.WAITS_FOR: self.waits.get(job) or f"{run}/{self.preparing[dataset]}"}


@dataclass(frozen=True, kw_only=True)
class Existing:
    """What a launch can build on.

    Attributes:
        jobs: the run's Jobs in the cluster.
        assignments: the cells of its trainer Jobs, by the Job's name.
        held: the ``RUN/JOB`` of other runs' unfinished Jobs, by the id of the cells that they have.
        reported: whether the store has a report of the run.
    """

    jobs: Sequence[Manifest] = ()
    assignments: Mapping[str, Assignment] | None = None
    held: Mapping[str, str] = field(default_factory=dict)
    reported: bool = False


def find_needed_jobs(
    run_name: str,
    grid: Grid,
    missing: Iterable[int],
    existing: Existing,
    *,
    again: bool = False,
    cells_per_pod: Callable[[str], int] = lambda _: 1,
) -> NeededJobs:
    """Returns the Jobs that the missing cells need beside the existing ones; ``again``: also cells that a Job has given up.

    Args:
        cells_per_pod: of a data set.
    """
    known = existing.assignments or {}
    taken = {jobs.object_name(j) for j in existing.jobs}
    missing_indexes = list(missing)
    covered = jobs.covered_cells(existing.jobs, known)
    active = {i: j for i, j in covered.items() if i in set(missing_indexes)}
    teachers = grid.teachers
    failed = jobs.given_up_cells(existing.jobs, known)
    idle = set(missing_indexes) - active.keys()
    given_up = {i: j for i, j in failed.items() if i in idle}
    given_up |= {i: given_up[t] for i, t in teachers.items() if t in given_up and i in idle}
    uncovered = [i for i in missing_indexes if i not in active and (again or i not in given_up)]

    def assign(shares: Shares) -> dict[Assignment, str]:
        cells = ((cells_per_pod(dataset), holder, own) for (dataset, holder), own in shares.items())
        return {_assign(run_name, grid, own, taken, most): holder for most, holder, own in cells}

    untaught = {*uncovered, *covered}
    students = {i for i in uncovered if teachers.get(i) in untaught and grid.cells[i].id not in existing.held}
    first = assign(
        _share_out(grid, {i: existing.held.get(grid.cells[i].id, "") for i in uncovered if i not in students})
    )
    places = {**covered, **{i: a.job for a in first for i in a.indexes}}
    later = assign(_share_out(grid, {i: f"{run_name}/{places[teachers[i]]}" for i in sorted(students)}))
    trainers = (*first, *later)
    active_preparing = _preparing_jobs(existing.jobs)
    datasets = sorted({grid.cells[a.indexes[0]].dataset for a in trainers})
    new = {d: names.prepare_job(run_name, d, taken) for d in datasets if d not in active_preparing}
    return NeededJobs(
        trainers=trainers,
        waits={a.job: holder for a, holder in first.items() if holder},
        taught={a.job: holder for a, holder in later.items()},
        prepare={job: dataset for dataset, job in new.items()},
        preparing={d: new.get(d) or active_preparing[d] for d in datasets},
        collect=_collecting_job(run_name, trainers, existing, taken),
        active=active,
        given_up=given_up,
    )


def _share_out(grid: Grid, waits: Mapping[int, str]) -> Shares:
    """Returns the indexes by data set and by the Job that they wait for; empty where they wait for none."""
    found: Shares = {}
    for index, holder in waits.items():
        found.setdefault((grid.cells[index].dataset, holder), []).append(index)
    return found


def _assign(run_name: str, grid: Grid, indexes: list[int], taken: Collection[str], most: int) -> Assignment:
    dataset = grid.cells[indexes[0]].dataset
    if most == 1:
        job = names.trainer_job(run_name, dataset, indexes, taken)
        return Assignment(run=run_name, job=job, indexes=tuple(indexes))
    groups = group_cells(grid, indexes, most)
    job, sizes = names.trainer_job(run_name, dataset, groups, taken), tuple(map(len, groups))
    return Assignment(run=run_name, job=job, indexes=tuple(itertools.chain(*groups)), sizes=sizes)


def group_cells(grid: Grid, indexes: Iterable[int], most: int) -> list[list[int]]:
    """Returns the indexes in groups of one compiled shape, of ``most`` at most and as equal as can be: none is left over alone."""
    shapes: dict[object, list[int]] = {}
    for index in indexes:
        shapes.setdefault(compiled_shape(grid.cells[index]), []).append(index)
    return [group for own in shapes.values() for group in _split_evenly(own, math.ceil(len(own) / most))]


def _split_evenly(indexes: list[int], parts: int) -> list[list[int]]:
    ends = [len(indexes) * n // parts for n in range(parts + 1)]
    return [indexes[a:b] for a, b in itertools.pairwise(ends)]


def _preparing_jobs(found: Iterable[Manifest]) -> dict[str, str]:
    """Returns the unfinished preparing Jobs by their data sets."""
    preparing = jobs.unfinished_jobs(found, names.PREPARE)
    return {jobs.label_of(j, names.DATASET): jobs.object_name(j) for j in preparing}


def _collecting_job(run_name: str, trainers: Sequence[Assignment], existing: Existing, taken: Collection[str]) -> str:
    """Returns the name of the collecting Job: a launch with new trainer Jobs has its own, others only if a report is due."""
    running = [j for j in existing.jobs if not jobs.has_ended(j)]
    collecting = any(jobs.is_part(j, names.COLLECT) for j in running)
    training = any(jobs.is_part(j, names.TRAINER) for j in running)
    if not trainers and (collecting or (existing.reported and not training)):
        return ""
    return names.collect_job(run_name, [a.job for a in trainers], taken)
