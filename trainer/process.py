"""The attempts of one process at cells of a run: at one cell, as in a pod, or at many, as a warm worker."""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import threading
import time
from typing import IO

from experiment import keys, records
from experiment.cell import Cell
from experiment.errors import Interrupted
from experiment.hold import CellWatch
from experiment.lease import Holder
from experiment.outage import Patience, outage_seconds
from experiment.run import Run
from experiment.store import Store
from trainer import arguments, datasets, worker
from trainer.attempt import attempt_cell
from trainer.options import AttemptOptions
from trainer.stopping import Stop

HELD_SECONDS = 5.0  # between two looks at a cell that another process holds
SAY_SECONDS = 600.0  # between two lines about it
_log = logging.getLogger(__name__)


def attempt_options(
    store: Store, run: Run, stop: Stop, *, holder: Holder | None = None, tensorboard: bool = False
) -> AttemptOptions:
    """Returns the options that all attempts of this process share, taken from its environment.

    Raises:
        InvalidInput: a variable has an impossible value.
    """
    from trainer.model import device  # of TensorFlow, which the rest of this module does without

    deterministic = arguments.is_deterministic(os.environ)
    jit = device.prepare_device(deterministic=deterministic, workers=arguments.gpu_workers(os.environ))
    _log.info("training on %s", device.device_name())
    if unused := device.explain_unused_gpu(os.environ):
        _log.warning("%s", unused)
    load = functools.lru_cache(maxsize=1)(functools.partial(datasets.load_dataset, store))
    return AttemptOptions(
        store=store,
        attempt=arguments.attempt_name(os.environ),
        load=lambda cell: load(cell.dataset, cell.data),
        stopping=stop.is_set,
        holder=holder or Holder(name=f"run {run.name}"),
        finish_first=stop.finish_first,
        checkpoint_seconds=arguments.checkpoint_seconds(os.environ),
        outage_seconds=outage_seconds(os.environ),
        git_commit=os.environ.get("GIT_COMMIT") or run.provenance.get("git_commit", "unknown"),
        image=os.environ.get("IMAGE", ""),
        deterministic=deterministic,
        jit=jit,
        tensorboard=tensorboard,
    )


def train_one_cell(run: Run, index: int, stop: threading.Event, options: AttemptOptions) -> int:
    """Tries one cell until it is committed, by this process or another; returns 0."""
    cell = run.grid.cells[index]
    while attempt_cell(cell, options) == "held":
        # Who was replaced by the next process in its seat must not replace that one in turn.
        options = dataclasses.replace(options, holder=dataclasses.replace(options.holder, seat=""))
        _await_cell(cell, stop, options)
    return 0


def _await_cell(cell: Cell, stop: threading.Event, options: AttemptOptions) -> None:
    """Returns when a cell that another process holds is committed, or can be taken.

    Raises:
        Interrupted: the process was told to stop meanwhile.
        Transient: the store was away for longer than an outage may last.
    """
    store, watch = options.store, CellWatch(options.store, cell.id, term=options.holder.term)
    patience = Patience(seconds=options.outage_seconds, stopping=stop.is_set, say=_log.warning)
    said = float("-inf")
    while not patience.wait_out(lambda: watch.look() or store.exists(keys.epochs(cell))):
        if time.monotonic() - said >= SAY_SECONDS:
            said = time.monotonic()
            _log.warning("%s is in the hands of %s: waited for", cell.id, watch.holder)
        if stop.wait(HELD_SECONDS):
            raise Interrupted(f"told to stop while {watch.holder} had {cell.id}; launch again to go on")


def run_warm_worker(
    run: Run, lines: IO[str], out: IO[str], stop: threading.Event, options: AttemptOptions, *, of_pod: bool = False
) -> int:
    """Tries the cells whose indexes are read from ``lines`` until ``quit``; returns 0.

    Each attempt gets a name of its own. ``of_pod``: that of the pod, which tries a cell once.
    """
    # Cells that another process had, perhaps the next one in this seat: that one must not be replaced.
    left = set[int]()

    def show(progress: records.Progress) -> None:
        worker.tell_launcher(out, progress, stop)

    def try_index(index: int) -> str:
        name = arguments.name_try(options.attempt, of_pod=of_pod)
        holder = dataclasses.replace(options.holder, seat="") if index in left else options.holder
        own = dataclasses.replace(options, attempt=name, show=show, holder=holder)
        state = attempt_cell(run.grid.cells[index], own)
        left.update({index} if state == "held" else ())
        return state

    worker.answer_indexes(run, lines, out, stop, try_index)
    return 0
