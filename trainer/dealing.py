"""Deals the cells of a pool to its workers: the threads of the workers ask here for their next cell."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Hashable, Iterable

from experiment.run import Run
from experiment.workload import compiled_shape, multiply_adds
from trainer.held import HeldCells
from trainer.pending import PendingCell, PendingCells

LOOK_SECONDS = 0.2  # between two looks whether the process was told to stop
HELD_SECONDS = 2.0  # between two looks at a cell that another process holds


class Dealer:
    """The cells that wait for a worker; any thread may call.

    Args:
        is_ending: returns whether no more cells are to be tried.

    Attributes:
        given: the indexes of all cells that were ever added.
        is_closed: whether no more will come.
    """

    def __init__(self, run: Run, held: HeldCells, is_ending: Callable[[], bool]) -> None:
        self.given, self.is_closed = set[int](), False
        self._run, self._held, self._is_ending = run, held, is_ending
        self._pending, self._changed = PendingCells(), threading.Condition()
        self._shapes: dict[str, Hashable] = {}  # by place, that its worker has compiled, or is about to

    def add(self, indexes: Iterable[int], rank: int = 0) -> None:
        """Has cells of the run wait; those of a lower rank come first."""
        cells = {i: self._run.grid.cells[i] for i in indexes}
        with self._changed:
            for i, cell in cells.items():
                shape, work = compiled_shape(cell), multiply_adds(cell)
                self._pending.add(PendingCell(index=i, shape=shape, work=work, rank=rank))
            self.given.update(cells)
            self._changed.notify_all()

    def close(self) -> None:
        """Notes that no more cells will come."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def next_cell(self, place: str) -> PendingCell | None:
        """Returns the next cell for the worker of a place, once there is one; None if none will come."""
        while (pending := self._take(place)) is not None:
            if self._held.is_free(pending.index):
                return pending
            self._put_back(pending)
        return None

    def hold_back(self, pending: PendingCell) -> None:
        """Puts back a cell that another process has: it is dealt again when that has ended or released it."""
        self._held.add(pending.index, self._run.grid.cells[pending.index])
        self._put_back(pending)

    def leave(self, place: str) -> None:
        """Notes that the worker of a place has ended."""
        with self._changed:
            self._pending.leave(self._shapes.pop(place, None))

    def _take(self, place: str) -> PendingCell | None:
        with self._changed:
            while not self._is_ending():
                now = time.monotonic()
                if (pending := self._pending.take(self._shapes.get(place), now)) is not None:
                    self._shapes[place] = pending.shape
                    return pending
                wait = self._pending.wait(now)
                if wait is None and self.is_closed:
                    return None
                self._changed.wait(LOOK_SECONDS if wait is None else min(wait, LOOK_SECONDS))
        return None

    def _put_back(self, pending: PendingCell) -> None:
        with self._changed:
            self._pending.add(dataclasses.replace(pending, not_before=time.monotonic() + HELD_SECONDS))
