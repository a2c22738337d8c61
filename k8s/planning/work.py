"""Which Jobs a launch needs: pure, from what the store holds and what the cluster already does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiment.assignment import Assignment
from experiment.grid import Grid
from k8s.cluster import jobs
from k8s.manifests import names
from k8s.manifests.names import Manifest


@dataclass(frozen=True, kw_only=True)
class Work:
    """The Jobs to create.

    Attributes:
        trainers: one per data set with cells to train.
        prepare: data set of each preparing Job, by name.
        collect: the collecting Job's name; empty if none is needed.
        active: cells that Jobs of the cluster are at.
        given_up: cells that Jobs of the cluster failed at; ``k8s.retry`` trains them again.
    """

    trainers: tuple[Assignment, ...]
    prepare: Mapping[str, str]
    collect: str
    active: Mapping[int, str]
    given_up: Mapping[int, str]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a launch finds.

    Attributes:
        jobs: of the run, in the cluster.
        assignments: the cells of its trainer Jobs, by name.
        prepared: names of the data sets that the store has.
        reported: whether the store has a report of the run.
    """

    jobs: Sequence[Manifest] = ()
    assignments: Mapping[str, Assignment] | None = None
    prepared: Collection[str] = ()
    reported: bool = False


def work(run: str, grid: Grid, missing: Iterable[int], scene: Scene, *, again: bool = False) -> Work:
    """The Jobs that the missing cells need beyond those that are there; ``again``: also cells that a Job has given up."""
    known = scene.assignments or {}
    taken = {jobs.name(j) for j in scene.jobs}
    active = jobs.covered(scene.jobs, known)
    given_up = {i: j for i, j in jobs.given_up(scene.jobs, known).items() if i not in active}
    todo = [i for i in missing if i not in active and (again or i not in given_up)]
    trainers = tuple(_assign(run, dataset, own, taken) for dataset, own in _by_dataset(grid, todo).items())
    needed = _by_dataset(grid, todo).keys() - set(scene.prepared) - _preparing(scene.jobs)
    prepare = {names.prepare_job(run, d, taken): d for d in sorted(needed)}
    missing_ids = set(missing)
    return Work(
        trainers=trainers,
        prepare=prepare,
        collect=_collect(run, trainers, scene, taken),
        active={i: j for i, j in active.items() if i in missing_ids},
        given_up={i: j for i, j in given_up.items() if i in missing_ids},
    )


def _by_dataset(grid: Grid, indexes: Iterable[int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index in indexes:
        found.setdefault(grid.cells[index].dataset, []).append(index)
    return found


def _assign(run: str, dataset: str, indexes: list[int], taken: Collection[str]) -> Assignment:
    return Assignment(run=run, job=names.trainer_job(run, dataset, indexes, taken), indexes=tuple(indexes))


def _preparing(found: Iterable[Manifest]) -> set[str]:
    return {jobs.label(j, names.DATASET) for j in found if jobs.part(j, names.PREPARE) and not jobs.finished(j)}


def _collect(run: str, trainers: Sequence[Assignment], scene: Scene, taken: Collection[str]) -> str:
    """A launch with new Jobs has its own collecting Job; otherwise there is one while there is something to report."""
    running = [j for j in scene.jobs if not jobs.finished(j)]
    collecting = any(jobs.part(j, names.COLLECT) for j in running)
    training = any(jobs.part(j, names.TRAINER) for j in running)
    if not trainers and (collecting or (scene.reported and not training)):
        return ""
    return names.collect_job(run, [a.job for a in trainers], taken)
