"""Intervals, tests and corrections.

Distributions and exact tests are SciPy's; only what SciPy lacks is written here: the paired and unpaired intervals of
proportions (adjusted Wald), the error of a mean over seeds and examples, and Holm's step-down, each tested against brute
force or by simulation.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95
SIGNIFICANCE = 1 - LEVEL
CLOSE = 0.1  # "approximates", "comparable", "no difference worth speaking of": within a tenth of the reference
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over seeds with the half width of its 95 % interval (NaN for fewer than 2 seeds)."""

    mean: float
    half: float
    n: int


def estimate_mean(values: Sequence[float] | Floats) -> Estimate:
    """Returns the mean of the values of several seeds and its Student interval."""
    data = np.asarray(values, dtype=float)
    n = len(data)
    if n < 2:
        return Estimate(mean=float(data[0]) if n else math.nan, half=math.nan, n=n)
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * data.std(ddof=1) / math.sqrt(n))
    return Estimate(mean=float(data.mean()), half=half, n=n)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A difference a - b, in the units of a and b, with its standard error.

    Attributes:
        error: standard error; NaN or 0 if the data cannot show one.
        freedom: degrees of freedom of Student's distribution; infinite for a normal one.
        n: the number of pairs or examples behind it.
        test: the test's name, as tables show it.
        exact: an exact two-sided p for no difference, where there is one.
    """

    effect: float
    error: float
    freedom: float
    n: int
    test: str
    exact: float | None = None

    @property
    def known(self) -> bool:
        """Whether the data show an error at all: a spread of zero over few seeds does not."""
        return math.isfinite(self.effect) and math.isfinite(self.error) and self.error > 0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        if not self.known:
            return math.nan, math.nan
        half = float(stats.t.ppf((1 + LEVEL) / 2, self.freedom)) * self.error
        return self.effect - half, self.effect + half

    def p(self, bound: float = 0.0) -> float:
        """The two-sided p of the true difference being ``bound``; 1 if the data cannot tell."""
        if not self.known:
            return 1.0
        if bound == 0 and self.exact is not None:
            return self.exact
        return float(2 * stats.t.sf(abs(self.effect - bound) / self.error, self.freedom))

    def tail(self, bound: float = 0.0) -> float:
        """The one-sided p that speaks for the true difference being below ``bound``; 1 if the data cannot tell."""
        if not self.known:
            return 1.0
        if bound == 0 and self.exact is not None:  # of a symmetric distribution
            return self.exact / 2 if self.effect < 0 else 1 - self.exact / 2
        return float(stats.t.cdf((self.effect - bound) / self.error, self.freedom))

    def upper_tail(self, bound: float = 0.0) -> float:
        """The one-sided p that speaks for the true difference being above ``bound``; 1 if the data cannot tell."""
        opposite = dataclasses.replace(self, effect=-self.effect)
        return opposite.tail(-bound)

    def scaled(self, factor: float) -> Difference:
        """The same difference in other units."""
        return dataclasses.replace(self, effect=self.effect * factor, error=self.error * abs(factor))


def paired_difference(
    a: Sequence[float] | Floats, b: Sequence[float] | Floats, test: str = "paired t over seeds"
) -> Difference:
    """Returns the mean of a - b over pairs."""
    d = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    n = len(d)
    error = float(d.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    if error < 1e-12:  # differences that agree to the last bits are equal
        error = 0.0
    return Difference(effect=float(d.mean()) if n else math.nan, error=error, freedom=max(n - 1, 1), n=n, test=test)


def mcnemar_difference(wrong_a: NDArray[np.bool_], wrong_b: NDArray[np.bool_]) -> Difference:
    """Returns the difference of two error rates on the same examples: McNemar's exact test, Bonett and Price's interval."""
    n = len(wrong_a)
    only_a, only_b = int((wrong_a & ~wrong_b).sum()), int((wrong_b & ~wrong_a).sum())
    exact = float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    pa, pb = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    error = math.sqrt((pa + pb - (pa - pb) ** 2) / (n + 2))
    return Difference(effect=(only_a - only_b) / n, error=error, freedom=math.inf, n=n, test="McNemar", exact=exact)


def crossed_difference(values: NDArray[np.floating[Any]]) -> Difference:
    """Returns the mean of paired differences with the error that both seeds and test examples give it.

    Seeds and examples are crossed random effects: the variance of the mean is that over seeds plus that over examples
    less that of both together, with Satterthwaite's degrees of freedom. It speaks about other images like these, where
    a test over seeds speaks about this test set alone. An estimate below that over seeds alone is raised to it.

    Args:
        values: (seeds, examples), at least 2 of each.
    """
    seeds, examples = values.shape
    grand = float(values.mean(dtype=float))
    by_seed, by_example = values.mean(axis=1, dtype=float) - grand, values.mean(axis=0, dtype=float) - grand
    of_seeds = examples * float(by_seed @ by_seed) / (seeds - 1)
    of_examples = seeds * float(by_example @ by_example) / (examples - 1)
    total = float(np.square(values, dtype=float).sum()) - values.size * grand**2
    rest = total - of_seeds * (seeds - 1) - of_examples * (examples - 1)
    of_both = max(rest, 0.0) / ((seeds - 1) * (examples - 1))
    mean_square = of_seeds + max(of_examples - of_both, 0.0)
    parts = [(of_seeds, seeds - 1), (of_examples, examples - 1), (of_both, (seeds - 1) * (examples - 1))]
    spread = sum(square**2 / freedom for square, freedom in (parts if of_examples > of_both else parts[:1]))
    return Difference(
        effect=grand,
        error=math.sqrt(mean_square / values.size),
        freedom=mean_square**2 / spread if spread else math.inf,
        n=seeds,
        test="seeds and images",
    )


def binomial_difference(rates: Sequence[float], sizes: Sequence[int], factors: Sequence[float]) -> Difference:
    """Returns a sum of independent error rates times their factors (1, -1: a difference), each of so many examples.

    One success and one failure are added to each, as Agresti and Caffo do: a rate of 0 then still has an error.
    On the same examples true rates vary together, so this is wider than the truth.
    """
    effect = sum(f * r for f, r in zip(factors, rates, strict=True))
    variance = 0.0
    for rate, n, factor in zip(rates, sizes, factors, strict=True):
        p = (rate * n + 1) / (n + 2)
        variance += factor**2 * p * (1 - p) / (n + 2)
    return Difference(
        effect=effect, error=math.sqrt(variance), freedom=math.inf, n=min(sizes), test="unpaired binomial"
    )


def adjust_by_holm(p: Sequence[float]) -> list[float]:
    """Returns Holm's adjusted p-values, in the order given; NaN counts as 1."""
    return [float(v) for v in step_down(np.nan_to_num(np.asarray(p, dtype=float), nan=1.0))]


def step_down(p: Floats) -> Floats:
    """Returns Holm's adjusted p-values of families, (..., family)."""
    order = np.argsort(p, axis=-1, kind="stable")
    steps = np.take_along_axis(p, order, axis=-1) * np.arange(p.shape[-1], 0, -1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0), axis=-1)
    return adjusted
