"""What would decide the undecided statements: more seeds of which cells, their hours and dollars, and a grid of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from aggregator.claims import Claim
from aggregator.claims.outlook import POWER, Chance, Outlook, forecast_claim
from aggregator.claims.verdict import UNDECIDED
from aggregator.study import Study, Treatment
from experiment.cell import Cell
from experiment.errors import InvalidInput, refuse
from experiment.grid_text import format_grid
from experiment.teachers import add_teachers

NEXT_GRID = "next.toml"  # beside the report's page
MOST = 30  # seeds that are suggested without being asked for


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What cells that are not trained yet would take, as the done ones did; NaN where none says."""

    cells: int
    hours: float
    dollars: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """One statement's way to a verdict.

    Attributes:
        chance: at the number of seeds that is suggested; None if no number would do.
        cells: the cells to train for it.
    """

    outlook: Outlook
    chance: Chance | None
    cells: tuple[Cell, ...]
    cost: Cost

    @property
    def claim(self) -> Claim:
        """The statement."""
        return self.outlook.claim


def forecast_claims(claims: Sequence[Claim]) -> list[Outlook]:
    """Returns what more seeds would make of each undecided statement."""
    return [forecast_claim(c) for c in claims if c.verdict == UNDECIDED]


def plan_steps(
    outlooks: Sequence[Outlook], costs: pd.DataFrame, *, power: float = POWER, most: int = MOST
) -> list[Step]:
    """Returns a step for each statement.

    Args:
        costs: hours and dollars of the done cells, by id, as ``report.costs.cost_by_cell`` returns them.
        power: the probability of a verdict that is asked for.
        most: seeds that are suggested at most.
    """
    steps = []
    for outlook in outlooks:
        chance = outlook.needed(power, most)
        cells = _find_cells(outlook.claim, chance.seeds) if chance else ()
        cost = _sum_costs(cells, outlook.claim, costs)
        steps.append(Step(outlook=outlook, chance=chance, cells=cells, cost=cost))
    return steps


def choose_steps(steps: Sequence[Step], budget: float | None) -> list[Step]:
    """Returns the steps that can be taken, shortest first, within the dollars that are given.

    Raises:
        InvalidInput: the cost of a step is not known, or the cheapest costs more than the budget.
    """
    possible = sorted((s for s in steps if s.chance), key=lambda s: s.cost.hours)
    if budget is None:
        return possible
    if any(math.isnan(s.cost.dollars) for s in possible):
        raise refuse("--budget", budget, "dollars where a price is known", "give --price USD, too")
    chosen: list[Step] = []
    spent: dict[str, float] = {}
    for step in possible:
        each = step.cost.dollars / max(len(step.cells), 1)
        together = {**{c.id: each for c in step.cells}, **spent}
        if sum(together.values()) <= budget:
            chosen, spent = [*chosen, step], together
    if possible and not chosen:
        cheapest = f"at least {possible[0].cost.dollars:.2f}, for claim {possible[0].claim.name}"
        raise refuse("--budget", budget, cheapest, "raise it, or ask for less --power")
    return chosen


def suggest_grid(old: Sequence[Cell], steps: Sequence[Step]) -> str:
    """Returns a grid file with the old cells and those of the steps: a launch of it trains only what is new.

    Raises:
        InvalidInput: no step needs a cell, or the cells do not fit into one file.
    """
    new = [c for step in steps for c in step.cells]
    if not new:
        raise InvalidInput("no number of seeds would decide these claims; see what would in the report, under Claims")
    return format_grid(list(dict.fromkeys([*old, *new])), [_explain(s) for s in steps if s.chance])


def _explain(step: Step) -> str:
    assert step.chance
    c = step.chance
    verdicts = f"supported {c.supported:.0%}, refuted {c.refuted:.0%}, no difference {c.same:.0%}"
    return f"Claim {step.claim.name}: with {c.seeds} seeds of each, {c.decided:.0%} for a verdict ({verdicts})."


def list_compared(claim: Claim) -> list[tuple[Study, set[Treatment]]]:
    """Returns the studies that the statement's comparisons are about, each with the treatments that they compare."""
    wanted: dict[str, tuple[Study, set[Treatment]]] = {}
    for study, treatment in (side for part in claim.parts for side in part.compared):
        wanted.setdefault(study.slug, (study, set()))[1].add(treatment)
    return list(wanted.values())


def _find_cells(claim: Claim, seeds: int) -> tuple[Cell, ...]:
    """Returns the cells that the statement's comparisons lack for so many pairs, and the teachers of these."""
    there, wanted = set[str](), list[Cell]()
    for study, treatments in list_compared(claim):
        numbers = _choose_seeds(study, seeds)
        there |= {c.id for c in add_teachers(study.cells)}
        bare = {Treatment.of(c): c for c in study.cells if Treatment.of(c) in treatments}
        wanted += [c.with_seed(n) for c in bare.values() for n in numbers]
    return tuple(c for c in add_teachers(wanted) if c.id not in there)


def _choose_seeds(study: Study, count: int) -> list[int]:
    """Returns the study's seeds and, after them, the smallest that it does not have."""
    own = sorted({c.seed for c in study.cells})
    fresh = (n for n in range(len(own) + count) if n not in own)
    return [*own, *fresh][:count] if len(own) < count else own


def _sum_costs(cells: Sequence[Cell], claim: Claim, costs: pd.DataFrame) -> Cost:
    """Returns what the cells would take: each as long as the done ones that differ from it in the seed alone."""
    done = {c.id: c.with_seed(0).id for study, _ in list_compared(claim) for c in add_teachers(study.cells)}
    known = costs[costs.index.isin(done)]
    means = known.groupby(known.index.map(done))[["hours", "dollars"]].mean()
    found = means.loc[[c.with_seed(0).id for c in cells]]
    hours, dollars = found["hours"].sum(), found["dollars"].sum(skipna=False)
    return Cost(cells=len(cells), hours=float(hours), dollars=float(dollars))
