"""The workers of a launch on this machine: how many its flags and the machine allow, and on what they train."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiment.cores import usable_cores
from experiment.places import MOST_WORKERS


@dataclass(frozen=True, kw_only=True)
class Crew:
    """The workers of a launch.

    Attributes:
        gpus: the value of CUDA_VISIBLE_DEVICES for each GPU that they share; none: they have the cores.
        threads: of a worker without a GPU.
    """

    workers: int
    gpus: tuple[str, ...] = ()
    threads: int = 1

    @property
    def flags(self) -> tuple[str, ...]:
        """The trainer's flags for such workers."""
        threads = () if self.gpus else ("--threads", str(self.threads))
        return ("--workers", str(self.workers), *threads)

    @property
    def env(self) -> Mapping[str, str]:
        """The variables that show the trainer their GPUs and no others."""
        return {"CUDA_VISIBLE_DEVICES": ",".join(self.gpus)}


def find_crew(arguments: argparse.Namespace, gpus: Sequence[str], cells: int) -> Crew:
    """Returns the workers that the launcher's flags and this machine allow for so many cells."""
    return choose_crew(
        gpus,
        usable_cores(),
        workers=arguments.workers,
        threads=arguments.threads,
        per_gpu=arguments.cells_per_gpu,
        cells=cells,
    )


def choose_crew(
    gpus: Sequence[str], cores: int, *, workers: int | None, threads: int, per_gpu: int, cells: int
) -> Crew:
    """Returns a worker per GPU and cell that shares it, else one per core; never more than there are cells to train.

    Args:
        workers: the user's own number; None for all that fit.
        threads: of a worker without a GPU.
    """
    fitting = per_gpu * len(gpus) if gpus else max(cores // threads, 1)
    return Crew(workers=min(workers or fitting, cells, MOST_WORKERS), gpus=tuple(gpus), threads=threads)
