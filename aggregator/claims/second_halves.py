"""The second halves of statements 2 and 3: what one model takes of what another takes, in parameters and in time.

They are judged apart from the eleven: parameters are counted, and times are compared over cells, each of which was measured on
one machine within a second, so neither says anything about errors. docs/statistics.md has the rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aggregator.claims.rules import LEAST_SEEDS, Evidence
from aggregator.claims.verdict import Claim, name_verdict
from aggregator.claims.whole_grid import small_and_large, studies_with_single
from aggregator.statistics import CLOSE, paired_difference
from aggregator.study import Study
from experiment.inference import BATCHES, PARAMETERS, Inference, speed_name
from experiment.members import ENSEMBLE

NOT_MEASURED = "not measured"
FIFTH, THIRD = 1 / 5, 1 / 3
NOTICEABLY_LESS = 1 - CLOSE  # by more than what the suite calls no difference worth speaking of
Provenances = Mapping[str, Mapping[str, Any]]  # by cell id


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one model takes, as a share of what another takes: it holds if the true share is at most ``limit``.

    Attributes:
        says: what is true if it holds.
        value: the share, a geometric mean over cells; NaN if it was not measured.
        bounds: its 95 % interval; both NaN where the cells do not show one, and both the value where it is exact.
        cells: the cells behind it.
        p_holds, p_fails: one-sided, for it and for its opposite; 1 where it is not tested.
    """

    says: str
    limit: float
    value: float = math.nan
    bounds: tuple[float, float] = (math.nan, math.nan)
    cells: int = 0
    p_holds: float = 1.0
    p_fails: float = 1.0

    @property
    def face(self) -> bool | None:
        """Whether the number as it is holds; None if there is none."""
        return self.value <= self.limit if math.isfinite(self.value) else None


@dataclass(frozen=True, kw_only=True)
class SecondHalf:
    """A judged second half; all its shares must hold. ``level`` is the one-sided level at which it is judged."""

    statement: str
    rule: str
    shares: tuple[Share, ...]
    level: float

    @property
    def evidence(self) -> Evidence:
        """Its p-values: of an intersection-union test, and of Bonferroni's for its opposite."""
        holds, fails = ([getattr(s, name) for s in self.shares] for name in ("p_holds", "p_fails"))
        supports, refutes = max(holds, default=1.0), min(1.0, max(len(fails), 1) * min(fails, default=1.0))
        return Evidence(np.array(supports), np.array(refutes), np.ones(()))

    @property
    def verdict(self) -> str:
        """Supported, refuted, undecided or, if there is something to compare and no number at all, not measured."""
        lacks = bool(self.shares) and all(s.face is None for s in self.shares)
        return NOT_MEASURED if lacks else name_verdict(self.evidence, self.level)


def judge_second_halves(
    studies: Sequence[Study], provenance: Provenances, claims: Sequence[Claim]
) -> dict[str, SecondHalf]:
    """Returns the judged second halves by the names of their claims, at these claims' levels.

    Args:
        provenance: by id of a done cell, what its file says it was made with; without ``inference``, it was not measured.
    """
    levels = {c.name: c.level for c in claims}
    small_shares, one_shares = list[Share](), list[Share]()
    for s in studies_with_single(studies):
        (small, large), found = small_and_large(s), _measured(s, provenance)
        small_shares += _compare(s, found, (small, large), FIFTH, THIRD)
        one_shares += _compare(s, found, (large, ENSEMBLE), NOTICEABLY_LESS, NOTICEABLY_LESS)
    every = "On every data set of the run"
    return {
        "2": SecondHalf(
            statement="This takes a fifth of the parameters and is three times as fast.",
            rule=f"{every} ST has at most a fifth of M's parameters and takes at most a third of its time.",
            shares=tuple(small_shares),
            level=levels["2"],
        ),
        "3": SecondHalf(
            statement="One such model takes noticeably less memory and time than the ensemble.",
            rule=f"{every} M has at most nine tenths of the ensemble's parameters and takes at most nine tenths of its time.",
            shares=tuple(one_shares),
            level=levels["3"],
        ),
    }


def _measured(study: Study, provenance: Provenances) -> list[Inference]:
    return [provenance.get(c.id, {}).get("inference", {}) for c in study.cells]


def _compare(
    study: Study, found: Sequence[Inference], pair: tuple[str, str], size_limit: float, time_limit: float
) -> list[Share]:
    (a, b), words = pair, f"{study.title}: {{}} of {pair[0]} at most {{:.3g}} of that of {pair[1]}"
    times = [
        compare_times(
            words.format(f"time for a batch of {n}", time_limit), time_limit, _pairs(found, (b, a), speed_name(n))
        )
        for n in BATCHES
    ]
    size = words.format("number of parameters", size_limit)
    return [compare_sizes(size, size_limit, _pairs(found, (a, b), PARAMETERS)), *times]


def _pairs(found: Sequence[Inference], models: tuple[str, str], name: str) -> list[tuple[float, float]]:
    """Returns the figure of both models of each cell that has both."""
    rows = [tuple(inference.get(m, {}).get(name, math.nan) for m in models) for inference in found]
    return [(a, b) for a, b in rows if math.isfinite(a) and math.isfinite(b)]


def compare_sizes(says: str, limit: float, sizes: Sequence[tuple[float, float]]) -> Share:
    """Returns the share of two exact counts: shown to hold, or to fail, if it does in every cell."""
    if not sizes:
        return Share(says=says, limit=limit)
    shares = [a / b for a, b in sizes]
    low, high = min(shares), max(shares)
    return Share(
        says=says,
        limit=limit,
        value=high,
        bounds=(low, high),
        cells=len(shares),
        p_holds=0.0 if high <= limit else 1.0,
        p_fails=0.0 if low > limit else 1.0,
    )


def compare_times(says: str, limit: float, times: Sequence[tuple[float, float]]) -> Share:
    """Returns the share of two times by its logarithm, tested with Student's t over cells from as many as there must be seeds.

    Args:
        times: of both models, by cell; or the speeds of the second and the first.
    """
    if not times:
        return Share(says=says, limit=limit)
    first, second = np.log(np.array(times, dtype=float)).T
    d = paired_difference(first, second)
    low, high = np.exp(d.interval)
    tested = d.n >= LEAST_SEEDS
    return Share(
        says=says,
        limit=limit,
        value=math.exp(d.effect),
        bounds=(float(low), float(high)),
        cells=d.n,
        p_holds=d.tail(math.log(limit)) if tested else 1.0,
        p_fails=d.upper_tail(math.log(limit)) if tested else 1.0,
    )
