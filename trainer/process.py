"""This process's attempts at the cells of a run: one, as in a pod, or many, as in a warm worker."""

from __future__ import annotations

import dataclasses
import functools
import os
import threading
import uuid
from typing import IO

from experiment import records
from experiment.errors import Interrupted
from experiment.run import Run
from experiment.store import Store
from trainer import arguments, datasets, worker
from trainer.attempt import Setting, attempt
from trainer.model import device

HELD_SECONDS = 2.0  # until a cell that another process of this machine trains is looked at again


def setting(store: Store, run: Run, stop: threading.Event, *, tensorboard: bool = False) -> Setting:
    """What the attempts of this process share, from its environment.

    Raises:
        InvalidInput: a variable has an impossible value.
    """
    deterministic = arguments.deterministic(os.environ)
    return Setting(
        store=store,
        attempt=arguments.attempt_name(os.environ),
        load=functools.lru_cache(maxsize=1)(functools.partial(datasets.load, store)),
        stopping=stop.is_set,
        checkpoint_seconds=arguments.checkpoint_seconds(os.environ),
        git_commit=os.environ.get("GIT_COMMIT") or run.provenance.get("git_commit", "unknown"),
        image=os.environ.get("IMAGE", ""),
        deterministic=deterministic,
        jit=device.prepare(deterministic=deterministic),
        tensorboard=tensorboard,
    )


def train_one(run: Run, index: int, stop: threading.Event, setting: Setting) -> int:
    """Tries one cell until it is committed, by whomever; returns 0."""
    while attempt(run.grid.cells[index], setting) == "held":
        if stop.wait(HELD_SECONDS):
            raise Interrupted("told to stop while another process of this machine trained the cell")
    return 0


def serve(run: Run, lines: IO[str], out: IO[str], stop: threading.Event, setting: Setting) -> int:
    """Tries the cells whose indexes come in on ``lines`` until ``quit``; each attempt has a name of its own."""

    def show(progress: records.Progress) -> None:
        out.write(records.to_line(progress) + "\n")
        out.flush()

    def try_index(index: int) -> str:
        name = f"{setting.attempt[:24]}-{uuid.uuid4().hex[:8]}"
        return attempt(run.grid.cells[index], dataclasses.replace(setting, attempt=name, show=show))

    worker.serve(run, lines, out, stop, try_index)
    return 0
