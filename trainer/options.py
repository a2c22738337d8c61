"""What all attempts of a process share: store, data, and what they are told and tell."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from experiment.cell import Cell
from experiment.lease import Holder
from experiment.records import Progress
from experiment.store import Store
from trainer.engine import TENSORFLOW, Engine
from trainer.model.types import Dataset


@dataclass(frozen=True, kw_only=True)
class AttemptOptions:
    """The options that all attempts of a process share.

    Attributes:
        store: where results, checkpoints and records go.
        attempt: the attempt's name in records and metadata; unique per process and cell.
        load: returns the data set of a cell.
        holder: who holds the cells meanwhile.
        stopping: returns whether the process was told to stop.
        finish_first: a block that is finished although the process is told to stop.
        show: called with the progress about twice a second.
        checkpoint_seconds: time between two checkpoints.
        outage_seconds: longest outage of the store that is waited out before and after the training.
        git_commit: of the code, as results record it.
        image: digest or name of the container's image, as results record it.
        deterministic: whether the device repeats each operation bit for bit, as results record it.
        jit: whether to compile with XLA.
        tensorboard: whether to put summaries for TensorBoard into the store.
        engine: what trains.
    """

    store: Store
    attempt: str
    load: Callable[[Cell], Dataset]
    stopping: Callable[[], bool]
    holder: Holder = field(default_factory=lambda: Holder(name="an attempt of no run"))
    finish_first: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    show: Callable[[Progress], None] = lambda _: None
    checkpoint_seconds: float = 60.0
    outage_seconds: float = 0.0
    git_commit: str = "unknown"
    image: str = ""
    deterministic: bool = True
    jit: bool = False
    tensorboard: bool = False
    engine: Engine = TENSORFLOW
