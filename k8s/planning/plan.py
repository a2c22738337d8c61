"""What a launch will do: pure functions from a grid and what the store holds of it to the cells to train and the printed plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from experiment.cell import Cell, Member
from experiment.datasets import DATASETS
from experiment.grid import Grid
from experiment.ledger import Problem
from experiment.records import Failure


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A committed cell's own account of its training.

    Attributes:
        seconds: wall time of its epochs.
        images_per_second: over its epochs, all members together counted once.
        device: the device's name as the trainer recorded it.
    """

    cell: str
    seconds: float
    images_per_second: float
    device: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A grid, and what the store holds of it.

    Attributes:
        finished: the cells that have a verified result, by id.
        failures: the last failure of each cell that has none, by id.
        problems: the records that cannot be read.
    """

    grid: Grid
    finished: Mapping[str, Finished] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    retry_diverged: bool = False

    @property
    def set_aside(self) -> tuple[Cell, ...]:
        """Cells that are not trained again, because they diverged and would do so again."""
        return tuple(c for c in self.grid.cells if c.id not in self.finished and self._diverged(c.id))

    @property
    def missing(self) -> tuple[int, ...]:
        """The grid's indexes that this launch trains."""
        cells = enumerate(self.grid.cells)
        return tuple(i for i, c in cells if c.id not in self.finished and not self._diverged(c.id))

    def _diverged(self, cell_id: str) -> bool:
        failure = self.failures.get(cell_id)
        return failure is not None and failure.kind == "diverged" and not self.retry_diverged

    def state(self, cell: Cell) -> str:
        """The cell's state in one word or few."""
        if cell.id in self.finished:
            return "finished"
        failure = self.failures.get(cell.id)
        if failure is None:
            return "to train"
        return "diverged, set aside" if self._diverged(cell.id) else f"to train again, last attempt: {failure.kind}"


def summary(plan: Plan, workers: int) -> str:
    """The counts of a plan, and a forecast where the store holds what one can rest on."""
    parts = [f"{len(plan.grid.cells)} cells", f"{len(plan.finished)} finished", f"{len(plan.missing)} to train"]
    if plan.set_aside:
        parts.append(f"{len(plan.set_aside)} set aside (--retry-diverged trains them again)")
    return ", ".join(parts) + forecast(plan, workers)


def listing(plan: Plan) -> list[str]:
    """One line per cell: index, id, state."""
    wide = max(len(c.id) for c in plan.grid.cells)
    return [f"{i:6d}  {c.id:{wide}s}  {plan.state(c)}" for i, c in enumerate(plan.grid.cells)]


def forecast(plan: Plan, workers: int) -> str:
    """The time that the missing cells need, from the finished cells' seconds per unit of work; empty without any."""
    known = [(plan.finished[c.id].seconds, work(c)) for c in plan.grid.cells if c.id in plan.finished]
    if not plan.missing or not known:
        return ""
    pace = sum(s for s, _ in known) / sum(w for _, w in known)
    ahead = [pace * work(plan.grid.cells[i]) for i in plan.missing]
    seconds = max(sum(ahead) / min(workers, len(ahead)), max(ahead))
    return f"; about {duration(seconds)} on {workers} worker{'s' * (workers > 1)}, from {len(known)} finished cells"


def work(cell: Cell) -> float:
    """Training work of a cell in multiply-adds, near enough to compare cells: epochs x images x convolutions."""
    info = DATASETS[cell.dataset]
    height, width, _ = info.shape
    per_image = sum(_convolutions(m, height * width) for m in cell.members)
    return float(cell.epochs * (cell.train_examples or info.train)) * per_image


def _convolutions(member: Member, pixels: int) -> float:
    bricks = range(member.bricks)
    layers = [9 * (member.filters * 2**b) ** 2 * (pixels / 4**b) * (2 * member.blocks + 1) for b in bricks]
    return float(sum(layers))


def shape(cell: Cell) -> tuple[object, ...]:
    """What a compiled training step depends on: cells of one shape share it within a warm worker."""
    return (cell.dataset, cell.members, cell.head, cell.precision, cell.batch_size, cell.train_examples, cell.method)


def datasets(cells: Collection[Cell]) -> list[str]:
    """The names of the data sets that these cells need, each once."""
    return sorted({c.dataset for c in cells})


def duration(seconds: float) -> str:
    """A time span for people: 42 s, 3 min 05 s, 2 h 10 min, 3 d 4 h."""
    total = round(max(seconds, 0))
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60:02d} s"
    if total < 86400:
        return f"{total // 3600} h {total % 3600 // 60:02d} min"
    return f"{total // 86400} d {total % 86400 // 3600} h"
