"""Forecasts the time and the cost of a launch from measured speeds or, without any, from the published ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiment.cell import PRECISIONS, Cell
from experiment.datasets import DATASETS
from experiment.errors import refuse
from experiment.grid import Grid
from experiment.records import Throughput
from k8s.manifests.settings import Settings
from k8s.planning.gpu_types import GpuType, gpu_type_of
from k8s.planning.plan import DoneCell, multiply_adds
from k8s.wording import format_duration

# Seconds that the author's K80 took for one ensemble of ST and M, with its epochs.
PUBLISHED_SECONDS = {"mnist": (2290.0, 30), "cifar10": (2180.0, 30), "notmnist": (8940.0, 15)}
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
        gpus: number of GPUs that they hold.
        gpu_hours: of all its cells.
        hours: until its last cell ends, once all its GPUs are there.
        dollars, dollars_spot: for the GPUs and their share of the instances.
    """

    job: str
    cells: int
    at_once: int
    gpus: int
    gpu_hours: float
    hours: float
    dollars: float
    dollars_spot: float
    basis: frozenset[str] = frozenset()


def expected_speed(cell: Cell, kind: str, table: Mapping[str, GpuType], measured: Iterable[Throughput]) -> Speed:
    """Returns a cell's speed on a type of GPU: measured for such cells if possible, else the published one, scaled."""
    members = cell.member_names
    precisions = PRECISIONS if cell.precision == "auto" else (cell.precision,)
    alike = [t for t in measured if (t.dataset, t.members) == (cell.dataset, members) and t.precision in precisions]
    here = [t for t in alike if gpu_type_of(t.device, table) == kind]
    for found, factor, word in ((here, None, "measured"), (alike, table[kind], "measured elsewhere and scaled")):
        if found:
            scaled = [t.images_per_second * _ratio(t, factor, table) for t in found]
            devices = ", ".join(sorted({t.device for t in found}))
            return Speed(images_per_second=sum(scaled) / len(scaled), basis=f"{word}: {cell.dataset} on {devices}")
    factor_of_kind = table[kind].speed
    basis = f"published K80 speeds (783 MNIST images/s per ensemble) x {factor_of_kind:g} for {kind}, a guess"
    return Speed(images_per_second=published_speed(cell) * factor_of_kind, basis=basis)


def published_speed(cell: Cell) -> float:
    """Returns images per second on the author's K80, scaled by multiply-adds for other data sets and members."""
    seconds, epochs = PUBLISHED_SECONDS.get(cell.dataset, PUBLISHED_SECONDS["mnist"])
    known = cell.dataset in PUBLISHED_SECONDS
    pattern = Cell(dataset=cell.dataset, method="single", epochs=epochs) if known else REFERENCE
    ratio = (multiply_adds(pattern) / _images(pattern)) / (multiply_adds(cell) / _images(cell))
    return _images(pattern) / seconds * min(ratio, MOST)


def _images(cell: Cell) -> int:
    return cell.epochs * (cell.train_examples or DATASETS[cell.dataset].train)


def _ratio(record: Throughput, wanted: GpuType | None, table: Mapping[str, GpuType]) -> float:
    kind = gpu_type_of(record.device, table)
    return wanted.speed / table[kind].speed if wanted and kind else 1.0


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


def forecast_job(
    job: str, cells: Sequence[Cell], settings: Settings, table: Mapping[str, GpuType], measured: Sequence[Throughput]
) -> JobForecast:
    """Returns the forecast of a Job that trains these cells, all of one data set.

    Raises:
        InvalidInput: the table lacks the type of GPU that the settings name.
    """
    s = settings.of(cells[0].dataset)
    kind = s.gpu_type if s.gpus else "cpu"
    if kind not in table:
        raise refuse("setting gpu_type", kind, ", ".join(table), "choose one or add it to --gpu-table")
    speeds = {c.id: expected_speed(c, kind, table, measured) for c in cells}
    seconds = [_images(c) / speeds[c.id].images_per_second for c in cells]
    at_once = min(s.parallelism or len(cells), len(cells))
    gpu_hours = sum(seconds) / 3600 * max(s.gpus, 1)
    return JobForecast(
        job=job,
        cells=len(cells),
        at_once=at_once,
        gpus=at_once * s.gpus,
        gpu_hours=gpu_hours,
        hours=max(sum(seconds) / at_once, max(seconds)) / 3600,
        dollars=gpu_hours * table[kind].on_demand,
        dollars_spot=gpu_hours * table[kind].spot,
        basis=frozenset(s.basis for s in speeds.values()),
    )


def forecast_table(jobs: Sequence[JobForecast]) -> list[str]:
    """Returns the forecast as a table for people, and where its figures come from."""
    if not jobs:
        return []
    wide = max(len(j.job) for j in jobs)
    head = f"{'job':{wide}}  cells  at once  GPUs  GPU-hours      time  $ on demand   $ spot"
    rows = [_row(j, wide) for j in (*jobs, _together(jobs))]
    basis = sorted(set().union(*(j.basis for j in jobs)))
    notes = [
        f"time: once all these GPUs are there and the pods started; it rests on: {'; '.join(basis)}",
        "prices: approximate, from the table of GPU types",
    ]
    return [head, *rows, "; ".join(notes)]


def _together(jobs: Sequence[JobForecast]) -> JobForecast:
    return JobForecast(
        job="together",
        cells=sum(j.cells for j in jobs),
        at_once=sum(j.at_once for j in jobs),
        gpus=sum(j.gpus for j in jobs),
        gpu_hours=sum(j.gpu_hours for j in jobs),
        hours=max(j.hours for j in jobs),
        dollars=sum(j.dollars for j in jobs),
        dollars_spot=sum(j.dollars_spot for j in jobs),
    )


def _row(j: JobForecast, wide: int) -> str:
    counts = f"{j.job:{wide}}  {j.cells:5d}  {j.at_once:7d}  {j.gpus:4d}  {j.gpu_hours:9.1f}"
    return f"{counts}  {format_duration(j.hours * 3600):>10}{j.dollars:11.2f}{j.dollars_spot:9.2f}"
