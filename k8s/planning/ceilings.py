"""Ceilings of a launch: how the Jobs of a run share its GPUs, and what a launch may cost. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput, refuse
from experiment.grid import Grid
from k8s.manifests import jobs, names
from k8s.manifests.settings import Settings
from k8s.planning.jobs_needed import Existing, NeededJobs


@dataclass(frozen=True, kw_only=True)
class Part:
    """A trainer Job that shares the GPUs of its run.

    Attributes:
        pods: number of pods, each of a cell or a group of cells, that it has still to run.
        gpus: GPUs of each of its pods.
        most: its largest parallelism.
    """

    job: str
    pods: int
    gpus: int
    most: int


def find_shares(settings: Settings, grid: Grid, needed: NeededJobs, existing: Existing) -> dict[str, int]:
    """Returns the parallelism of the run's unfinished trainer Jobs under ``max_gpus``, by name; empty without that ceiling.

    A Job that waits for another run has its share too, since it may start at any time. Jobs without a GPU have none.

    Raises:
        InvalidInput: the ceiling is less than one pod of each Job needs.
    """
    if not settings.max_gpus:
        return {}
    return share_gpus(settings.max_gpus, [*_new_parts(settings, grid, needed), *_active_parts(settings, existing)])


def _new_parts(settings: Settings, grid: Grid, needed: NeededJobs) -> Iterator[Part]:
    for assignment in needed.trainers:
        dataset, pods = grid.cells[assignment.indexes[0]].dataset, len(assignment.groups)
        yield from _part(settings, assignment.job, dataset, pods, pods)


def _active_parts(settings: Settings, existing: Existing) -> Iterator[Part]:
    known = existing.assignments or {}
    for job in jobs.unfinished_jobs(existing.jobs, names.TRAINER):
        name, completions = jobs.object_name(job), job["spec"]["completions"]
        left = jobs.count_open(job, known[name]) if name in known else completions
        yield from _part(settings, name, jobs.label_of(job, names.DATASET), max(left, 1), completions)


def _part(settings: Settings, job: str, dataset: str, pods: int, completions: int) -> Iterator[Part]:
    own = settings.of(dataset)
    if own.gpus:
        yield Part(job=job, pods=pods, gpus=own.gpus, most=min(own.parallelism or completions, pods))


def share_gpus(ceiling: int, parts: Sequence[Part]) -> dict[str, int]:
    """Returns how many pods of each Job run at the same time: one at least, the others in proportion to those that each has still to run.

    Raises:
        InvalidInput: the ceiling is less than one pod of each Job needs.
    """
    left = ceiling - sum(p.gpus for p in parts)
    if left < 0:
        each = f"{ceiling - left}, for one pod of each of the run's {len(parts)} trainer Jobs"
        advice = "raise it, or launch fewer data sets at a time with --only"
        raise refuse("setting max_gpus", ceiling, f"at least {each}", advice)
    pods = {p.job: 1 for p in parts}
    # Each further pod goes to the Job that has the most work for each of its pods.
    waiting = [(-p.pods / 2, p.job, p) for p in parts]
    heapq.heapify(waiting)
    while waiting:
        _, _, part = heapq.heappop(waiting)
        if pods[part.job] < part.most and part.gpus <= left:
            pods[part.job] += 1
            left -= part.gpus
            heapq.heappush(waiting, (-part.pods / (pods[part.job] + 1), part.job, part))
    return pods


def describe_shares(settings: Settings, shares: Mapping[str, int]) -> list[str]:
    """Returns in a line how the run's Jobs share the GPUs; nothing without that ceiling."""
    if not shares:
        return []
    each = ", ".join(f"{job} {pods}" for job, pods in shares.items())
    queue = f"; of these the queue {settings.queue} decides how many start, and when" if settings.queue else ""
    grouped = any(settings.cells_of_pod(d) > 1 for d in (*DATASETS, *settings.dataset))
    what = "pods" if grouped else "cells"
    return [f"max_gpus {settings.max_gpus}, shared by the run's trainer Jobs, {what} at once: {each}{queue}"]


def check_dollars(dollars: float, settings: Settings, spent: float) -> None:
    """Accepts a launch whose forecast and what its run has taken so far are within ``max_dollars``.

    Raises:
        InvalidInput: it is above.
    """
    excess = describe_excess(dollars, settings, spent)
    if excess:
        raise InvalidInput(excess)


def describe_excess(dollars: float, settings: Settings, spent: float) -> str:
    """Returns the line about a forecast that leads above ``max_dollars``; empty within it, or without that ceiling.

    Args:
        spent: what the run has taken so far. A launch that creates nothing costs nothing, however much that is.
    """
    if not settings.max_dollars or not dollars or dollars + spent <= settings.max_dollars:
        return ""
    advice = "launch fewer cells (--only, --seeds), set another gpu_type or capacity, or raise --max-dollars"
    so_far = f", and its run has taken ${spent:,.2f} so far" if spent else ""
    allowed = f"{'together ' if spent else ''}up to max_dollars, ${settings.max_dollars:,.2f}"
    return f"the forecast of this launch is ${dollars:,.2f}{so_far}; allowed: {allowed}; {advice}"


def describe_limits(dollars: float, settings: Settings, spent: float = 0.0) -> list[str]:
    """Returns in a line, for a plan or a rehearsal, what a launch of this forecast would meet: a refusal, a question or nothing."""
    excess = describe_excess(dollars, settings, spent)
    if excess:
        return [f"a launch would be refused: {excess}"]
    if dollars > settings.ask_above:
        return [
            f"a launch would ask first, or need --yes: ${dollars:,.2f} is above ask_above, ${settings.ask_above:,.2f}"
        ]
    return []
