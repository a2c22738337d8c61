"""How a statement is judged: by its comparisons, corrected together by Holm, and by how many of them must hold."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.statistics import SIGNIFICANCE, Difference, adjust_by_holm

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"
YES, NO, OPEN = "yes", "no", "open"
CLOSE = 0.1  # "approximates", "comparable": at most a tenth worse than the reference


@dataclass(frozen=True, kw_only=True)
class Part:
    """One comparison of a statement: it holds if the true difference is below ``bound``.

    Attributes:
        says: what is true if it holds.
        difference: None if there is nothing to compare.
        answer: yes, no or open, after the correction.
        adjusted: Holm's p over the statement's comparisons.
    """

    says: str
    difference: Difference | None
    bound: float = 0.0
    answer: str = OPEN
    adjusted: float = math.nan


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a statement demands: at least ``need`` of the ``parts`` must hold."""

    what: str
    parts: tuple[Part, ...]
    need: int

    @property
    def verdict(self) -> str:
        """Supported when enough parts are shown to hold, refuted when too many are shown not to."""
        yes, no = (sum(p.answer == a for p in self.parts) for a in (YES, NO))
        if not self.parts:
            return UNDECIDED
        return SUPPORTED if yes >= self.need else REFUTED if len(self.parts) - no < self.need else UNDECIDED

    @property
    def count(self) -> str:
        """How many parts are shown to hold, shown not to, and open."""
        if not self.parts:
            return "nothing in this run to compare"
        answers = [p.answer for p in self.parts]
        return f"{answers.count(YES)} yes, {answers.count(NO)} no, {answers.count(OPEN)} open; needs {self.need} yes"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A judged statement: ``name`` is its place in section 6.1, ``rule`` says how it is tested."""

    name: str
    statement: str
    rule: str
    demands: tuple[Demand, ...]

    @property
    def verdict(self) -> str:
        """Supported if all demands are supported, refuted if any is refuted."""
        verdicts = {d.verdict for d in self.demands}
        if REFUTED in verdicts:
            return REFUTED
        return SUPPORTED if verdicts == {SUPPORTED} else UNDECIDED

    @property
    def parts(self) -> list[Part]:
        """All comparisons of the statement."""
        return [p for d in self.demands for p in d.parts]

    @property
    def why(self) -> str:
        """How the parts of each demand came out, a line for each."""
        if not self.demands:
            return "nothing in this run to compare"
        return "\n".join(f"{d.what}: {d.count}" for d in self.demands)


def part_in_points(says: str, difference: Difference | None, bound: float = 0.0) -> Part:
    """Returns the comparison of two shares in percentage points, as its bound is given."""
    return Part(says=says, difference=difference.scaled(100) if difference else None, bound=bound)


def demand_all(what: str, parts: Sequence[Part]) -> Demand:
    """Returns the demand that all parts hold."""
    return Demand(what=what, parts=tuple(parts), need=max(len(parts), 1))


def demand_some(what: str, parts: Sequence[Part], need: int = 1) -> Demand:
    """Returns the demand that at least ``need`` parts hold."""
    return Demand(what=what, parts=tuple(parts), need=need)


def judge_claim(*, name: str, statement: str, rule: str, demands: Sequence[Demand]) -> Claim:
    """Returns the statement with its comparisons answered: at 5 %, after Holm's correction over all of them."""
    parts = [p for d in demands for p in d.parts]
    adjusted = iter(adjust_by_holm([p.difference.p(p.bound) if p.difference else 1.0 for p in parts]))
    judged = []
    for demand in demands:
        answered = tuple(_answer_part(p, next(adjusted)) for p in demand.parts)
        judged.append(dataclasses.replace(demand, parts=answered))
    return Claim(name=name, statement=statement, rule=rule, demands=tuple(judged))


def _answer_part(part: Part, adjusted: float) -> Part:
    answer = OPEN
    if part.difference and adjusted <= SIGNIFICANCE:
        answer = YES if part.difference.effect < part.bound else NO
    return dataclasses.replace(part, answer=answer, adjusted=adjusted)
