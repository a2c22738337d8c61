"""A pool as a process: the cells of a pod's index, or those that a launcher sends on standard input."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator, Sequence

from experiment.cores import usable_cores
from experiment.outage import Patience
from experiment.places import share_machine, visible_gpus
from experiment.run import Run
from experiment.store import Store
from trainer import arguments, stalling
from trainer.pool import Pool
from trainer.stopping import Stop
from trainer.warm import WarmWorker

SHOW_SECONDS = 30.0  # between two progress records of a cell in the log of a pod


def train_index(
    given: argparse.Namespace, store: Store, run: Run, indexes: Sequence[int], stop: Stop, patience: Patience
) -> int:
    """Tries the cells of a completion index, once each; returns 0 if each is committed or can never be.

    Raises:
        ExperimentError: as ``Pool.train``.
    """
    fresh, begun = patience.wait_out(lambda: stalling.sort_cells(store, run, indexes))
    workers = min(given.workers, len(fresh) + len(begun))
    pool = open_pool(given, workers, store, run, stop, patience, show_seconds=SHOW_SECONDS)
    pool.add(fresh)
    pool.add(begun, rank=1)
    pool.close()
    return pool.train()


def serve_launcher(given: argparse.Namespace, store: Store, run: Run, stop: Stop, patience: Patience) -> int:
    """Tries the cells that a launcher sends until it says ``quit``, and each as often as it is sent; returns 0 as ``train_index``.

    Raises:
        ExperimentError: as ``Pool.train``.
    """
    pool = open_pool(given, given.workers, store, run, stop, patience)
    threading.Thread(target=pool.follow, args=(read_lines(),), daemon=True).start()
    return pool.train()


def open_pool(
    given: argparse.Namespace,
    workers: int,
    store: Store,
    run: Run,
    stop: Stop,
    patience: Patience,
    show_seconds: float = 0.0,
) -> Pool:
    """Returns a pool of so many workers, which are this program with ``--indexes -`` alone, on this machine."""
    attempt, command = arguments.attempt_name(os.environ), arguments.worker_command(given)
    gpus, cores = visible_gpus(os.environ), usable_cores()
    pool = Pool(
        store=store,
        run=run,
        places=share_machine(workers, gpus, cores, threads=given.threads, environ=os.environ),
        start=lambda place: WarmWorker(command, arguments.worker_environ(os.environ, place, attempt)),
        name_try=lambda: arguments.name_try(attempt, of_pod=bool(given.job)),
        stop=stop,
        out=sys.stdout,
        patience=patience,
        show_seconds=show_seconds,
    )
    stop.leave_nothing = pool.kill
    return pool


def read_lines(descriptor: int = 0) -> Iterator[str]:
    """Yields the lines of standard input as they come. Without a buffer: Python cannot end while a thread waits for one."""
    with open(descriptor, "rb", buffering=0, closefd=False) as raw:
        for line in raw:
            yield line.decode(errors="replace")
