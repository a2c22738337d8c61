"""The run that the trainer was given: its store and frozen grid, opened and checked before TensorFlow is imported."""

from __future__ import annotations

from dataclasses import dataclass

from experiment.assignment import read_assignment
from experiment.cell import refuse
from experiment.frozen import Frozen, read_run
from experiment.store import Store, open_store, split_run


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run and the store it lands in."""

    store: Store
    frozen: Frozen

    @classmethod
    def open(cls, url: str) -> Run:
        """The run at ``STORE/runs/RUN``.

        Raises:
            NotFound, InvalidInput: there is none, or its grid is damaged.
        """
        place, name = split_run(url)
        store = open_store(place)
        return cls(store=store, frozen=read_run(store, name))

    def index(self, index: int, job: str | None) -> int:
        """The grid index that a Job's completion index stands for; without a Job they are the same.

        Raises:
            InvalidInput: the grid or the Job has no such index.
        """
        if job:
            index = read_assignment(self.store, self.frozen.run, job).grid_index(index)
        count = len(self.frozen.grid.cells)
        if not 0 <= index < count:
            raise refuse(f"the index in run {self.frozen.run}", index, f"0 to {count - 1}", "correct --index")
        return index
