"""What the Jobs of a launch have to do: cells by the time that they take, in pods, on which devices. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiment.cell import Cell
from experiment.errors import refuse
from k8s.manifests.settings import Settings
from k8s.planning.gpu_types import CPU, GpuType, slice_share


@dataclass(frozen=True, kw_only=True)
class Device:
    """What one pod trains on.

    Attributes:
        kind: a row of the table of GPU types.
        gpus: GPUs or slices of a pod; 0: none.
        share: the part of a GPU that each of them is.
    """

    kind: str
    gpus: int
    share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one Job has to do.

    Attributes:
        cells: how many cells of the Job take as long as this one: of many thousand few kinds differ in it.
        at_once: number of pods at the same time.
        device: of each pod.
        sizes: number of cells of each pod; empty where each has one.
        workers: number of cells that a pod trains at the same time.
        after: the Job of the same launch that has to end before it; empty: none.
    """

    job: str
    cells: Mapping[Cell, int]
    at_once: int
    device: Device
    sizes: Sequence[int] = ()
    workers: int = 1
    after: str = ""

    @property
    def starts(self) -> int:
        """How often a worker starts and compiles: once for all its cells."""
        return sum(min(n, self.workers) for n in self.sizes) or sum(self.cells.values())

    @property
    def cells_at_once(self) -> int:
        """Number of cells at the same time: in the largest pods where not all run together."""
        return sum(sorted((min(n, self.workers) for n in self.sizes), reverse=True)[: self.at_once]) or self.at_once

    @property
    def in_turn(self) -> int:
        """Number of cells that a worker of the largest pod trains one after another."""
        return math.ceil(max(self.sizes, default=1) / self.workers)


def job_work(
    job: str,
    groups: Sequence[Sequence[Cell]],
    settings: Settings,
    table: Mapping[str, GpuType],
    at_once: int = 0,
    after: str = "",
) -> Work:
    """Returns the work of a Job whose cells are all of one data set.

    Args:
        groups: the cells of each pod.
        at_once: its parallelism if not that of the settings.
        after: the Job of the same launch that has to end before it.

    Raises:
        InvalidInput: the table lacks the type of GPU that the settings name.
    """
    s = settings.of(groups[0][0].dataset)
    kind = s.gpu_type if s.gpus else CPU
    if kind not in table:
        raise refuse("setting gpu_type", kind, ", ".join(table), "choose one or add it to --gpu-table")
    share = (s.gpu_share or slice_share(s.gpu_resource)) if s.gpus else 1.0
    return Work(
        job=job,
        cells=count_alike(itertools.chain(*groups)),
        at_once=min(at_once or s.parallelism or len(groups), len(groups)),
        device=Device(kind=kind, gpus=s.gpus, share=share),
        sizes=tuple(map(len, groups)),
        workers=s.workers_per_gpu,
        after=after,
    )


def count_alike(cells: Iterable[Cell]) -> dict[Cell, int]:
    """Returns one cell of each kind that differs in the time of its training, and the number of cells of that kind."""
    first: dict[tuple[object, ...], Cell] = {}
    counts: dict[Cell, int] = {}
    for cell in cells:
        size = (cell.train_examples, cell.validation_examples, cell.unlabelled_share)
        others = (cell.stale_epochs > 0, cell.teacher and cell.teacher.members)  # that predict in each step, too
        kind = (cell.dataset, cell.members, cell.head, cell.precision, cell.epochs, *size, *others)
        known = first.setdefault(kind, cell)
        counts[known] = counts.get(known, 0) + 1
    return counts
