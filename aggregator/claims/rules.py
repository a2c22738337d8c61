"""How the p-values of comparisons make those of a statement. Each function takes arrays whose last axis is the comparisons.

A statement is a conjunction of demands, and a demand is that at least so many of its comparisons hold. So a statement is
supported when every demand is (intersection-union test: the largest p, without any correction), and a demand is supported
when at least k of n comparisons hold (partial conjunction of Benjamini and Heller 2008: Bonferroni's p over the n - k + 1
largest). It is refuted when any of its demands is, corrected for the number of demands. docs/statistics.md has the sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiment.looks import ALPHA as ALPHA
from experiment.looks import LEAST_SEEDS as LEAST_SEEDS
from experiment.looks import level_at as level_at

Floats = NDArray[np.float64]


class Tails(NamedTuple):
    """The one-sided p-values of a demand's comparisons, (..., comparisons), and how many of these must hold.

    Attributes:
        holds: small where a comparison is shown to hold.
        fails: small where it is shown not to hold.
        same: small where the difference is shown to be within a tenth on both sides.
    """

    holds: Floats
    fails: Floats
    same: Floats
    need: int


class Evidence(NamedTuple):
    """The p-values of a statement, (...): for its being supported, refuted, and without a difference worth speaking of."""

    supports: Floats
    refutes: Floats
    same: Floats


class Enough(NamedTuple):
    """How many of a demand's comparisons decide it, by the verdict that they decide it for."""

    supports: int
    refutes: int
    same: int


def show_at_least(p: Floats, need: int) -> Floats:
    """Returns the p of at least ``need`` of the hypotheses being false, (...); 1 where there are not that many."""
    count = p.shape[-1]
    if not 1 <= need <= count:
        return np.ones(p.shape[:-1])
    ranked = np.sort(p, axis=-1)[..., need - 1]
    return np.asarray(np.minimum(1.0, (count - need + 1) * ranked))


def weigh_demands(demands: Sequence[Tails]) -> Evidence:
    """Returns the p-values of a statement with these demands; all are 1 if it has none."""
    if not demands:
        return Evidence(np.ones(()), np.ones(()), np.ones(()))
    enough = [comparisons_for(d.holds.shape[-1], d.need) for d in demands]
    against = [show_at_least(d.fails, n.refutes) for d, n in zip(demands, enough, strict=True)]
    idle = [show_at_least(d.same, n.same) for d, n in zip(demands, enough, strict=True)]
    return Evidence(
        supports=np.max([show_at_least(d.holds, n.supports) for d, n in zip(demands, enough, strict=True)], axis=0),
        refutes=np.minimum(1.0, len(demands) * np.min(against, axis=0)),
        same=np.max(idle, axis=0),
    )


def comparisons_for(count: int, need: int) -> Enough:
    """Returns how many of a demand's comparisons must be shown to hold, to fail, and to be within a tenth.

    A demand shows no difference when so many are within a tenth that it can neither hold nor fail by more than that. What is
    shown to be worse does not count among them: the verdict's words would be wrong of it. 0: there are too few comparisons.
    """
    against = max(count - need + 1, 0)
    return Enough(supports=need, refutes=against, same=max(need, against))
