"""How a statement is judged: by the p-values of its comparisons, and by how many of these must hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aggregator.claims.parts import Part
from aggregator.claims.rules import ALPHA, LEAST_SEEDS, Evidence, Tails, level_at, show_at_least, weigh_demands
from aggregator.statistics import adjust_by_holm
from experiment.looks import Look

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"
NO_DIFFERENCE = "no difference worth speaking of"
YES, NO, OPEN = "yes", "no", "open"
NOTHING_TO_COMPARE = "nothing in this run to compare"
ONE_RUN = "One run of each: two networks were compared, not two methods, so the verdict is left open."
FEW_SEEDS = "Tests begin at {least} seeds of each, and some comparisons have {seeds}: effects and intervals only."


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a statement demands: at least ``need`` of the ``parts`` must hold."""

    what: str
    parts: tuple[Part, ...]
    need: int

    @property
    def tails(self) -> Tails:
        """The one-sided p-values of its comparisons."""
        columns = ([getattr(p, name) for p in self.parts] for name in ("p_holds", "p_fails", "p_same"))
        holds, fails, same = (np.array(c, dtype=float) for c in columns)
        return Tails(holds, fails, same, self.need)

    @property
    def face(self) -> str:
        """Whether it holds for the numbers as they are, without any test: yes, no, or open where they do not suffice."""
        known = [p.face for p in self.parts]
        if not self.parts or len(known) - known.count(False) >= self.need > known.count(True):
            return OPEN
        return YES if known.count(True) >= self.need else NO

    @property
    def count(self) -> str:
        """How many parts hold at face value, how many must, and the p of that."""
        if not self.parts:
            return NOTHING_TO_COMPARE
        holding = sum(p.face is True for p in self.parts)
        words = f"{holding} of {len(self.parts)} hold at face value, {self.need} must"
        tested = any(p.tested for p in self.parts)
        return f"{words}; p = {float(show_at_least(self.tails.holds, self.need)):.2g}" if tested else words


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A judged statement: ``name`` is its place in section 6.1 or its question, ``rule`` says how it is tested.

    Attributes:
        said: the question that it answers; empty for those of section 6.1.
        lacks: what a run must hold for it to be judged at all.
        looks: how often these results have been looked at, this time included: it lowers the level.
        planned: the level that a plan of looks gives this one; None where the number of looks gives it.
        holm: its p after Holm's correction over all statements.
    """

    name: str
    statement: str
    rule: str
    demands: tuple[Demand, ...]
    said: str = ""
    lacks: str = "cells of Single and of collaborative methods on one data set"
    looks: int = 1
    planned: float | None = None
    holm: float = 1.0

    @property
    def kind(self) -> str:
        """Whether it is a claim of section 6.1 or the answer to a question."""
        return "question" if self.said else "claim"

    @cached_property
    def evidence(self) -> Evidence:
        """Its p-values."""
        return weigh_demands([d.tails for d in self.demands])

    @property
    def level(self) -> float:
        """The one-sided level at which it is judged."""
        return level_at(self.looks) if self.planned is None else self.planned

    @property
    def next_level(self) -> float:
        """The level of a look at more seeds: the next one, or of the same plan."""
        return level_at(self.looks + any(p.tested for p in self.parts)) if self.planned is None else self.planned

    @property
    def verdict(self) -> str:
        """Supported, refuted, no difference worth speaking of, or undecided."""
        return name_verdict(self.evidence, self.level)

    @property
    def p(self) -> float:
        """The p of its verdict; of an undecided statement, the smallest one."""
        return float(min(self.evidence))

    @property
    def face(self) -> str:
        """Whether all its demands hold for the numbers as they are, without any test: yes, no or open."""
        found = {d.face for d in self.demands} or {OPEN}
        return NO if NO in found else OPEN if OPEN in found else YES

    @property
    def parts(self) -> list[Part]:
        """All comparisons of the statement."""
        return [p for d in self.demands for p in d.parts]

    @property
    def seeds(self) -> int:
        """The fewest pairs behind any of its comparisons; 0 where there is nothing to compare, or results lack."""
        return min((p.seeds for p in self.parts), default=0)

    @property
    def remark(self) -> str:
        """Why it is left open whatever its comparisons say; empty if it is tested."""
        if not self.parts or any(p.tested for p in self.parts):
            return ""
        most = max(p.seeds for p in self.parts)
        return (
            ONE_RUN if most == 1 else FEW_SEEDS.format(least=LEAST_SEEDS, seeds=most) if 1 < most < LEAST_SEEDS else ""
        )

    @property
    def why(self) -> str:
        """How the parts of each demand came out, a line for each."""
        return "\n".join(f"{d.what}: {d.count}" for d in self.demands) or NOTHING_TO_COMPARE


def name_verdict(evidence: Evidence, level: float = ALPHA) -> str:
    """Returns the verdict of a statement's p-values at a one-sided level."""
    answers = {SUPPORTED: evidence.supports, REFUTED: evidence.refutes, NO_DIFFERENCE: evidence.same}
    return next((name for name, p in answers.items() if p <= level), UNDECIDED)


def demand_all(what: str, parts: Sequence[Part]) -> Demand:
    """Returns the demand that all parts hold."""
    return Demand(what=what, parts=tuple(parts), need=max(len(parts), 1))


def demand_some(what: str, parts: Sequence[Part], need: int = 1) -> Demand:
    """Returns the demand that at least ``need`` parts hold."""
    return Demand(what=what, parts=tuple(parts), need=need)


def correct_together(claims: Sequence[Claim]) -> list[Claim]:
    """Returns the statements with Holm's p over all of them; what cannot be tested counts among them with a p of 1."""
    adjusted = adjust_by_holm([c.p for c in claims])
    return [dataclasses.replace(c, holm=p) for c, p in zip(claims, adjusted, strict=True)]


def pay_looks(claim: Claim, looks: Mapping[str, Look]) -> Claim:
    """Returns the statement at the lowest level of the looks at its studies, which are given by slug."""
    slugs = dict.fromkeys(study.slug for p in claim.parts for study, _ in p.compared)
    own = [looks[slug] for slug in slugs if slug in looks]
    planned = any(look.level is not None for look in own)
    level = min(look.paid_level for look in own) if planned else None
    return dataclasses.replace(claim, looks=max((look.number for look in own), default=1), planned=level)
