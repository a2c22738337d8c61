"""One comparison of a statement: a sum of figures that must be below a bound, with its tests over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aggregator.claims.columns import Term, seed_values, shares_of
from aggregator.claims.rules import LEAST_SEEDS
from aggregator.statistics import (
    CLOSE,
    Difference,
    binomial_difference,
    crossed_difference,
    mcnemar_difference,
    paired_difference,
)
from aggregator.study import ERROR, Study, Treatment

POINTS = 100  # shares are compared in percentage points
ONE_RUN = "one run of each"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One comparison: it holds if the true sum of its terms is below ``bound``.

    Attributes:
        says: what is true if it holds.
        difference: the sum in percentage points; None if there is nothing to compare.
        bound: in percentage points.
        over, under: the sum less, and plus, a tenth of the reference; None where a tenth has no meaning.
        tenth: of the reference, in percentage points; NaN where it has no meaning.
        seeds: the pairs behind it: 1 for one run of each, 0 for none.
        study, terms, reference: what it was computed from; None and empty where that is not known. A term may name
            another study than ``study``.
    """

    says: str
    difference: Difference | None
    bound: float = 0.0
    over: Difference | None = None
    under: Difference | None = None
    tenth: float = math.nan
    seeds: int = 0
    study: Study | None = None
    terms: tuple[Term, ...] = ()
    reference: tuple[Term, ...] = ()

    @property
    def has_runs(self) -> bool:
        """Whether the models that it compares have final errors, whatever else they lack."""
        study = self.study
        return study is not None and all(len(t.of(study).final(t.treatment, t.model)) for t in self.terms)

    @property
    def compared(self) -> list[tuple[Study, Treatment]]:
        """The treatments that it compares, each with its study."""
        study = self.study
        return [] if study is None else [(t.of(study), t.treatment) for t in (*self.terms, *self.reference)]

    @property
    def tested(self) -> bool:
        """Whether there are seeds enough to test it."""
        return self.seeds >= LEAST_SEEDS and self.difference is not None and self.difference.known

    @property
    def p_holds(self) -> float:
        """The one-sided p that speaks for it; 1 if it is not tested."""
        return self.difference.tail(self.bound) if self.tested and self.difference else 1.0

    @property
    def p_fails(self) -> float:
        """The one-sided p that speaks for its opposite; 1 if it is not tested."""
        return self.difference.upper_tail(self.bound) if self.tested and self.difference else 1.0

    @property
    def p_same(self) -> float:
        """The p of two one-sided tests (TOST) for a difference within a tenth on both sides; 1 if it is not tested."""
        if not self.tested or self.over is None or self.under is None:
            return 1.0
        return max(self.over.tail(), self.under.upper_tail()) if self.over.known and self.under.known else 1.0

    @property
    def face(self) -> bool | None:
        """Whether it holds for the numbers as they are, without any test; None if there are none."""
        return None if self.difference is None else self.difference.effect < self.bound

    def over_images(self) -> Difference | None:
        """Returns the sum with the error of seeds and test examples; None without predictions of enough seeds."""
        study = self.study
        if study is None or self.seeds < LEAST_SEEDS or any(t.column != ERROR for t in self.terms):
            return None
        seeds, _ = _values_by_seed(study, self.terms)
        found = [[_wrong_of(study, t, s) for s in seeds] for t in self.terms]
        if any(w is None for row in found for w in row):
            return None
        total = sum(np.float32(t.factor) * np.asarray(row) for t, row in zip(self.terms, found, strict=True))
        return crossed_difference(np.asarray(total)).scaled(POINTS)


def make_part(
    study: Study, says: str, terms: Sequence[Term], *, reference: Sequence[Term] = (), bound: float = 0.0
) -> Part:
    """Returns the comparison that holds if the terms' sum is below the bound.

    Args:
        reference: a tenth of their sum is the difference that is worth speaking of.
        bound: in percentage points.
    """
    everything = (*terms, *reference)
    seeds, values = _values_by_seed(study, everything)
    total = values[: len(terms)].sum(axis=0)
    tenth = CLOSE * values[len(terms) :].sum(axis=0)
    paired = bool(reference) and len(seeds) > 1
    return Part(
        says=f"{study.title}: {says}",
        difference=_sum_over_seeds(total) if len(seeds) != 1 else _sum_one_run(study, terms, int(seeds[0])),
        bound=bound,
        over=_sum_over_seeds(total - tenth) if paired else None,
        under=_sum_over_seeds(total + tenth) if paired else None,
        tenth=POINTS * float(tenth.mean()) if reference and len(seeds) else math.nan,
        seeds=len(seeds),
        study=study,
        terms=tuple(terms),
        reference=tuple(reference),
    )


def _values_by_seed(study: Study, terms: Sequence[Term]) -> tuple[pd.Index, NDArray[np.float64]]:
    """Returns the seeds that have every figure, and the terms' values, (terms, seeds)."""
    found = [seed_values(study, t) for t in terms]
    seeds = found[0].index
    for values in found[1:]:
        seeds = seeds if seeds.equals(values.index) else seeds.intersection(values.index)
    rows = [t.factor * v.reindex(seeds).to_numpy(dtype=float) for t, v in zip(terms, found, strict=True)]
    return seeds, np.array(rows)


def _wrong_of(study: Study, term: Term, seed: int) -> NDArray[np.bool_] | None:
    """Returns which test examples the model of a seed had wrong; None where its predictions were not read."""
    return term.of(study).wrong.get((term.treatment, seed), {}).get(term.model)


def _sum_over_seeds(values: NDArray[np.float64]) -> Difference | None:
    return paired_difference(values, np.zeros(len(values))).scaled(POINTS) if len(values) else None


def _sum_one_run(study: Study, terms: Sequence[Term], seed: int) -> Difference:
    wrong = [_wrong_of(study, t, seed) for t in terms]
    if [(t.factor, t.column) for t in terms] == [(1, ERROR), (-1, ERROR)]:
        a, b = wrong
        if a is not None and b is not None:
            return mcnemar_difference(a, b).scaled(POINTS)
    shares = [shares_of(study, t, seed) for t in terms]
    if any(s is None for s in shares):
        effect = sum(float(seed_values(study, t)[seed]) * t.factor for t in terms)
        return Difference(effect=POINTS * effect, error=math.nan, freedom=1, n=1, test=ONE_RUN)
    rates, sizes, factors = zip(*(share for own in shares for share in own or ()), strict=True)
    return binomial_difference(rates, sizes, factors).scaled(POINTS)
