"""What a plan of looks has spent and would spend: hours of this machine, or dollars in a cluster. Pure.

Both follow from the cells that are done, so a launch that was killed counts nothing twice and forgets nothing: hours are the
measured ones of the done cells, shared by the workers; dollars are the forecast at their measured speeds. Neither is a clock
or a bill: attempts that were lost, and the start of the programs, are not in the hours.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from experiment.cell import Cell
from experiment.grid import Grid
from experiment.workload import multiply_adds
from k8s.manifests.settings import Settings
from k8s.planning import forecast, forecast_table, gpu_types
from k8s.planning.jobs_needed import group_cells
from k8s.planning.next_round import DOLLARS, HOURS, Purse
from k8s.planning.plan import DoneCell, Plan
from k8s.planning.work import Work, job_work


def fill_with_hours(plan: Plan, free: Collection[str], budget: float, workers: int) -> Purse:
    """Returns the hours of this machine that a plan of looks has.

    Args:
        plan: the survey of all cells that were launched for it.
        free: ids of the cells that were done before it.
        workers: of the launch.
    """

    def cost(cells: Sequence[Cell]) -> float:
        ahead = [c for c in cells if c.id not in plan.done]
        return estimate_seconds(ahead, plan.done, plan.grid.cells) / 3600 / workers

    spent = sum(d.seconds for i, d in plan.done.items() if i not in free) / 3600 / workers
    return Purse(unit=HOURS, budget=budget, spent=spent, cost=cost)


def estimate_seconds(cells: Sequence[Cell], done: Mapping[str, DoneCell], known: Iterable[Cell]) -> float:
    """Returns the seconds of these cells, from the done ones' seconds per multiply-add; NaN where none is done."""
    if not cells:
        return 0.0
    measured = [(done[c.id].seconds, multiply_adds(c)) for c in known if c.id in done]
    work = sum(w for _, w in measured)
    return sum(map(multiply_adds, cells)) * sum(s for s, _ in measured) / work if work else math.nan


def fill_with_dollars(plan: Plan, free: Collection[str], budget: float, settings: Settings) -> Purse:
    """Returns the dollars that a plan of looks has in a cluster of these settings.

    Args:
        plan: the survey of all cells that were launched for it.
        free: ids of the cells that were done before it.

    Raises:
        InvalidInput: the table lacks the type of GPU that the settings name.
    """
    table = gpu_types.load_gpu_types(settings.gpu_table)
    speeds = forecast.measured_speeds(plan.grid, plan.done, plan.speeds)

    def price(cells: Sequence[Cell]) -> float:
        by_dataset: dict[str, list[Cell]] = {}
        for cell in cells:
            by_dataset.setdefault(cell.dataset, []).append(cell)
        works = [_work_of(name, own, settings, table) for name, own in by_dataset.items()]
        jobs = [forecast.forecast_job(work, table, speeds) for work in works]
        return forecast_table.choose_dollars(forecast_table.add_up(jobs), settings.capacity)

    def cost(cells: Sequence[Cell]) -> float:
        return price([c for c in cells if c.id not in plan.done])

    spent = price([c for c in plan.grid.cells if c.id in plan.done and c.id not in free])
    return Purse(unit=DOLLARS, budget=budget, spent=spent, cost=cost)


def _work_of(dataset: str, cells: Sequence[Cell], settings: Settings, table: Mapping[str, gpu_types.GpuType]) -> Work:
    """Returns what a Job for these cells has to do, in pods of as many cells as the settings of their data set say."""
    indexes = group_cells(Grid(name=dataset, cells=tuple(cells)), range(len(cells)), settings.cells_of_pod(dataset))
    return job_work(dataset, [[cells[i] for i in group] for group in indexes], settings, table)
