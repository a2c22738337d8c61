"""The cells of one pod, a group of one compiled shape: warm workers start and compile once and train them one after another.

Each cell has its own lease, checkpoint, failure record and commit, as in a pod of its own. A pod tries a cell once; what is to be
tried again, the next pod of the same index tries. This process needs no TensorFlow.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO

from experiment import keys, records
from experiment.cell import Cell
from experiment.errors import PERMANENT, Interrupted, InvalidInput, Transient, kind_of
from experiment.hold import CellWatch
from experiment.outage import Patience
from experiment.records import Failure, Outcome, Progress, utc_now
from experiment.run import Run
from experiment.store import Store
from trainer.warm import Died, WarmWorker
from trainer.worker import tell_launcher

LOOK_SECONDS = 0.2  # between two looks whether the process was told to stop
HELD_SECONDS = 5.0  # between two looks at a cell that another process holds
SHOW_SECONDS = 30.0  # between two progress records of a cell on standard output, which is the pod's log
STILLBORN = 3  # workers in a row that died before their first word: the next would too
_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Group:
    """The cells that this process still has to try, and how the others have ended.

    Attributes:
        indexes: in the grid, in the order in which they are tried.
        start: starts a worker.
        attempt: name of this process's attempt at each of the cells.
        out: where outcomes and progress go, as records.
    """

    store: Store
    run: Run
    indexes: Sequence[int]
    start: Callable[[], WarmWorker]
    attempt: str
    stop: threading.Event
    out: IO[str]
    patience: Patience
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _waiting: deque[int] = field(default_factory=deque)
    _held: dict[int, CellWatch] = field(default_factory=dict)
    _due: dict[int, float] = field(default_factory=dict)  # when a held cell is looked at again
    _shown: dict[str, float] = field(default_factory=dict)
    _workers: list[WarmWorker] = field(default_factory=list)
    _errors: list[Exception] = field(default_factory=list)
    _stillborn: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def train(self, workers: int) -> int:
        """Tries every cell once, in so many workers; returns 0 if each is committed or can never be.

        Raises:
            Interrupted: the process was told to stop; its workers have saved their checkpoints.
            Transient: some cells are to be tried again.
            InvalidInput: no worker starts.
        """
        self._waiting.extend(self.indexes)
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        while alive := [t for t in threads if t.is_alive()]:
            if self.stop.is_set() or self._errors:
                self._stop_workers()
            alive[0].join(LOOK_SECONDS)
        return self._conclude()

    def _conclude(self) -> int:
        ends = [self.outcomes[i] for i in self.indexes if i in self.outcomes]
        failed = [o for o in ends if o.state == "failed"]
        for outcome in (o for o in failed if o.kind in PERMANENT):
            _log.warning("%s failed for good: %s", outcome.cell, outcome.message)
        again = [o for o in failed if o.kind not in PERMANENT]
        done = f"{len(ends) - len(failed)} of {len(self.indexes)} cells are done"
        if len(ends) < len(self.indexes) and self.stop.is_set():
            raise Interrupted(f"told to stop when {done}; launch again to go on")
        if self._errors:
            raise self._errors[0]
        if again:
            raise Transient(f"{done}, {len(again)} are to be tried again: {again[0].cell}: {again[0].message}")
        return 0

    def _stop_workers(self) -> None:
        with self._lock:
            for worker in self._workers:
                worker.stop()
            self._workers.clear()  # told once: a second signal would end them at once

    def _serve(self) -> None:
        worker: WarmWorker | None = None
        try:
            while (index := self._next()) is not None:
                worker = worker or self._new_worker()
                try:
                    self._note(worker.train(index, self._show))
                    self._stillborn = 0
                except Died as death:
                    worker.end()
                    worker = None
                    if self.stop.is_set() or self._errors:
                        return
                    self._note_death(index, death)
        except Exception as error:  # noqa: BLE001 - raised where all threads have ended
            self._errors.append(error)
        finally:
            if worker:
                worker.end()

    def _new_worker(self) -> WarmWorker:
        worker = self.start()
        with self._lock:
            self._workers.append(worker)
        return worker

    def _next(self) -> int | None:
        """Returns the next cell to try; None if none is left, or the process is to stop."""
        while not self.stop.is_set() and not self._errors:
            now = time.monotonic()
            with self._lock:
                if not self._waiting:
                    return None
                due = next((i for i in self._waiting if self._due.get(i, now) <= now), None)
                if due is not None:
                    self._waiting.remove(due)
            if due is not None and self._is_free(due):
                return due
            if due is not None:
                self._put_back(due)
            self.stop.wait(LOOK_SECONDS)
        return None

    def _is_free(self, index: int) -> bool:
        cell, watch = self._cell(index), self._held.get(index)
        return watch is None or self.patience.wait_out(lambda: watch.look() or self.store.exists(keys.epochs(cell)))

    def _put_back(self, index: int) -> None:
        with self._lock:
            self._due[index] = time.monotonic() + HELD_SECONDS
            self._waiting.append(index)

    def _note(self, outcome: Outcome) -> None:
        if outcome.state == "held":
            if outcome.index not in self._held:
                _log.warning("%s is in the hands of another process: waited for", outcome.cell)
            self._held.setdefault(outcome.index, CellWatch(self.store, outcome.cell))
            self._put_back(outcome.index)
            return
        self.outcomes[outcome.index] = outcome
        self._say(outcome)

    def _note_death(self, index: int, death: Died) -> None:
        """Writes the failure record that a killed worker could not write."""
        kind, cell = kind_of(death.code), self._cell(index)
        if kind in PERMANENT and not death.answered:  # a cell that is at fault is told by its worker
            raise InvalidInput(f"no worker starts: {death.last_words.removeprefix('error: ')}")
        message = str(death)
        failure = Failure(
            cell=cell.id, attempt=self.attempt, kind=kind, exit_code=death.code, message=message, time=utc_now()
        )
        key = keys.failure(cell.id, self.attempt)
        self.patience.wait_out(lambda: self.store.put_once(key, records.to_bytes(failure), self.attempt))
        self._note(Outcome(index=index, cell=cell.id, state="failed", kind=kind, message=message))
        self._stillborn = 0 if death.answered else self._stillborn + 1
        if self._stillborn >= STILLBORN:
            raise Transient(f"no worker starts: {message}")

    def _show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown.get(progress.cell, float("-inf")) >= SHOW_SECONDS:
            self._shown[progress.cell] = now
            self._say(progress)

    def _say(self, record: Outcome | Progress) -> None:
        with self._lock:
            tell_launcher(self.out, record, self.stop)

    def _cell(self, index: int) -> Cell:
        return self.run.grid.cells[index]
