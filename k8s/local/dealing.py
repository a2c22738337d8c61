"""Deals cells to warm workers: a worker keeps to the shape it has compiled, and the long cells go first. Pure: no clock, no processes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Task:
    """One cell to train.

    Attributes:
        index: in the frozen grid.
        shape: what a compiled step depends on.
        work: to compare cells with.
        not_before: earliest time of its start, in the caller's clock.
        tries: attempts that have failed so far.
    """

    index: int
    shape: Hashable
    work: float
    not_before: float = 0.0
    tries: int = 0


class Deal:
    """The cells that wait for a worker."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._waiting = {t.index: t for t in tasks}
        self._at: Counter[Hashable] = Counter()  # workers that have a shape in hand

    def add(self, task: Task) -> None:
        """Puts a cell back, to be tried again."""
        self._waiting[task.index] = task

    def drain(self) -> list[Task]:
        """Takes everything that waits."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        return waiting

    def wait(self, now: float) -> float | None:
        """Seconds until a waiting cell may start; None if none waits."""
        return max(min(t.not_before for t in self._waiting.values()) - now, 0.0) if self._waiting else None

    def take(self, last: Hashable | None, now: float) -> Task | None:
        """The next cell for a worker that has compiled shape ``last`` (None: nothing yet); None if none may start.

        It keeps to its shape while that has cells, then takes one that no other worker has in hand: that of the longest
        cell, among equals the one with most work. At the end it helps where most work is left for each worker.
        """
        shapes: dict[Hashable, list[Task]] = defaultdict(list)
        for task in self._waiting.values():
            if task.not_before <= now:
                shapes[task.shape].append(task)
        if not shapes:
            return None
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
        task = max(shapes[chosen], key=lambda t: (t.work, -t.index))
        return self._waiting.pop(task.index)

    def leave(self, last: Hashable | None) -> None:
        """A worker that had this shape in hand has ended."""
        self._at[last] -= last is not None
