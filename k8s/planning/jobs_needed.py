"""Finds the Jobs that a launch needs, from the store's content and the cluster's Jobs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiment.assignment import Assignment
from experiment.grid import Grid
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest


@dataclass(frozen=True, kw_only=True)
class NeededJobs:
    """The Jobs to create, and the missing cells that need none.

    Attributes:
        trainers: one per data set with cells to train.
        prepare: data set of each preparing Job, by the Job's name.
        collect: the collecting Job's name; empty if none is needed.
        active: the Job of each missing cell that an unfinished Job covers.
        given_up: the Job of each missing cell that a Job has given up; ``k8s.retry`` trains them again.
    """

    trainers: tuple[Assignment, ...]
    prepare: Mapping[str, str]
    collect: str
    active: Mapping[int, str]
    given_up: Mapping[int, str]


@dataclass(frozen=True, kw_only=True)
class Existing:
    """What a launch can build on.

    Attributes:
        jobs: the run's Jobs in the cluster.
        assignments: the cells of its trainer Jobs, by the Job's name.
        prepared: names of the data sets that the store has.
        reported: whether the store has a report of the run.
    """

    jobs: Sequence[Manifest] = ()
    assignments: Mapping[str, Assignment] | None = None
    prepared: Collection[str] = ()
    reported: bool = False


def find_needed_jobs(
    run_name: str, grid: Grid, missing: Iterable[int], existing: Existing, *, again: bool = False
) -> NeededJobs:
    """Returns the Jobs that the missing cells need beside the existing ones; ``again``: also cells that a Job has given up."""
    known = existing.assignments or {}
    taken = {jobs.object_name(j) for j in existing.jobs}
    missing_indexes = list(missing)
    covered = jobs.covered_cells(existing.jobs, known)
    active = {i: j for i, j in covered.items() if i in set(missing_indexes)}
    failed = jobs.given_up_cells(existing.jobs, known)
    given_up = {i: j for i, j in failed.items() if i in set(missing_indexes) and i not in active}
    uncovered = [i for i in missing_indexes if i not in active and (again or i not in given_up)]
    by_dataset = _by_dataset(grid, uncovered)
    trainers = tuple(_assign(run_name, dataset, own, taken) for dataset, own in by_dataset.items())
    unprepared = by_dataset.keys() - set(existing.prepared) - _datasets_in_preparation(existing.jobs)
    return NeededJobs(
        trainers=trainers,
        prepare={names.prepare_job(run_name, d, taken): d for d in sorted(unprepared)},
        collect=_collecting_job(run_name, trainers, existing, taken),
        active=active,
        given_up=given_up,
    )


def _by_dataset(grid: Grid, indexes: Iterable[int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index in indexes:
        found.setdefault(grid.cells[index].dataset, []).append(index)
    return found


def _assign(run_name: str, dataset: str, indexes: list[int], taken: Collection[str]) -> Assignment:
    job = names.trainer_job(run_name, dataset, indexes, taken)
    return Assignment(run=run_name, job=job, indexes=tuple(indexes))


def _datasets_in_preparation(found: Iterable[Manifest]) -> set[str]:
    preparing = [j for j in found if jobs.is_part(j, names.PREPARE) and not jobs.has_ended(j)]
    return {jobs.label_of(j, names.DATASET) for j in preparing}


def _collecting_job(run_name: str, trainers: Sequence[Assignment], existing: Existing, taken: Collection[str]) -> str:
    """Returns the name of the collecting Job: a launch with new trainer Jobs has its own, others only if a report is due."""
    running = [j for j in existing.jobs if not jobs.has_ended(j)]
    collecting = any(jobs.is_part(j, names.COLLECT) for j in running)
    training = any(jobs.is_part(j, names.TRAINER) for j in running)
    if not trainers and (collecting or (existing.reported and not training)):
        return ""
    return names.collect_job(run_name, [a.job for a in trainers], taken)
