"""How probable each verdict is with more seeds, from what a statement's comparisons show now.

The true differences are drawn from what these results leave possible (Student's posterior under a flat prior; the
comparisons share Single, so their errors are correlated by a half). More seeds are then simulated, and the rule itself
judges them. Near the border the forecast is optimistic, so the whole curve is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from aggregator.claims.columns import NEEDS
from aggregator.claims.parts import Part
from aggregator.claims.rules import Evidence, Floats, Tails, weigh_demands
from aggregator.claims.verdict import UNDECIDED, Claim

PLANNING = (
    1.3  # a paired difference of one run spreads over seeds by this many of its errors over examples (1.05 to 1.8)
)
ALIKE = 0.5  # correlation of the errors of comparisons that share one model
DRAWS = 1_000
TARGETS = (5, 6, 7, 8, 10, 12, 14, 16, 20, 25, 30, 50, 100)
POWER = 0.8
MISSING = "its results are not complete: launch the run again first"
ONE_RUN = "one run of each shows no spread of what it compares: 2 seeds would show one"
ALL_EQUAL = "all that it compares came out the same with every seed: there is no spread to forecast from"
BORDER = "no number of seeds up to {most} would ({chance:.0%} there)"
INSTEAD = (
    "Where no number of seeds would decide a claim, the true differences may lie on the border: a wider margin than a tenth "
    "would, or, as far as single examples flip from seed to seed, a larger test set."
)


@dataclass(frozen=True, kw_only=True)
class Chance:
    """The probability of each verdict at a number of seeds."""

    seeds: int
    supported: float
    refuted: float
    same: float

    @property
    def decided(self) -> float:
        """The probability of any of the three."""
        return self.supported + self.refuted + self.same


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What more seeds would make of a statement.

    Attributes:
        chances: by increasing number of seeds; empty if these results cannot tell.
        reason: why there are no chances.
    """

    claim: Claim
    chances: tuple[Chance, ...] = ()
    reason: str = ""

    def needed(self, power: float = POWER, most: int = TARGETS[-1]) -> Chance | None:
        """The least number of seeds with which a verdict has this probability; None if none up to ``most`` has."""
        return next((c for c in self.chances if c.decided >= power and c.seeds <= most), None)

    @property
    def words(self) -> str:
        """What would decide it, as the page says it."""
        if self.claim.verdict != UNDECIDED:
            return "decided"
        chance = self.needed()
        if chance:
            return f"{chance.seeds} seeds of each ({chance.decided:.0%})"
        if not self.chances:
            return self.reason
        return BORDER.format(most=self.chances[-1].seeds, chance=self.chances[-1].decided)


def forecast_claim(claim: Claim, targets: Sequence[int] = TARGETS, draws: int = DRAWS) -> Outlook:
    """Returns the probability of each verdict by the number of seeds; the same for the same results."""
    if not claim.demands or not all(d.parts for d in claim.demands):
        return Outlook(claim=claim, reason=f"needs {claim.lacks}")
    if reason := _find_obstacle(claim.parts):
        return Outlook(claim=claim, reason=reason)
    ahead = [s for s in targets if s > max(p.seeds for p in claim.parts)]
    rng = np.random.default_rng(0)
    known = _Known.of(claim.parts)
    spread, truth = known.draw_truths(rng, draws)
    chances = [_count_verdicts(claim, known, s, known.simulate(rng, s, spread, truth), claim.next_level) for s in ahead]
    return Outlook(claim=claim, chances=tuple(chances))


def _find_obstacle(parts: Sequence[Part]) -> str:
    """Returns why these results show no spread to forecast from; empty if they do."""
    absent = [p for p in parts if p.difference is None]
    needs = [NEEDS[t.column] for p in absent for t in p.terms if t.column in NEEDS and p.has_runs]
    if absent:
        return f"needs {needs[0]}" if needs else MISSING
    unknown = [p for p in parts if p.difference and not p.difference.known]
    if any(p.seeds == 1 for p in unknown):
        return ONE_RUN
    return ALL_EQUAL if len(unknown) == len(parts) else ""


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What is known of each comparison, (comparisons,), all in percentage points from its bound."""

    seeds: Floats
    effect: Floats
    spread: Floats  # of one seed; NaN where all seeds came out the same, which the rule does not test
    tenth: Floats  # NaN where a tenth has no meaning

    @classmethod
    def of(cls, parts: Sequence[Part]) -> _Known:
        seeds = np.array([p.seeds for p in parts], dtype=float)
        differences = [p.difference for p in parts if p.difference]
        error = np.array([d.error if d.known else np.nan for d in differences])
        effect = np.array([d.effect - p.bound for d, p in zip(differences, parts, strict=True)])
        spread = np.where(seeds > 1, error * np.sqrt(seeds), error * PLANNING)
        return cls(seeds=seeds, effect=effect, spread=spread, tenth=np.array([p.tenth for p in parts]))

    def draw_truths(self, rng: np.random.Generator, draws: int) -> tuple[Floats, Floats]:
        """Returns true spreads and true differences that these results leave possible, (draws, comparisons)."""
        freedom = np.where(self.seeds > 1, self.seeds - 1, 1e6)
        chi = np.maximum(rng.chisquare(np.broadcast_to(freedom, (draws, len(freedom)))), 1e-9)
        spread = self.spread * np.sqrt(freedom / chi)
        return spread, self.effect + spread / np.sqrt(self.seeds) * _related(rng, draws, len(freedom))

    def simulate(self, rng: np.random.Generator, target: int, spread: Floats, truth: Floats) -> tuple[Floats, Floats]:
        """Returns mean and standard error with ``target`` seeds, the present ones among them."""
        more = target - self.seeds
        new = truth + spread / np.sqrt(more) * _related(rng, *truth.shape)
        squares = spread**2 * np.where(
            more > 1, rng.chisquare(np.broadcast_to(np.maximum(more - 1, 1), truth.shape)), 0
        )
        squares = squares + (self.seeds - 1) * self.spread**2
        squares = squares + self.seeds * more / target * (new - self.effect) ** 2
        mean = (self.seeds * self.effect + more * new) / target
        return mean, np.sqrt(squares / (target - 1) / target)


def _related(rng: np.random.Generator, draws: int, parts: int) -> Floats:
    """Returns standard normal numbers, (draws, parts), of which any two of a draw are correlated."""
    shared = np.sqrt(ALIKE) * rng.standard_normal((draws, 1))
    return np.asarray(shared + np.sqrt(1 - ALIKE) * rng.standard_normal((draws, parts)))


def _count_verdicts(claim: Claim, known: _Known, target: int, found: tuple[Floats, Floats], level: float) -> Chance:
    mean, error = found
    freedom = target - 1
    holds = stdtr(freedom, mean / error)
    fails = 1 - holds
    for p in (holds, fails):
        # What has no spread stays untested: it may get one, and the forecast does not count on that.
        p[np.isnan(p)] = 1.0
    same = np.ones_like(holds)
    small = ~np.isnan(known.tenth) & ~np.isnan(known.spread)
    m, e, tenth = mean[:, small], error[:, small], known.tenth[small]
    same[:, small] = stdtr(freedom, (np.abs(m) - tenth) / e)  # the larger of two one-sided p
    ends = np.cumsum([len(d.parts) for d in claim.demands])[:-1]
    columns = [np.split(p, ends, axis=-1) for p in (holds, fails, same)]
    tails = [Tails(h, f, e, d.need) for h, f, e, d in zip(*columns, claim.demands, strict=True)]
    evidence: Evidence = weigh_demands(tails)
    supported, refuted = evidence.supports <= level, evidence.refutes <= level
    alike = (evidence.same <= level) & ~supported & ~refuted
    rates = {"supported": supported, "refuted": refuted, "same": alike}
    return Chance(seeds=target, **{name: float(hit.mean()) for name, hit in rates.items()})
