"""A plan of looks at the results of a grid: which seeds, at which level, for how much; and what its rounds have come to.

The plan is written before its first look, so that no look depends on what an earlier one showed. Of each round two records
are kept: which cells it grows, written before it is launched, and what the look at it found. A launch that was killed goes on
from them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeVar

from experiment.cell import Cell
from experiment.fields import build_checked
from experiment.grid import Grid
from experiment.looks import LEAST_SEEDS, PLANNED_SEEDS
from experiment.sealed import SealedForm

ADVICE = "restore it, or begin another plan with --run NAME"
FORM = SealedForm(what="a plan of looks", schema=1, advice=ADVICE)
UNDECIDED = "undecided"
T = TypeVar("T")


class _Sealed:
    """What the store holds of a plan, as sealed JSON."""

    def to_bytes(self) -> bytes:
        """Returns it as sealed JSON."""
        return FORM.to_bytes(dataclasses.asdict(self))  # type: ignore[call-overload]

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Self:
        """Returns what ``to_bytes`` wrote.

        Raises:
            InvalidInput: it is damaged, or of another version.
        """
        return FORM.parse(data, source, lambda body: _build(cls, body, source))


@dataclass(frozen=True, kw_only=True)
class LookPlan(_Sealed):
    """A plan of looks, as the store holds it.

    Attributes:
        claims: the names of the claims to decide.
        budget: in ``unit``; a later launch of the plan may bring another one.
        cells: ids of the grid's cells with their first seed.
        seeds: those of the last look; ``counts`` of them are those of each.
        earlier: how many looks at these seeds came before, by the name of the results.
        levels: of every look of the plan, by the same name.
        done: ids of the cells that were done before, and cost the plan nothing.
    """

    name: str
    claims: tuple[str, ...]
    budget: float
    unit: str
    cells: tuple[str, ...]
    seeds: tuple[int, ...]
    counts: tuple[int, ...]
    earlier: Mapping[str, int]
    levels: Mapping[str, float]
    done: tuple[str, ...]
    time: str

    def seeds_at(self, number: int) -> tuple[int, ...]:
        """Returns the seeds of a look, from 1."""
        return self.seeds[: self.counts[number - 1]]


@dataclass(frozen=True, kw_only=True)
class Round(_Sealed):
    """A round of a plan: it is to decide these claims, and brings the seeds of its look to these cells.

    Attributes:
        growing: ids of the cells, with their first seed.
    """

    number: int
    run: str
    claims: tuple[str, ...]
    growing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a look says of one claim, as ``python -m aggregator --judge`` prints it.

    Attributes:
        p: of the verdict; None where nothing was tested.
        seeds: the fewest behind any of its comparisons.
        chances: of a verdict, by the number of seeds; empty where it is decided, or cannot be.
        reason: why there are no chances.
        cells: ids of the cells that it compares, with their first seed.
    """

    name: str
    verdict: str
    p: float | None
    level: float
    seeds: int
    chances: Mapping[int, float] = field(default_factory=dict)
    reason: str = ""
    cells: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the answer as JSON values."""
        return {**dataclasses.asdict(self), "chances": {str(n): p for n, p in self.chances.items()}}

    @classmethod
    def from_json(cls, body: Mapping[str, Any], source: str) -> Answer:
        """Returns the answer that JSON values hold.

        Raises:
            InvalidInput: a field is of another type.
        """
        return _build(cls, {**body, "chances": {int(n): float(p) for n, p in body["chances"].items()}}, source)


def answers_to_bytes(answers: Sequence[Answer]) -> bytes:
    """Returns what a look found as sealed JSON."""
    return FORM.to_bytes({"claims": [a.to_json() for a in answers]})


def answers_from_bytes(data: bytes, source: str) -> list[Answer]:
    """Returns what a look found.

    Raises:
        InvalidInput: the record is damaged, or of another version.
    """
    return FORM.parse(data, source, lambda body: [Answer.from_json(c, source) for c in body["claims"]])


def _build(kind: type[T], body: Mapping[str, Any], source: str) -> T:
    return build_checked(kind, {k: tuple(v) if isinstance(v, list) else v for k, v in body.items()}, source)


def plan_counts(own: int) -> tuple[int, ...]:
    """Returns the numbers of seeds at each look, of a grid that has so many by itself."""
    first = max(own, LEAST_SEEDS)
    return (first, *(n for n in PLANNED_SEEDS if n > first))


def plan_seeds(grid: Grid) -> tuple[int, ...]:
    """Returns the seeds of all looks: the grid's own, then those after the largest of them."""
    own = sorted({c.seed for c in grid.cells})
    more = plan_counts(len(own))[-1] - len(own)
    return (*own, *range(own[-1] + 1, own[-1] + 1 + more))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A plan, its rounds that were begun, and what the looks at them found."""

    plan: LookPlan
    cells: Mapping[str, Cell]  # by id, with their first seed
    rounds: tuple[Round, ...] = ()
    looks: tuple[tuple[Answer, ...], ...] = ()

    @cached_property
    def answers(self) -> dict[str, tuple[int, Answer]]:
        """The answer that counts for each claim of the plan, with its look: that of the last round that was to decide it."""
        found: dict[str, tuple[int, Answer]] = {}
        for a_round, answers in zip(self.rounds, self.looks, strict=False):
            found |= {a.name: (a_round.number, a) for a in answers if a.name in a_round.claims}
        return found

    @property
    def open_claims(self) -> list[Answer]:
        """The claims that the last look was to decide and left open."""
        wanted = self.rounds[len(self.looks) - 1].claims if self.looks else ()
        return [a for a in self.looks[-1] if a.name in wanted and a.verdict == UNDECIDED] if wanted else []

    def cells_of_rounds(self) -> list[Cell]:
        """Returns the cells of all rounds that were begun: each with the seeds of the rounds in which it grew."""
        found: dict[str, Cell] = {}
        for r in self.rounds:
            found |= {c.id: c for c in grow_cells([self.cells[i] for i in r.growing], self.plan.seeds_at(r.number))}
        return list(found.values())


def grow_cells(cells: Sequence[Cell], seeds: Sequence[int]) -> list[Cell]:
    """Returns these cells with each of the seeds."""
    return [c.with_seed(s) for s in seeds for c in cells]
