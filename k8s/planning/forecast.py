"""What a launch will take: GPU-hours, hours and dollars, from measured speeds or, before any, from the published ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiment.cell import PRECISIONS, Cell
from experiment.datasets import DATASETS
from experiment.errors import refuse
from experiment.grid import Grid
from experiment.records import Throughput
from k8s.manifests.settings import Settings
from k8s.planning.gpu_types import GpuType, type_of
from k8s.planning.plan import Finished, duration, work

# Seconds that the author's K80 took for one ensemble of ST and M, with its epochs.
PUBLISHED_SECONDS = {"mnist": (2290.0, 30), "cifar10": (2180.0, 30), "notmnist": (8940.0, 15)}
MOST = 3.0  # a step of any network takes its time to start: smaller ones gain no more than this over MNIST's
REFERENCE = Cell(dataset="mnist", method="single")


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Images per second of one cell, and what that rests on, in words."""

    images_per_second: float
    basis: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """The forecast of one Job.

    Attributes:
        at_once: cells trained at the same time.
        gpus: that they hold meanwhile.
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
    basis: frozenset[str]


def speed(cell: Cell, kind: str, table: Mapping[str, GpuType], measured: Iterable[Throughput]) -> Speed:
    """A cell's expected speed on a type of GPU: measured for such cells if possible, else the published one, scaled."""
    members = cell.member_names
    precisions = PRECISIONS if cell.precision == "auto" else (cell.precision,)
    alike = [t for t in measured if (t.dataset, t.members) == (cell.dataset, members) and t.precision in precisions]
    here = [t for t in alike if type_of(t.device, table) == kind]
    for found, factor, word in ((here, None, "measured"), (alike, table[kind], "measured elsewhere and scaled")):
        if found:
            scaled = [t.images_per_second * _ratio(t, factor, table) for t in found]
            devices = ", ".join(sorted({t.device for t in found}))
            return Speed(images_per_second=sum(scaled) / len(scaled), basis=f"{word}: {cell.dataset} on {devices}")
    return Speed(
        images_per_second=published(cell) * table[kind].speed,
        basis=f"published K80 speeds (783 MNIST images/s per ensemble) x {table[kind].speed:g} for {kind}, a guess",
    )


def published(cell: Cell) -> float:
    """Images per second on the author's K80; for other data sets and members scaled by their multiply-adds."""
    seconds, epochs = PUBLISHED_SECONDS.get(cell.dataset, PUBLISHED_SECONDS["mnist"])
    pattern = (
        Cell(dataset=cell.dataset, method="single", epochs=epochs) if cell.dataset in PUBLISHED_SECONDS else REFERENCE
    )
    ratio = (work(pattern) / _images(pattern)) / (work(cell) / _images(cell))
    return _images(pattern) / seconds * min(ratio, MOST)


def _images(cell: Cell) -> int:
    return cell.epochs * (cell.train_examples or DATASETS[cell.dataset].train)


def _ratio(record: Throughput, wanted: GpuType | None, table: Mapping[str, GpuType]) -> float:
    kind = type_of(record.device, table)
    return wanted.speed / table[kind].speed if wanted and kind else 1.0


def measured(grid: Grid, finished: Mapping[str, Finished], recorded: Iterable[Throughput]) -> list[Throughput]:
    """Every speed that is known: of finished cells, and recorded in the store."""
    own = [
        Throughput(
            device=finished[c.id].device,
            dataset=c.dataset,
            members=c.member_names,
            precision=c.precision,
            images_per_second=finished[c.id].images_per_second,
            time="",
        )
        for c in grid.cells
        if c.id in finished
    ]
    return [t for t in (*own, *recorded) if t.images_per_second > 0]


def part(
    job: str, cells: Sequence[Cell], settings: Settings, table: Mapping[str, GpuType], known: Sequence[Throughput]
) -> Part:
    """The forecast of a Job that trains these cells, all of one data set.

    Raises:
        InvalidInput: the table lacks the type of GPU that the settings name.
    """
    s = settings.of(cells[0].dataset)
    kind = s.gpu_type if s.gpus else "cpu"
    if kind not in table:
        raise refuse("setting gpu_type", kind, ", ".join(table), "choose one or add it to --gpu-table")
    speeds = {c.id: speed(c, kind, table, known) for c in cells}
    seconds = [_images(c) / speeds[c.id].images_per_second for c in cells]
    at_once = min(s.parallelism or len(cells), len(cells))
    each = max(s.gpus, 1)
    hours = sum(seconds) / 3600 * each
    return Part(
        job=job,
        cells=len(cells),
        at_once=at_once,
        gpus=at_once * s.gpus,
        gpu_hours=hours,
        hours=max(sum(seconds) / at_once, max(seconds)) / 3600,
        dollars=hours * table[kind].on_demand,
        dollars_spot=hours * table[kind].spot,
        basis=frozenset(s.basis for s in speeds.values()),
    )


def lines(parts: Sequence[Part]) -> list[str]:
    """The forecast as a table for people, and what it rests on."""
    if not parts:
        return []
    wide = max(len(p.job) for p in parts)
    rows = [f"{'job':{wide}}  cells  at once  GPUs  GPU-hours      time  $ on demand   $ spot"]
    rows += [f"{p.job:{wide}}  {p.cells:5d}  {p.at_once:7d}  {p.gpus:4d}  {p.gpu_hours:9.1f}  {_span(p.hours):>10}{p.dollars:11.2f}{p.dollars_spot:9.2f}"
             for p in parts]  # fmt: skip
    total = (
        sum(p.cells for p in parts),
        sum(p.at_once for p in parts),
        sum(p.gpus for p in parts),
        sum(p.gpu_hours for p in parts),
    )
    rows.append(f"{'together':{wide}}  {total[0]:5d}  {total[1]:7d}  {total[2]:4d}  {total[3]:9.1f}  {_span(max(p.hours for p in parts)):>10}"
                f"{sum(p.dollars for p in parts):11.2f}{sum(p.dollars_spot for p in parts):9.2f}")  # fmt: skip
    basis = sorted(set().union(*(p.basis for p in parts)))
    return [
        *rows,
        f"time: once all these GPUs are there and the pods started; it rests on: {'; '.join(basis)}; prices: approximate, from the table of GPU types",
    ]


def _span(hours: float) -> str:
    return duration(hours * 3600)
