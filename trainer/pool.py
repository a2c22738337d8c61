"""Trains cells in warm workers, one for each place of the machine: the cells of a pod, or those that a launcher sends.

Each cell has its own lease, checkpoint, failure record and commit. What is tried again, the launcher or the next pod decides.
This process needs no TensorFlow.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import IO

from experiment import keys, records
from experiment.errors import PERMANENT, Interrupted, InvalidInput, Transient, kind_of
from experiment.outage import Patience
from experiment.places import Place
from experiment.records import Failure, Outcome, Progress, Turn, utc_now
from experiment.run import Run
from experiment.store import Store
from trainer.dealing import LOOK_SECONDS, Dealer
from trainer.held import HeldCells
from trainer.pending import PendingCell
from trainer.warm import Died, WarmWorker
from trainer.worker import QUIT, parse_index, tell_launcher

STILLBORN = 3  # workers in a row that died before their first word: the next would too
_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Pool:
    """The workers of a process, the cells that wait for them, and how the others have ended.

    Attributes:
        start: starts a worker at a place.
        name_try: returns a name for an attempt that was killed before it said its own.
        out: where turns, progress and outcomes go, as records.
        show_seconds: least time between two progress records of a cell.
        outcomes: by index, how the last try ended.
    """

    store: Store
    run: Run
    places: Sequence[Place]
    start: Callable[[Place], WarmWorker]
    name_try: Callable[[], str]
    stop: threading.Event
    out: IO[str]
    patience: Patience
    show_seconds: float = 0.0
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._dealer = Dealer(self.run, HeldCells(self.store, self.patience), self._is_ending)
        self._workers: list[WarmWorker] = []
        self._errors: list[Exception] = []
        self._stillborn = 0
        self._speaking = threading.Lock()

    def add(self, indexes: Iterable[int], rank: int = 0) -> None:
        """Has cells of the run tried, once each; those of a lower rank come first."""
        indexes = list(indexes)
        for index in indexes:
            self.outcomes.pop(index, None)
        self._dealer.add(indexes, rank)

    def close(self) -> None:
        """Has the workers end when the last cell has: no more will come."""
        self._dealer.close()

    def follow(self, lines: Iterable[str]) -> None:
        """Adds the cells of a launcher until it says ``quit``: a line gives the indexes of cells that wait together.

        Lines that end without it mean that the launcher has died: the workers save their checkpoints and end.
        """
        try:
            for line in lines:
                if line.strip() == QUIT:
                    self.close()
                    return
                self.add([parse_index(word, self.run) for word in line.strip().split(" ")])
            self.stop.set()
        except Exception as error:  # noqa: BLE001 - raised where all threads have ended
            self._errors.append(error)

    def train(self) -> int:
        """Returns 0 when each cell is committed or can never be.

        Raises:
            Interrupted: the process was told to stop; its workers have saved their checkpoints.
            Transient: some cells are to be tried again, or no worker starts.
            InvalidInput: no worker starts with these settings.
        """
        threads = [threading.Thread(target=self._serve, args=(place,), daemon=True) for place in self.places]
        for thread in threads:
            thread.start()
        while alive := [t for t in threads if t.is_alive()]:
            for worker in list(self._workers) if self._is_ending() else ():
                worker.stop()
            alive[0].join(LOOK_SECONDS)
        return self._conclude()

    def kill(self) -> None:
        """Kills the workers: what is in training is lost up to its last checkpoint."""
        for worker in list(self._workers):
            worker.kill()

    def _conclude(self) -> int:
        ends, given = list(self.outcomes.values()), len(self._dealer.given)
        failed = [o for o in ends if o.state == "failed"]
        for outcome in (o for o in failed if o.kind in PERMANENT):
            _log.warning("%s failed for good: %s", outcome.cell, outcome.message)
        again = [o for o in failed if o.kind not in PERMANENT]
        done = f"{len(ends) - len(failed)} of {given} cells are done"
        if self.stop.is_set() and not (self._dealer.is_closed and len(ends) == given):
            raise Interrupted(f"told to stop when {done}; launch again to go on")
        if self._errors:
            raise self._errors[0]
        if again:
            raise Transient(f"{done}, {len(again)} are to be tried again: {again[0].cell}: {again[0].message}")
        return 0

    def _is_ending(self) -> bool:
        return self.stop.is_set() or bool(self._errors)

    def _serve(self, place: Place) -> None:
        worker: WarmWorker | None = None
        try:
            while (pending := self._dealer.next_cell(place.name)) is not None:
                self._say(Turn(index=pending.index, cell=self.run.grid.cells[pending.index].id, place=place.name))
                if worker is None:
                    worker = self.start(place)
                    self._workers.append(worker)
                if not self._try(worker, pending):
                    self._end(worker)
                    self._dealer.leave(place.name)
                    worker = None
        except Exception as error:  # noqa: BLE001 - raised where all threads have ended
            self._errors.append(error)
        finally:
            if worker:
                self._end(worker)
            self._dealer.leave(place.name)

    def _end(self, worker: WarmWorker) -> None:
        worker.end()
        self._workers.remove(worker)

    def _try(self, worker: WarmWorker, pending: PendingCell) -> bool:
        """Makes one try at a cell; returns False if the worker did not survive it."""
        last, shown = None, float("-inf")

        def show(progress: Progress) -> None:
            nonlocal last, shown
            last, now = progress, time.monotonic()
            if now - shown >= self.show_seconds:
                shown = now
                self._say(progress)

        try:
            outcome = worker.train(pending.index, show)
        except Died as death:
            if not self._is_ending():  # else it was told to, and has left its own record
                self._note_death(pending, death, last)
            return False
        self._stillborn = 0
        self._note(outcome)
        if outcome.state == "held":
            self._dealer.hold_back(pending)
        return True

    def _note(self, outcome: Outcome) -> None:
        if outcome.state != "held":
            self.outcomes[outcome.index] = outcome
        self._say(outcome)

    def _note_death(self, pending: PendingCell, death: Died, last: Progress | None) -> None:
        """Writes the failure record that a killed worker could not write."""
        kind, message, cell = kind_of(death.code), str(death), self.run.grid.cells[pending.index].id
        if kind in PERMANENT and not death.answered:  # a cell that is at fault is told by its worker
            raise InvalidInput(f"no worker starts: {death.last_words.removeprefix('error: ')}")
        attempt, epoch = (last.attempt, last.epoch) if last else (self.name_try(), None)
        failure = Failure(
            cell=cell, attempt=attempt, kind=kind, exit_code=death.code, message=message, time=utc_now(), epoch=epoch
        )
        key = keys.failure(cell, attempt)
        self.patience.wait_out(lambda: self.store.put_once(key, records.to_bytes(failure), attempt))
        self._note(Outcome(index=pending.index, cell=cell, state="failed", kind=kind, message=message))
        self._stillborn = 0 if death.answered else self._stillborn + 1
        if self._stillborn >= STILLBORN:
            raise Transient(f"no worker starts: {message}")

    def _say(self, record: Turn | Progress | Outcome) -> None:
        with self._speaking:
            tell_launcher(self.out, record, self.stop)
