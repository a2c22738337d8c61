"""Cells that another process trains: looked at again and again, until they are done or free."""

from __future__ import annotations

from experiment import keys
from experiment.cell import Cell
from experiment.hold import CellWatch
from experiment.outage import Patience
from experiment.store import Store


class HeldCells:
    """The cells that another process had when a worker tried them.

    Args:
        patience: how long a store that is away is waited for.
    """

    def __init__(self, store: Store, patience: Patience) -> None:
        self._store, self._patience = store, patience
        self._watched: dict[int, tuple[Cell, CellWatch]] = {}

    def add(self, index: int, cell: Cell) -> None:
        """Notes that another process has the cell."""
        self._watched.setdefault(index, (cell, CellWatch(self._store, cell.id)))

    def is_free(self, index: int) -> bool:
        """Returns whether no other process has the cell, as far as is known. It blocks while the store is away."""
        if index not in self._watched:
            return True
        cell, watch = self._watched[index]
        return self._patience.wait_out(lambda: watch.look() or self._store.exists(keys.epochs(cell)))
