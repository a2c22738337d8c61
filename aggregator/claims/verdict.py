"""How a statement is judged: its comparisons, corrected together by Holm, and what of them it demands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.statistics import SIGNIFICANCE, Difference, holm

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"
YES, NO, OPEN = "yes", "no", "open"
CLOSE = 0.1  # "approximates", "comparable": at most a tenth worse than the reference


@dataclass(frozen=True, kw_only=True)
class Part:
    """One comparison of a statement: it holds if the true difference is below ``bound``.

    Attributes:
        says: what would be so if it holds.
        difference: None if there is nothing to compare.
        answer: yes, no or open, after the correction.
        adjusted: Holm's p over the statement's comparisons.
    """

    says: str
    difference: Difference | None
    bound: float = 0.0
    unit: str = "pp"
    answer: str = OPEN
    adjusted: float = math.nan


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Of ``parts`` at least ``need`` must hold."""

    what: str
    parts: tuple[Part, ...]
    need: int

    @property
    def verdict(self) -> str:
        """Supported when enough parts are shown, refuted when too many are shown to be otherwise."""
        yes, no = (sum(p.answer == a for p in self.parts) for a in (YES, NO))
        if not self.parts:
            return UNDECIDED
        return SUPPORTED if yes >= self.need else REFUTED if len(self.parts) - no < self.need else UNDECIDED

    @property
    def count(self) -> str:
        """How many parts are shown, shown to be otherwise, and open."""
        if not self.parts:
            return "nothing in this run to compare"
        answers = [p.answer for p in self.parts]
        return f"{answers.count(YES)} yes, {answers.count(NO)} no, {answers.count(OPEN)} open; needs {self.need} yes"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A judged statement. ``name`` is its place in section 6.1; ``rule`` is how it was made testable."""

    name: str
    statement: str
    rule: str
    demands: tuple[Demand, ...]

    @property
    def verdict(self) -> str:
        """Supported if all demands are, refuted if any is."""
        verdicts = {d.verdict for d in self.demands}
        if REFUTED in verdicts:
            return REFUTED
        return SUPPORTED if verdicts == {SUPPORTED} else UNDECIDED

    @property
    def parts(self) -> list[Part]:
        """All comparisons."""
        return [p for d in self.demands for p in d.parts]

    @property
    def why(self) -> str:
        """The demands, counted, a line for each."""
        if not self.demands:
            return "nothing in this run to compare"
        return "\n".join(f"{d.what}: {d.count}" for d in self.demands)


def every(what: str, parts: Sequence[Part]) -> Demand:
    """All parts must hold."""
    return Demand(what=what, parts=tuple(parts), need=max(len(parts), 1))


def some(what: str, parts: Sequence[Part], need: int = 1) -> Demand:
    """At least ``need`` parts must hold."""
    return Demand(what=what, parts=tuple(parts), need=need)


def claim(name: str, statement: str, rule: str, demands: Sequence[Demand]) -> Claim:
    """The statement with its comparisons answered: Holm's correction over all of them at 5 %."""
    parts = [p for d in demands for p in d.parts]
    adjusted = iter(holm([p.difference.p(p.bound) if p.difference else 1.0 for p in parts]))
    judged = []
    for demand in demands:
        answered = tuple(_answered(p, next(adjusted)) for p in demand.parts)
        judged.append(Demand(what=demand.what, parts=answered, need=demand.need))
    return Claim(name=name, statement=statement, rule=rule, demands=tuple(judged))


def _answered(part: Part, adjusted: float) -> Part:
    answer = OPEN
    if part.difference and adjusted <= SIGNIFICANCE:
        answer = YES if part.difference.effect < part.bound else NO
    return Part(says=part.says, difference=part.difference, bound=part.bound, unit=part.unit, answer=answer,
                adjusted=adjusted)  # fmt: skip
