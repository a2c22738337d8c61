"""What an attempt does while its cell trains: it looks whether to stop, and writes checkpoints and progress beside the training."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any, NoReturn, Self

from experiment import keys, records
from experiment.cell import Cell
from experiment.errors import Interrupted
from experiment.records import Progress, utc_now
from experiment.retry import look_pauses
from trainer import checkpoint
from trainer.background import BackgroundWriter
from trainer.log import Log
from trainer.model.types import Pace, Snapshot
from trainer.options import AttemptOptions

PROGRESS_SECONDS = 10.0  # between the first progress records in the store; they grow rarer


class Watcher:
    """Called after every call of the device: stops the training when told to, and keeps checkpoint and progress up to date.

    Both are written beside the training, which an outage of the store does not hold up.

    Attributes:
        epoch: number of finished epochs, as far as it was told.
        origins: what the training was done on, for its checkpoints (``trainer.origins``).

    Args:
        check: raises if the training is to be given up, because another process has the cell.
    """

    def __init__(self, cell: Cell, options: AttemptOptions, log: Log, check: Callable[[], None] = lambda: None) -> None:
        self.epoch, self.origins = 0, list[dict[str, Any]]()
        self._check = check
        self._cell, self._options, self._log = cell, options, log
        self._writer = BackgroundWriter(log.say)
        self._saved = self._told = time.monotonic()
        self._pauses = look_pauses(PROGRESS_SECONDS)
        self._pause = next(self._pauses)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def __call__(self, pace: Pace, snapshot: Callable[[], Snapshot]) -> None:
        now, self.epoch = time.monotonic(), pace.epoch
        self._check()
        if self._options.stopping():
            self._stop(pace, snapshot())
        if now - self._saved >= self._options.checkpoint_seconds and self._writer.is_idle:
            self._saved = now
            taken = snapshot()
            self._writer.start(f"the checkpoint of step {taken.step}", lambda: self._save(taken))
        progress = self._progress(pace)
        self._options.show(progress)
        if now - self._told >= self._pause and self._writer.is_idle:
            self._told, self._pause = now, next(self._pauses)
            record, key = records.to_bytes(progress), keys.progress(self._cell.id)
            self._writer.start("the progress record", lambda: self._options.store.put(key, record))

    def write(self, what: str, write: Callable[[], None]) -> None:
        """Has something else of this attempt written beside the training."""
        self._writer.start(what, write)

    def _stop(self, pace: Pace, snapshot: Snapshot) -> NoReturn:
        with self._options.finish_first():
            self._writer.drain()
            self._writer.start(f"the last checkpoint, of step {pace.step},", lambda: self._save(snapshot))
            self._writer.drain()
        where = f"at step {pace.step} of {pace.steps}"
        raise Interrupted(f"{self._cell.id} was told to stop {where}; launch again to go on")

    def _save(self, snapshot: Snapshot) -> None:
        whole = dataclasses.replace(snapshot, origins=self.origins)
        checkpoint.write_checkpoint(self._options.store, self._cell.id, whole)
        self._log.say("checkpoint", step=snapshot.step)

    def _progress(self, pace: Pace) -> Progress:
        return Progress(
            cell=self._cell.id,
            attempt=self._options.attempt,
            epoch=pace.epoch,
            epochs=self._cell.epochs,
            step=pace.step,
            steps=pace.steps,
            images_per_second=round(pace.images_per_second, 1),
            seconds_left=round(pace.seconds_left, 1),
            time=utc_now(),
            device=self._options.engine.device_name(),
        )
