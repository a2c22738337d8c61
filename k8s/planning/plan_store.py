"""Plans of looks in the store: written once, before their first look, and found again by every later launch of the same grid."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from experiment import keys
from experiment.cell import Cell
from experiment.errors import NotFound, refuse
from experiment.grid import Grid
from experiment.ledger import committed_ids
from experiment.looks import Look, count_earlier, level_in_plan, name_results, read_looks, record_look
from experiment.records import utc_now
from experiment.store import Store
from k8s.planning.look_plan import (
    Answer,
    LookPlan,
    Round,
    Standing,
    answers_from_bytes,
    answers_to_bytes,
    grow_cells,
    plan_counts,
    plan_seeds,
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a launch until claims are decided is asked for: the names of the claims, and a budget in its unit."""

    claims: tuple[str, ...]
    budget: float
    unit: str


def open_plan(store: Store, grid: Grid, name: str, wish: Wish) -> Standing:
    """Returns the plan as the store has it, written now or by an earlier launch, with its rounds so far.

    Raises:
        InvalidInput: the store has a plan of this name for other claims, cells or another unit, or a record is damaged.
    """
    standing = read_standing(store, grid, name, wish)
    if standing is None:
        plan = draft_plan(store, grid, name, wish)
        store.put_once(keys.look_plan(name), plan.to_bytes(), uuid.uuid4().hex)
        standing = read_standing(store, grid, name, wish)
    assert standing
    if not standing.rounds:
        record_planned_looks(store, standing.plan)
    return standing


def draft_plan(store: Store | None, grid: Grid, name: str, wish: Wish) -> LookPlan:
    """Returns a new plan for this grid: it is one look more than those that the store has counted."""
    seeds, counts = plan_seeds(grid), plan_counts(len({c.seed for c in grid.cells}))
    cells = find_first_cells(grid)
    studies = {name_results(c) for c in cells}
    earlier = {s: count_earlier(read_looks(store, s), seeds) if store else 0 for s in sorted(studies)}
    return LookPlan(
        name=name,
        claims=wish.claims,
        budget=wish.budget,
        unit=wish.unit,
        cells=tuple(c.id for c in cells),
        seeds=seeds,
        counts=counts,
        earlier=earlier,
        levels={s: level_in_plan(len(counts), n) for s, n in earlier.items()},
        done=tuple(sorted(committed_ids(store, grow_cells(cells, seeds)))) if store else (),
        time=utc_now(),
    )


def find_first_cells(grid: Grid) -> list[Cell]:
    """Returns the grid's cells that differ in more than the seed, with its first seed."""
    first = min(c.seed for c in grid.cells)
    return list(dict.fromkeys(c.with_seed(first) for c in grid.cells))


def read_standing(store: Store, grid: Grid, name: str, wish: Wish) -> Standing | None:
    """Returns the plan of this name and its rounds so far; None if the store has none."""

    def read(part: str) -> tuple[bytes, str] | None:
        key = keys.look_plan(name, part)
        try:
            return store.read(key), f"{store.url}/{key}"
        except NotFound:
            return None

    found = read("plan")
    if not found:
        return None
    plan = LookPlan.from_bytes(*found)
    cells = {c.id: c for c in find_first_cells(grid)}
    check_plan(plan, cells, wish)
    numbers = range(1, len(plan.counts) + 1)
    rounds = [Round.from_bytes(*own) for n in numbers if (own := read(f"round-{n}"))]
    looks = [tuple(answers_from_bytes(*own)) for n in numbers if (own := read(f"look-{n}"))]
    return Standing(plan=plan, cells=cells, rounds=tuple(rounds), looks=tuple(looks[: len(rounds)]))


def check_plan(plan: LookPlan, cells: Collection[str], wish: Wish) -> None:
    """Checks that a plan of the store is the one that is asked for. A budget may change: it supports nothing.

    Raises:
        InvalidInput: it is for other claims or cells, or counts its budget in another unit.
    """
    advice = "give these, or begin another plan with --run NAME"
    if plan.claims != wish.claims:
        raise refuse(f"--until-decided of plan {plan.name}", ",".join(wish.claims), ",".join(plan.claims), advice)
    if plan.unit != wish.unit:
        raise refuse(f"the unit of the budget of plan {plan.name}", wish.unit, plan.unit, advice)
    if set(plan.cells) != set(cells):
        given, allowed = f"{len(cells)} cells", f"the {len(plan.cells)} that it was made for"
        raise refuse(f"the grid of plan {plan.name}", given, allowed, "choose another --run, or leave --run out")


def record_planned_looks(store: Store, plan: LookPlan) -> None:
    """Counts all looks of a plan in the store, each with its level. Recorded again they stay as they are."""
    for study, level in plan.levels.items():
        for number in range(1, len(plan.counts) + 1):
            look = Look(plan.seeds_at(number), plan.earlier[study] + 1, level, plan.name)
            record_look(store, study, look, run=plan.name, time=plan.time)


def record_round(store: Store, plan: LookPlan, begun: Round) -> Round:
    """Records that a round is begun; returns it as the store has it."""
    key = keys.look_plan(plan.name, f"round-{begun.number}")
    if store.put_once(key, begun.to_bytes(), uuid.uuid4().hex):
        return begun
    return Round.from_bytes(store.read(key), f"{store.url}/{key}")


def record_answers(store: Store, plan: LookPlan, number: int, answers: list[Answer]) -> tuple[Answer, ...]:
    """Records what a look found; returns it as the store has it: a look is made once."""
    key = keys.look_plan(plan.name, f"look-{number}")
    if store.put_once(key, answers_to_bytes(answers), uuid.uuid4().hex):
        return tuple(answers)
    return tuple(answers_from_bytes(store.read(key), f"{store.url}/{key}"))
