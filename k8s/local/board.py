"""What a progress display shows, worked out from the records of the workers. Pure: the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiment.cell import Cell
from experiment.records import Progress
from k8s.planning.plan import work


@dataclass
class Seat:
    """What one worker is at: a cell, since when, and its last word."""

    cell: Cell
    since: float
    record: Progress | None = None

    @property
    def share(self) -> float:
        """How much of the cell is done, from 0 to 1."""
        return min(self.record.step / max(self.record.steps, 1), 1.0) if self.record else 0.0


class Board:
    """The state of a launch: cells done and failed, and what every worker is at."""

    def __init__(self, total: int, finished: int, missing: Mapping[int, Cell], now: float) -> None:
        self.total, self.done, self.failed = total, finished, 0
        self.seats: dict[str, Seat] = {}
        self._work = {i: work(c) for i, c in missing.items()}
        self._ahead, self._behind = sum(self._work.values()), 0.0
        self._began = now

    def start(self, slot: str, cell: Cell, now: float) -> None:
        """A worker begins a cell."""
        self.seats[slot] = Seat(cell, now)

    def progress(self, slot: str, record: Progress) -> None:
        """A worker's word on its cell."""
        self.seats[slot].record = record

    def leave(self, slot: str) -> Seat:
        """A worker's work on its cell has ended, whichever way."""
        return self.seats.pop(slot)

    def settle(self, index: int, *, done: bool, trained: bool) -> None:
        """The cell will not be worked on again; ``trained``: by this launch, so that its time counts for the pace."""
        self.done += done
        self.failed += not done
        self._ahead -= self._work[index]
        self._behind += self._work[index] * trained

    @property
    def share(self) -> float:
        """How much of the grid's cells is done with, from 0 to 1."""
        return (self.done + self.failed + sum(s.share for s in self.seats.values())) / self.total

    @property
    def images_per_second(self) -> float:
        """Of all workers together."""
        return sum(s.record.images_per_second for s in self.seats.values() if s.record)

    def seconds_left(self, now: float) -> float | None:
        """Until the last cell is done, at the pace so far; None before a tenth of a cell shows one (the start is slow)."""
        if not self._behind and all(s.share < 0.1 for s in self.seats.values()):
            return None
        running = sum(work(s.cell) * s.share for s in self.seats.values())
        behind = self._behind + running
        return (self._ahead - running) * (now - self._began) / behind if behind > 0 else None
