"""What ``--summary``, ``--judge`` and ``--suggest`` answer about a run: lines, and a grid file of what would decide more."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aggregator.claims import Claim
from aggregator.claims.outlook import INSTEAD, POWER
from aggregator.claims.verdict import UNDECIDED
from aggregator.judgement import describe_judgement
from aggregator.looks import record_looks
from aggregator.reading.run import read_run_results
from aggregator.report.costs import cost_by_cell
from aggregator.report.material import Material, gather_material
from aggregator.suggest import MOST, Step, choose_steps, plan_steps, suggest_grid
from aggregator.summary import summary_lines
from experiment.errors import InvalidInput, describe_error, refuse
from experiment.run import Run
from experiment.store import Store


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked about a run.

    Attributes:
        judge: the numbers of seeds that the chances of a verdict are asked for, as JSON; None for no JSON.
        suggest: the grid file to write; None for none.
        claims: the names of the claims and questions that it is to decide; empty for all claims.
        power: the probability of a verdict that is wanted.
        most: seeds at most.
        budget: dollars at most; None for any number.
    """

    summary: bool = False
    judge: tuple[int, ...] | None = None
    suggest: Path | None = None
    claims: tuple[str, ...] = ()
    power: float = POWER
    most: int = MOST
    budget: float | None = None


def answer_wish(store: Store, run: Run, wish: Wish, prices: Mapping[str, float], now: dt.datetime) -> Iterator[str]:
    """Yields the lines of the answer, after the grid file is written. The answer is a look at the results, and counted.

    Raises:
        InvalidInput: a claim has another name, nothing would decide the claims, or the file cannot be written.
    """
    material = gather_material(store, read_run_results(store, run, now), prices, pictures=False)
    _check_names(wish.claims, [*material.claims, *material.questions])
    if wish.summary:
        yield from summary_lines(
            material.claims,
            material.steps,
            material.studies,
            material.second_halves,
            material.questions,
            material.question_steps,
        )
    try:
        record_looks(store, material.studies, material.looks, run=run.name, now=now)
    except InvalidInput as error:
        yield f"this look is not counted: {describe_error(error)}"
    if wish.judge is not None:
        yield json.dumps(describe_judgement(material.claims, wish.judge))
    if wish.suggest:
        yield from _suggest(material, wish, wish.suggest)


def _suggest(material: Material, wish: Wish, place: Path) -> Iterator[str]:
    named = [c for c in (*material.claims, *material.questions) if c.name in wish.claims]
    wanted = named if wish.claims else material.claims
    yield from (f"claim {c.name} is decided: {c.verdict}" for c in wanted if c.verdict != UNDECIDED and wish.claims)
    if all(c.verdict != UNDECIDED for c in wanted):
        raise InvalidInput(
            "every claim that was asked for is decided; nothing is left to suggest: name others, or none"
        )
    costs = cost_by_cell(material.run, material.prices)
    names = {c.name for c in wanted}
    outlooks = [s.outlook for s in (*material.steps, *material.question_steps) if s.claim.name in names]
    steps = plan_steps(outlooks, costs, power=wish.power, most=wish.most)
    yield from map(_describe_step, steps)
    if any(s.outlook.chances and not s.chance for s in steps):
        yield INSTEAD
    chosen = choose_steps(steps, wish.budget)
    text = suggest_grid(material.run.run.grid.cells, chosen)
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise refuse("--suggest", str(place), "a file that you may write", f"correct it ({error.strerror})") from error
    decided = ", ".join(s.claim.name for s in chosen)
    cells = {c.id for s in chosen for c in s.cells}
    yield f"{place} holds the run's cells and {len(cells)} new ones, for claims {decided}; launch it: --grid {place}"


def _describe_step(step: Step) -> str:
    if not step.chance:
        return f"claim {step.claim.name}: {step.outlook.words}"
    cost = f"{step.cost.cells} new cells, {step.cost.hours:.3g} device-hours"
    dollars = f", ${step.cost.dollars:,.2f}" if step.cost.dollars == step.cost.dollars else ""
    return (
        f"claim {step.claim.name}: {step.chance.seeds} seeds, {step.chance.decided:.0%} for a verdict; {cost}{dollars}"
    )


def _check_names(names: Sequence[str], claims: Sequence[Claim]) -> None:
    known = [c.name for c in claims]
    for name in names:
        if name not in known:
            raise refuse("a claim", name, ", ".join(known), "correct --claims")
