"""How often verdicts on simulated seeds are wrong, and how often they are found.

Each kind of wrong verdict is simulated where the truth makes it easiest: every demand of the claim but one is met (or missed)
by far, and of this one as many comparisons as are allowed to, while all others lie exactly on the border. The largest of a
claim's demands counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import stdtr

from aggregator.claims import Claim
from aggregator.claims.columns import DISTANCE, Term, signed_distance
from aggregator.claims.parts import POINTS, Part
from aggregator.claims.rules import (
    ALPHA,
    LEAST_SEEDS,
    Evidence,
    Floats,
    Tails,
    comparisons_for,
    level_at,
    weigh_demands,
)
from aggregator.claims.verdict import NO_DIFFERENCE, REFUTED, SUPPORTED, Demand
from aggregator.statistics import CLOSE, step_down
from aggregator.study import ERROR, Study
from benchmarks.simulated_seeds import Values, first_seeds
from experiment.looks import PLANNED_SEEDS, level_in_plan

FIELDS = {SUPPORTED: "supports", REFUTED: "refutes", NO_DIFFERENCE: "same"}  # of Evidence
FAR = 1e3  # percentage points that no spread bridges
UNPUBLISHED = ("L2-1", "L2-4")  # claims about curves: no published number says how often they should be found
Shift = Callable[[Part], float]  # the true sum of a part's terms, in percentage points


def sum_terms(terms: Sequence[Term], study: Study, values: Values) -> Floats:
    """Returns the terms' sum in percentage points, (draws, seeds)."""

    def find(term: Term) -> Floats:
        if term.column != DISTANCE:
            return values[study.dataset, term.treatment, term.model, term.column]
        first, last = (values[study.dataset, term.treatment, m, ERROR] for m in (study.members[0], study.members[-1]))
        return signed_distance(first, last)

    return POINTS * np.sum([t.factor * find(t) for t in terms], axis=0)


def weigh_claim(claim: Claim, values: Values) -> Evidence:
    """Returns the p-values of a claim in every draw."""
    return weigh_demands([demand_tails(d, values) for d in claim.demands])


def demand_tails(demand: Demand, values: Values, truth: Shift | None = None) -> Tails:
    """Returns the p-values of a demand's comparisons in every draw; ``truth`` replaces the true sums of their terms."""
    found = [_part_tails(part, values, truth) for part in demand.parts]
    holds, fails, same = (np.stack(p, axis=-1) for p in zip(*found, strict=True))
    return Tails(holds, fails, same, demand.need)


def _part_tails(part: Part, values: Values, truth: Shift | None) -> tuple[Floats, Floats, Floats]:
    assert part.study
    total = sum_terms(part.terms, part.study, values)
    if truth:
        total = total + truth(part) - total.mean()
    holds, fails = _tails(total - part.bound)
    if not part.reference:
        return holds, fails, np.ones_like(holds)
    tenth = CLOSE * sum_terms(part.reference, part.study, values)
    return holds, fails, np.maximum(_tails(total - tenth)[0], _tails(total + tenth)[1])


def _tails(values: Floats) -> tuple[Floats, Floats]:
    seeds = values.shape[-1]
    if seeds < LEAST_SEEDS:
        return np.ones(len(values)), np.ones(len(values))
    error = values.std(axis=-1, ddof=1) / np.sqrt(seeds)
    t = values.mean(axis=-1) / np.where(error > 0, error, np.inf)  # without a spread the data cannot tell
    unknown = error == 0
    return np.where(unknown, 1.0, stdtr(seeds - 1, t)), np.where(unknown, 1.0, stdtr(seeds - 1, -t))


def wrong_verdicts(claim: Claim, values: Values, verdict: str) -> Floats:
    """Returns the p of each demand, (demands, draws), where the truth makes a wrong verdict easiest.

    All other demands are then met, or missed, by far, so that their p is 0. Of a demand's comparisons one too few for the
    verdict are apart from the rest, which lie on the border: by far, or without any difference where none is claimed.
    """
    found = []
    for demand in claim.demands:
        needed = comparisons_for(len(demand.parts), demand.need)._asdict()[FIELDS[verdict]]
        apart = {id(p) for p in demand.parts[: needed - 1]}
        if verdict == NO_DIFFERENCE:
            truth = _two_groups(apart, _nothing, lambda p: -_tenth_of(p, values))
        else:
            far = -FAR if verdict == SUPPORTED else FAR
            truth = _two_groups(apart, lambda p, far=far: p.bound + far, lambda p: p.bound)
        evidence = weigh_demands([demand_tails(demand, values, truth)])
        found.append(evidence._asdict()[FIELDS[verdict]])
    return np.array(found)


def _two_groups(apart: set[int], first: Shift, rest: Shift) -> Shift:
    return lambda part: first(part) if id(part) in apart else rest(part)


def _tenth_of(part: Part, values: Values) -> float:
    assert part.study
    return CLOSE * float(sum_terms(part.reference, part.study, values).mean()) if part.reference else 0.0


def _nothing(_: Part) -> float:
    return 0.0


def rate_wrong(claim: Claim, values: Values, verdict: str) -> float:
    """Returns how often a verdict is wrong, at the demand where that is most often."""
    return float((wrong_verdicts(claim, values, verdict) <= ALPHA).mean(axis=-1).max())


def rate_wrong_after_looks(claim: Claim, values: Values, looks: Sequence[int]) -> list[float]:
    """Returns how often a claim was wrongly supported by any look so far, if it is looked at with these seeds in turn."""
    return _rate_wrong_so_far(claim, values, [(seeds, level_at(n)) for n, seeds in enumerate(looks, start=1)])


def rate_wrong_in_plan(claim: Claim, values: Values, earlier: Sequence[int] = ()) -> list[float]:
    """Returns how often a claim was wrongly supported by any look of a plan so far, after looks at ``earlier`` seeds."""
    before = [(seeds, level_at(n)) for n, seeds in enumerate(earlier, start=1)]
    level = level_in_plan(len(PLANNED_SEEDS), len(earlier))
    return _rate_wrong_so_far(claim, values, [*before, *((seeds, level) for seeds in PLANNED_SEEDS)])[len(earlier) :]


def _rate_wrong_so_far(claim: Claim, values: Values, looks: Sequence[tuple[int, float]]) -> list[float]:
    """Returns the rate after each look, given as (seeds, level)."""
    ever: Floats | bool = False
    rates = []
    for seeds, level in looks:
        ever = ever | (wrong_verdicts(claim, first_seeds(values, seeds), SUPPORTED) <= level)
        rates.append(float(np.asarray(ever).mean(axis=-1).max()))
    return rates


def follow_plan(claim: Claim, values: Values) -> tuple[float, float]:
    """Returns how often a plan of looks ends with a verdict about a claim, and after how many seeds it ends on average."""
    level = level_in_plan(len(PLANNED_SEEDS))
    found = [np.min(weigh_claim(claim, first_seeds(values, s)), axis=0) <= level for s in PLANNED_SEEDS]
    hits = np.array(found)
    first = np.where(hits.any(axis=0), hits.argmax(axis=0), len(PLANNED_SEEDS) - 1)
    return float(hits.any(axis=0).mean()), float(np.array(PLANNED_SEEDS)[first].mean())


def find_verdicts(claims: Sequence[Claim], values: Values) -> dict[str, tuple[Evidence, Floats]]:
    """Returns by claim its p-values in every draw, and its p after Holm's correction over all claims."""
    evidence = {c.name: weigh_claim(c, values) for c in claims if c.name not in UNPUBLISHED}
    smallest = [np.min(evidence[c.name], axis=0) if c.name in evidence else None for c in claims]
    draws = len(next(p for p in smallest if p is not None))
    adjusted = step_down(np.stack([np.ones(draws) if p is None else p for p in smallest], axis=-1))
    return {c.name: (evidence[c.name], adjusted[:, i]) for i, c in enumerate(claims) if c.name in evidence}
