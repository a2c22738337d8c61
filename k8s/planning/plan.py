"""The plan of a launch: which cells of a grid it trains, and how that is printed. Pure functions of what the store holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from experiment.cell import Cell
from experiment.grid import Grid
from experiment.ledger import DONE, FAILED, MISSING, Problem
from experiment.records import Failure, Throughput
from experiment.workload import multiply_adds
from k8s.wording import format_duration


@dataclass(frozen=True, kw_only=True)
class DoneCell:
    """What a committed cell says of its training.

    Attributes:
        seconds: wall time of its epochs.
        images_per_second: mean over its epochs; an image counts once, not once for each member.
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
        done: the cells that have a verified result, by id.
        failures: the last failure of each cell that has no result, by id.
        problems: the records that cannot be read.
        speeds: the training speeds that are recorded in the store.
    """

    grid: Grid
    done: Mapping[str, DoneCell] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    speeds: tuple[Throughput, ...] = ()
    retry_diverged: bool = False

    @property
    def set_aside(self) -> dict[str, str]:
        """The cells that this launch leaves out, by id, and why: they diverged and would do so again, or their teachers did."""
        return {c.id: why for c in self.grid.cells if c.id not in self.done and (why := self._why_aside(c))}

    @property
    def missing(self) -> tuple[int, ...]:
        """The grid's indexes that this launch trains."""
        cells = enumerate(self.grid.cells)
        return tuple(i for i, c in cells if c.id not in self.done and not self._why_aside(c))

    def _why_aside(self, cell: Cell) -> str:
        if cell.teacher and cell.teacher.id not in self.done and (why := self._why_aside(cell.teacher)):
            return f"its teacher {cell.teacher.id} is set aside: {why}"
        failure = self.failures.get(cell.id)
        return failure.message if failure and failure.kind == "diverged" and not self.retry_diverged else ""

    def describe_state(self, cell: Cell) -> str:
        """Returns the cell's state, and why it failed and what the launch does about it."""
        if cell.id in self.done:
            return DONE
        failure, aside = self.failures.get(cell.id), self._why_aside(cell)
        if failure is None:
            return aside or MISSING
        return f"{FAILED}: {failure.kind}, {'set aside' if aside else 'to train again'}"


def summarize_plan(plan: Plan, workers: int) -> str:
    """Returns the counts of a plan, and how long it may take where finished cells show it."""
    parts = [f"{len(plan.grid.cells)} cells", f"{len(plan.done)} {DONE}", f"{len(plan.missing)} to train"]
    if plan.set_aside:
        parts.append(f"{len(plan.set_aside)} set aside (--retry-diverged trains them again)")
    return ", ".join(parts) + local_forecast(plan, workers)


def list_cells(plan: Plan) -> list[str]:
    """Returns one line per cell: index, id, state, and the settings beyond the paper's that it has."""
    wide = max(len(c.id) for c in plan.grid.cells)
    return [
        f"{i:6d}  {c.id:{wide}s}  {'; '.join(filter(None, (plan.describe_state(c), c.extensions_text)))}"
        for i, c in enumerate(plan.grid.cells)
    ]


def local_forecast(plan: Plan, workers: int) -> str:
    """Returns the time that the missing cells need, from the done cells' seconds per multiply-add; empty without any."""
    known = [(plan.done[c.id].seconds, multiply_adds(c)) for c in plan.grid.cells if c.id in plan.done]
    if not plan.missing or not known:
        return ""
    pace = sum(s for s, _ in known) / sum(w for _, w in known)
    ahead = [pace * multiply_adds(plan.grid.cells[i]) for i in plan.missing]
    seconds = max(sum(ahead) / min(workers, len(ahead)), max(ahead))
    return f"; about {format_duration(seconds)} on {workers} worker{'s' * (workers > 1)}, from {len(known)} done cells"


def needed_datasets(cells: Collection[Cell]) -> list[str]:
    """Returns the names of the data sets that these cells need, each once."""
    return sorted({c.dataset for c in cells})
