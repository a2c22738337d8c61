"""What a progress display shows, worked out from the records of the workers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from experiment.cell import Cell
from experiment.records import Progress
from experiment.workload import multiply_adds
from k8s.wording import count_done, format_duration


@dataclass
class Seat:
    """One worker's cell, the time of its start, and its last progress record."""

    cell: Cell
    since: float
    record: Progress | None = None

    @property
    def share(self) -> float:
        """The share of the cell that is trained, from 0 to 1."""
        return min(self.record.step / max(self.record.steps, 1), 1.0) if self.record else 0.0


class Board:
    """The state of a launch: its cells done and failed, and every worker's cell."""

    def __init__(self, total: int, done: int, missing: Mapping[int, Cell], now: float) -> None:
        self.total, self.done, self.failed = total, done, 0
        self.seats: dict[str, Seat] = {}
        self._work = {i: multiply_adds(c) for i, c in missing.items()}
        self._ahead, self._behind = sum(self._work.values()), 0.0
        self._began = now

    def start(self, slot: str, cell: Cell, now: float) -> None:
        """Notes that a worker begins a cell."""
        self.seats[slot] = Seat(cell, now)

    def progress(self, slot: str, record: Progress) -> None:
        """Notes a worker's progress record."""
        self.seats[slot].record = record

    def leave(self, slot: str) -> Seat:
        """Notes that a worker's attempt has ended; returns its seat."""
        return self.seats.pop(slot)

    def settle(self, index: int, *, done: bool, trained: bool) -> None:
        """Notes that a cell is done or given up; ``trained``: by this launch, so that its time counts for the pace."""
        self.done += done
        self.failed += not done
        self._ahead -= self._work[index]
        self._behind += self._work[index] * trained

    @property
    def share(self) -> float:
        """The share of the grid's cells that is done or given up, from 0 to 1."""
        return (self.done + self.failed + sum(s.share for s in self.seats.values())) / self.total

    @property
    def images_per_second(self) -> float:
        """The speed of all workers together."""
        return sum(s.record.images_per_second for s in self.seats.values() if s.record)

    @property
    def summary(self) -> str:
        """The whole launch in words."""
        failed = f", {self.failed} failed" * (self.failed > 0)
        left = self.seconds_left(time.monotonic())
        ahead = f", about {format_duration(left)} left" if left and self.done + self.failed < self.total else ""
        return f"{count_done(self.done, self.total)}{failed}{ahead}"

    def seconds_left(self, now: float) -> float | None:
        """Returns the seconds until the last cell ends, at the pace so far; None before a tenth of a cell shows one."""
        if not self._behind and all(s.share < 0.1 for s in self.seats.values()):  # the start is slow
            return None
        running = sum(multiply_adds(s.cell) * s.share for s in self.seats.values())
        behind = self._behind + running
        return (self._ahead - running) * (now - self._began) / behind if behind > 0 else None
