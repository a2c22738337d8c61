"""The attempts of one process at cells of a run: at one cell, as in a pod, or at many, as a warm worker."""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import threading
import uuid
from typing import IO

from experiment import records
from experiment.errors import Interrupted
from experiment.run import Run
from experiment.store import Store
from trainer import arguments, datasets, worker
from trainer.attempt import AttemptOptions, attempt_cell
from trainer.model import device
from trainer.stopping import Stop

HELD_SECONDS = 2.0  # between two tries at a cell that another process of this machine holds
_log = logging.getLogger(__name__)


def attempt_options(store: Store, run: Run, stop: Stop, *, tensorboard: bool = False) -> AttemptOptions:
    """Returns the options that all attempts of this process share, taken from its environment.

    Raises:
        InvalidInput: a variable has an impossible value.
    """
    deterministic = arguments.is_deterministic(os.environ)
    jit = device.prepare_device(deterministic=deterministic)
    _log.info("training on %s", device.device_name())
    if unused := device.explain_unused_gpu(os.environ):
        _log.warning("%s", unused)
    return AttemptOptions(
        store=store,
        attempt=arguments.attempt_name(os.environ),
        load=functools.lru_cache(maxsize=1)(functools.partial(datasets.load_dataset, store)),
        stopping=stop.is_set,
        finish_first=stop.finish_first,
        checkpoint_seconds=arguments.checkpoint_seconds(os.environ),
        outage_seconds=arguments.outage_seconds(os.environ),
        git_commit=os.environ.get("GIT_COMMIT") or run.provenance.get("git_commit", "unknown"),
        image=os.environ.get("IMAGE", ""),
        deterministic=deterministic,
        jit=jit,
        tensorboard=tensorboard,
    )


def train_one_cell(run: Run, index: int, stop: threading.Event, options: AttemptOptions) -> int:
    """Tries one cell until it is committed, by this process or another; returns 0."""
    while attempt_cell(run.grid.cells[index], options) == "held":
        if stop.wait(HELD_SECONDS):
            raise Interrupted(
                "told to stop while another process of this machine trained the cell; launch again to go on"
            )
    return 0


def run_warm_worker(run: Run, lines: IO[str], out: IO[str], stop: threading.Event, options: AttemptOptions) -> int:
    """Tries the cells whose indexes are read from ``lines`` until ``quit``; returns 0. Each attempt gets a name of its own."""

    def show(progress: records.Progress) -> None:
        out.write(records.to_line(progress) + "\n")
        out.flush()

    def try_index(index: int) -> str:
        name = f"{options.attempt[:24]}-{uuid.uuid4().hex[:8]}"
        return attempt_cell(run.grid.cells[index], dataclasses.replace(options, attempt=name, show=show))

    worker.answer_indexes(run, lines, out, stop, try_index)
    return 0
