"""Looks at results that grow: the level of each, and its record in the store. Whoever looks again pays for it.

Looking again until p is small supports what is not so. A look is a set of seeds, at least as many as are tested. Looks that
were planned before any of them was made have their level in their record; others are paid for by their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from experiment import keys
from experiment.cell import Cell
from experiment.errors import InvalidInput
from experiment.sealed import SealedForm, digest_json
from experiment.store import Store

ALPHA = 0.025  # one-sided, of every verdict
LEAST_SEEDS = 5  # pairs from which on a comparison is tested; fewer show effects and intervals only
# Of the looks of a plan: of the schedules that were tried, this one needs few seeds and looks for most truths.
PLANNED_SEEDS = (5, 10, 15, 20, 30)
CLAIMS = ("1", "2", "3", "4", "5", "6", "L2-1", "L2-2", "L2-3", "L2-4", "L2-5")  # the statements of section 6.1
LOOK_FORM = SealedForm(what="a look at results", schema=1, advice="remove it")


class Look(NamedTuple):
    """A look at the results of these seeds.

    Attributes:
        seeds: empty where the record cannot be read.
        number: how many looks shared seeds with it, itself included; all looks of a plan are one.
        level: what its plan gives it; None if it was not planned.
        plan: the name of that plan.
    """

    seeds: tuple[int, ...]
    number: int
    level: float | None = None
    plan: str = ""

    def shares(self, seeds: Sequence[int]) -> bool:
        """Whether the look was at any of these seeds; a record that cannot be read counts as one that was."""
        return not self.seeds or not set(seeds).isdisjoint(self.seeds)

    @property
    def paid_level(self) -> float:
        """The one-sided level of its verdicts."""
        return level_at(self.number) if self.level is None else self.level


def level_at(look: int) -> float:
    """Returns the one-sided level of a look at results that were looked at before: 1 is the first.

    Divided by the looks alone, the level still adds up (1/2 + 1/3 + ...); divided by their square, all looks together stay
    near the level of one. benchmarks/verdict_rates.py simulates it.
    """
    return ALPHA / look**2


def level_in_plan(looks: int, earlier: int = 0) -> float:
    """Returns the level of each of so many planned looks: a plan is one look, and shares the level of its number among them.

    Divided evenly (Bonferroni) it holds for every rule and every dependence of the looks, if their seeds are fixed before.
    """
    return level_at(earlier + 1) / looks


def name_results(cell: Cell) -> str:
    """Returns the part of a look's key that all cells of this data set and setting share."""
    settings = {k: v for k, v in cell.as_dict().items() if k not in ("method", "alpha", "seed")}
    return f"{cell.dataset}-{_digest(settings)}"


def read_looks(store: Store, study: str) -> list[Look]:
    """Returns all looks at the results of this name, made or planned."""
    return [_read_look(store, key) for key in store.list(keys.folder(keys.LOOKS, study))]


def _read_look(store: Store, key: str) -> Look:
    try:
        body = LOOK_FORM.from_bytes(store.read(key), f"{store.url}/{key}")
        level, plan = body.get("level"), str(body.get("plan", ""))
        return Look(tuple(map(int, body["seeds"])), int(body["look"]), None if level is None else float(level), plan)
    except (InvalidInput, KeyError, TypeError, ValueError):
        return Look((), 0)


def find_look(looks: Sequence[Look], seeds: Sequence[int]) -> Look:
    """Returns the look at just these seeds: as it was planned, as it was made, or as it would be made now."""
    own = [look for look in looks if look.seeds == tuple(seeds)]
    planned = [look for look in own if look.level is not None]
    now = Look(tuple(seeds), 1 + count_earlier(looks, seeds))
    return min(planned, key=lambda look: look.paid_level) if planned else own[0] if own else now


def count_earlier(looks: Sequence[Look], seeds: Sequence[int]) -> int:
    """Returns how many looks were at any of these seeds: a plan shares the level of one among its looks, and is one."""
    sharing = [look for look in looks if look.shares(seeds)]
    plans = {look.plan for look in sharing if look.level is not None}
    return sum(look.level is None for look in sharing) + len(plans)


def record_look(store: Store, study: str, look: Look, *, run: str, time: str) -> None:
    """Counts a look in the store. One that is recorded keeps its number; a planned one stands beside it.

    Raises:
        InvalidInput: the store cannot be written.
    """
    body = {"seeds": list(look.seeds), "look": look.number, "run": run, "time": time}
    body |= {} if look.level is None else {"level": look.level, "plan": look.plan}
    key = keys.look(study, "-".join(filter(None, (_digest(body["seeds"]), look.plan))))
    store.put_once(key, LOOK_FORM.to_bytes(body), f"{run}-{time}")


def _digest(value: object) -> str:
    return digest_json(value)[:10]
