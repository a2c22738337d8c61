"""The cells that wait for a worker, and which of them a worker takes next: a worker keeps to the shape that it has compiled.

Pure: no clock, no processes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PendingCell:
    """One cell that waits for a worker.

    Attributes:
        index: in the frozen grid.
        shape: what a compiled step depends on.
        work: multiply-adds, to compare cells with.
        rank: cells of a lower rank come first.
        not_before: earliest time of its start, in the caller's clock.
    """

    index: int
    shape: Hashable
    work: float
    rank: int = 0
    not_before: float = 0.0


class PendingCells:
    """The cells that wait for a worker."""

    def __init__(self, cells: Iterable[PendingCell] = ()) -> None:
        self._waiting = {t.index: t for t in cells}
        self._at: Counter[Hashable] = Counter()  # workers that have compiled a shape

    def add(self, cell: PendingCell) -> None:
        """Has a cell wait, for the first time or again."""
        self._waiting[cell.index] = cell

    def wait(self, now: float) -> float | None:
        """Returns the seconds until a cell may start; None if no cell waits."""
        return max(min(t.not_before for t in self._waiting.values()) - now, 0.0) if self._waiting else None

    def take(self, last: Hashable | None, now: float) -> PendingCell | None:
        """Returns the next cell for a worker that has compiled shape ``last`` (None: nothing yet); None if none may start.

        Of the cells of the lowest rank, the worker keeps to its shape while cells of it wait. Then it takes a shape that no
        other worker has compiled: the one with the longest cell, among equals the one with most work. In the end it joins
        the shape with most work left per worker.
        """
        shapes: dict[Hashable, list[PendingCell]] = defaultdict(list)
        ready = [t for t in self._waiting.values() if t.not_before <= now]
        if not ready:
            return None
        first = min(t.rank for t in ready)
        for cell in (t for t in ready if t.rank == first):
            shapes[cell.shape].append(cell)
        if last in shapes:
            chosen = last
        else:
            chosen = max(shapes, key=lambda s: sum(t.work for t in shapes[s]) / (1 + self._at[s]))
            free = [s for s in shapes if not self._at[s]]
            if free:
                chosen = max(free, key=lambda s: (max(t.work for t in shapes[s]), sum(t.work for t in shapes[s])))
        if chosen != last:
            self._at[last] -= last is not None
            self._at[chosen] += 1
        cell = max(shapes[chosen], key=lambda t: (t.work, -t.index))
        return self._waiting.pop(cell.index)

    def leave(self, last: Hashable | None) -> None:
        """Notes that a worker that had compiled this shape has ended."""
        self._at[last] -= last is not None
