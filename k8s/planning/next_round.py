"""Whether a plan of looks goes on after a look, for which claims and with which cells; or why it stops. Pure.

Stopping early, for money or for want of power, supports nothing: so these decisions may follow what a look showed, and a
budget may be raised. What may not follow it, the seeds of each look and their level, stands in the plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiment.cell import Cell
from k8s.planning.look_plan import UNDECIDED, Answer, Standing, grow_cells
from k8s.wording import format_duration

WORTH = 0.2  # the least chance of a verdict that seeds are bought for; the custom of futility rules is 0.1 to 0.2
DOLLARS, HOURS = "dollars", "hours"


@dataclass(frozen=True, kw_only=True)
class Purse:
    """What may be spent.

    Attributes:
        unit: dollars, or hours of this machine.
        budget, spent: in that unit.
        cost: returns what training these cells would still take; NaN where nothing says.
    """

    unit: str
    budget: float
    spent: float
    cost: Callable[[Sequence[Cell]], float]

    @property
    def left(self) -> float:
        """What is left of the budget."""
        return self.budget - self.spent


@dataclass(frozen=True, kw_only=True)
class Go:
    """The next round: these claims, these cells (ids with their first seed), and what it is expected to take."""

    number: int
    claims: tuple[str, ...]
    growing: tuple[str, ...]
    cost: float


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The end of a plan, and why."""

    why: str


def choose_round(standing: Standing, purse: Purse) -> Go | Stop:
    """Returns the next round of a plan whose rounds so far have all been looked at, or why there is none.

    A round is worth its money if the budget reaches a look at which some open claim has a chance of ``WORTH``. Of the looks
    that it reaches the last one counts. Cells that only claims below that chance compare grow no more, and these claims are
    given up; one whose cells grow for others is looked at again, as that costs nothing.
    """
    number = len(standing.looks) + 1
    plan = standing.plan
    if number == 1:
        first = Go(number=1, claims=plan.claims, growing=plan.cells, cost=purse.cost(_ahead(standing, plan.cells, 1)))
        return _too_dear(first, purse) or first
    still_open = standing.open_claims
    if not still_open:
        given_up = any(a.verdict == UNDECIDED for _, a in standing.answers.values())
        return Stop(why="no claim is left that more seeds are bought for" if given_up else "every claim is decided")
    if number > len(plan.counts):
        return Stop(why=f"this was the last look of the plan, at {plan.counts[-1]} seeds")
    dear = None
    for last in range(len(plan.counts), number - 1, -1):
        worth = [a for a in still_open if a.chances.get(plan.counts[last - 1], 0.0) >= WORTH]
        growing = _list_growing(standing, worth)
        if not growing:
            continue
        names = tuple(a.name for a in still_open if a.cells and {*a.cells} <= {*growing})
        go = Go(number=number, claims=names, growing=growing, cost=purse.cost(_ahead(standing, growing, number)))
        if purse.cost(_ahead(standing, growing, last)) <= purse.left:
            return go
        dear = dear or _too_dear(go, purse) or _too_far(plan.counts[last - 1], purse)
    return dear or Stop(why=f"more seeds are not worth the money: {_explain_chances(still_open)}")


def _list_growing(standing: Standing, worth: Sequence[Answer]) -> tuple[str, ...]:
    wanted = {i for a in worth for i in a.cells}
    return tuple(i for i in standing.plan.cells if i in wanted)


def _ahead(standing: Standing, growing: Sequence[str], look: int) -> list[Cell]:
    return grow_cells([standing.cells[i] for i in growing], standing.plan.seeds_at(look))


def _too_dear(go: Go, purse: Purse) -> Stop | None:
    if not go.cost > purse.left:  # NaN is not above it: then nothing says so
        return None
    takes = f"round {go.number} would take {show_amount(go.cost, purse.unit)}"
    return Stop(why=f"the budget does not reach further: {takes}, and {_describe_left(purse)}")


def _too_far(seeds: int, purse: Purse) -> Stop:
    words = f"only {seeds} seeds would have a chance of {WORTH:.0%}"
    return Stop(why=f"the budget does not reach further: {words}, and {_describe_left(purse)}")


def _describe_left(purse: Purse) -> str:
    left = show_amount(max(purse.left, 0.0), purse.unit)
    return f"{left} of {show_amount(purse.budget, purse.unit)} are left"


def _explain_chances(claims: Sequence[Answer]) -> str:
    return "; ".join(explain_chance(a) for a in claims)


def explain_chance(answer: Answer) -> str:
    """Returns what more seeds would do for an open claim."""
    if not answer.chances:
        return f"claim {answer.name}: {answer.reason or 'nothing tells its chance'}"
    seeds = max(answer.chances)
    return f"claim {answer.name}: {answer.chances[seeds]:.0%} with {seeds} seeds"


def show_amount(amount: float, unit: str) -> str:
    """Returns dollars or hours for people."""
    if math.isnan(amount):
        return f"an unknown number of {unit}"
    return f"${amount:,.2f}" if unit == DOLLARS else format_duration(3600 * amount)
