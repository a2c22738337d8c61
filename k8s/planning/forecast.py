"""Forecasts the time and the cost of a launch from measured speeds or, without any, from the published ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiment.cell import PRECISIONS, Cell
from experiment.datasets import STANDARD
from experiment.extensions import count_trained
from experiment.grid import Grid
from experiment.records import Throughput
from experiment.workload import multiply_adds
from k8s.planning.gpu_types import GpuType, gpu_type_of, slice_share
from k8s.planning.plan import DoneCell
from k8s.planning.work import Work

# Seconds that the author's K80 took for one ensemble of ST and M, with its epochs.
PUBLISHED_SECONDS = {"mnist": (2290.0, 30), "cifar10": (2180.0, 30), STANDARD: (2180.0, 30), "notmnist": (8940.0, 15)}
MOST = 3.0  # a step of any network takes its time to start: smaller ones gain no more than this over MNIST's
REFERENCE = Cell(dataset="mnist", method="single")


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Images per second of one cell, and in words where the figure comes from."""

    images_per_second: float
    basis: str


@dataclass(frozen=True, kw_only=True)
class JobForecast:
    """The forecast of one Job.

    Attributes:
        at_once: number of cells trained at the same time.
        gpus: number of GPUs or slices that they hold.
        start_minutes: of all its pods, from waiting for a node to the first step.
        gpu_hours: of all its cells with their start; of slices the part of a GPU that they are.
        cpu_hours: the same of cells without a GPU, in hours of a pod.
        hours: until its last cell ends, once the cloud gives the nodes.
        dollars, dollars_spot: for the GPUs and their share of the instances.
        after: the Job of the same launch that has to end before it; empty: none.
    """

    job: str
    cells: int
    at_once: int
    gpus: int
    start_minutes: float
    gpu_hours: float
    cpu_hours: float
    hours: float
    dollars: float
    dollars_spot: float
    basis: frozenset[str] = frozenset()
    after: str = ""


def expected_speed(
    cell: Cell, kind: str, table: Mapping[str, GpuType], measured: Iterable[Throughput], share: float = 1.0
) -> Speed:
    """Returns a cell's speed on a type of GPU: measured for such cells if possible, else the published one, scaled.

    Args:
        share: the part of a GPU. Small networks leave most of a GPU idle, so speed goes with its square root, a guess.
    """
    members = cell.member_names
    precisions = PRECISIONS if cell.precision == "auto" else (cell.precision,)
    alike = [t for t in measured if (t.dataset, t.members) == (cell.dataset, members) and t.precision in precisions]
    here = [t for t in alike if gpu_type_of(t.device, table) == kind]
    for found, factor, word in ((here, None, "measured"), (alike, table[kind], "measured elsewhere and scaled")):
        if found:
            scaled = [t.images_per_second * _ratio(t, factor, table, share) for t in found]
            devices = ", ".join(sorted({t.device for t in found}))
            return Speed(images_per_second=sum(scaled) / len(scaled), basis=f"{word}: {cell.dataset} on {devices}")
    guess = table[kind].speed * math.sqrt(share)
    place = kind if share == 1 else f"a share of {share:.3g} of {kind}"
    basis = f"published K80 speeds (783 MNIST images/s per ensemble) x {guess:.3g} for {place}, a guess"
    return Speed(images_per_second=published_speed(cell) * guess, basis=basis)


def published_speed(cell: Cell) -> float:
    """Returns images per second on the author's K80, scaled by multiply-adds for other data sets and members."""
    seconds, epochs = PUBLISHED_SECONDS.get(cell.dataset, PUBLISHED_SECONDS["mnist"])
    known = cell.dataset in PUBLISHED_SECONDS
    pattern = Cell(dataset=cell.dataset, method="single", epochs=epochs) if known else REFERENCE
    ratio = (multiply_adds(pattern) / _images(pattern)) / (multiply_adds(cell) / _images(cell))
    return _images(pattern) / seconds * min(ratio, MOST)


def _images(cell: Cell) -> int:
    return cell.epochs * count_trained(cell)


def _ratio(record: Throughput, wanted: GpuType | None, table: Mapping[str, GpuType], share: float) -> float:
    kind = gpu_type_of(record.device, table)
    of_kind = wanted.speed / table[kind].speed if wanted and kind else 1.0
    return of_kind * math.sqrt(share / slice_share(record.device))


def measured_speeds(grid: Grid, done: Mapping[str, DoneCell], recorded: Iterable[Throughput]) -> list[Throughput]:
    """Returns every measured speed: of the done cells, and recorded in the store."""
    own = [
        Throughput(
            device=done[c.id].device,
            dataset=c.dataset,
            members=c.member_names,
            precision=c.precision,
            images_per_second=done[c.id].images_per_second,
            time="",
        )
        for c in grid.cells
        if c.id in done
    ]
    return [t for t in (*own, *recorded) if t.images_per_second > 0]


def forecast_job(work: Work, table: Mapping[str, GpuType], measured: Sequence[Throughput]) -> JobForecast:
    """Returns the forecast of a Job.

    Workers that share a GPU are taken to be as fast as slices of it, whatever their speed was measured on.
    """
    device, row, count, workers = work.device, table[work.device.kind], sum(work.cells.values()), work.workers
    speeds = {c: expected_speed(c, device.kind, table, measured, device.share / workers) for c in work.cells}
    start_seconds = 60 * row.cell_minutes * (work.starts / count)
    seconds = {c: _images(c) / s.images_per_second + start_seconds for c, s in speeds.items()}
    together = sum(n * seconds[c] for c, n in work.cells.items()) / workers
    node_seconds = 60 * row.node_minutes
    pod_hours = (together + node_seconds * work.at_once) / 3600
    paid_hours = pod_hours * (device.gpus * device.share if device.gpus else 1)
    return JobForecast(
        job=work.job,
        cells=count,
        at_once=work.cells_at_once,
        gpus=work.at_once * device.gpus,
        start_minutes=row.node_minutes * work.at_once + row.cell_minutes * work.starts,
        gpu_hours=paid_hours if device.gpus else 0.0,
        cpu_hours=0.0 if device.gpus else paid_hours,
        hours=(node_seconds + max(together / work.at_once, work.in_turn * max(seconds.values()))) / 3600,
        dollars=paid_hours * row.on_demand,
        dollars_spot=paid_hours * row.spot,
        basis=frozenset(s.basis for s in speeds.values()),
        after=work.after,
    )
