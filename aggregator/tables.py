"""The tables in the form of the paper's A.7-A.12: rows method x alpha, columns the models, best in bold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator import statistics
from aggregator.statistics import SIGNIFICANCE, Estimate, estimate
from aggregator.study import COST, CROSS_ENTROPY, ERROR, Study, Weight

NOTHING = "–"
SENTENCE, NARROW = 28, 5


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One field of a table.

    Attributes:
        text: as shown.
        value: the number behind it, in full; None for text.
        best: the best of its column, set in bold.
        equal: not distinguishable from the best.
        absent: without a result, although the grid asks for one.
    """

    text: str
    value: float | None = None
    best: bool = False
    equal: bool = False
    absent: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of any kind. ``name`` is its file's."""

    name: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]

    @property
    def wordy(self) -> tuple[bool, ...]:
        """Of each column, whether it holds sentences, which are set otherwise than numbers."""
        return tuple(any(len(row[i].text) > SENTENCE for row in self.rows) for i in range(len(self.columns)))

    @property
    def narrow(self) -> bool:
        """Whether several such tables fit side by side."""
        return len(self.columns) <= NARROW and not any(self.wordy)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure that is tabulated: the column of the results, its name and unit, and how one value is printed."""

    column: str
    name: str
    title: str
    factor: float
    one: str
    several: str


METRICS = (
    Metric(column=ERROR, name="error", title="test error (%)", factor=100, one=".2f", several=".2f"),
    Metric(column=COST, name="cost", title="test cost (nats)", factor=1, one=".6g", several=".4f"),
    Metric(
        column=CROSS_ENTROPY,
        name="cross-entropy",
        title="test cross-entropy (nats)",
        factor=1,
        one=".6g",
        several=".4f",
    ),
)


def text(value: object) -> Entry:
    """A field of words."""
    return Entry(text=str(value))


def number(value: float, form: str) -> Entry:
    """A field of one number."""
    return Entry(text=format(value, form), value=value) if math.isfinite(value) else Entry(text=NOTHING, absent=True)


def results_tables(study: Study) -> list[Table]:
    """One table for each metric that any cell records."""
    return [results_table(study, m) for m in METRICS if study.last[m.column].notna().any() or m.column == ERROR]


def results_table(study: Study, metric: Metric) -> Table:
    """A data set's figures after the last epoch."""
    columns = [_column(study, metric, model) for model in study.models]
    single_run = max(study.asked.values(), default=0) == 1
    rows = []
    for i, weight in enumerate(study.weights):
        n = max((len(study.final(weight, m)) for m in study.models), default=0)
        seeds = () if single_run else (Entry(text=f"{n} of {study.asked[weight]}", value=n),)
        rows.append((text(weight.title), *(c[i] for c in columns), *seeds))
    return Table(
        name=f"{study.slug}-{metric.name}",
        title=f"{study.title}: {metric.title}",
        caption=_caption(single_run, metric),
        columns=("method, alpha", *study.models, *(() if single_run else ("seeds",))),
        rows=tuple(rows),
    )


def _caption(single_run: bool, metric: Metric) -> str:
    what = "One run of each." if single_run else "Mean ± half width of the 95 % interval over seeds."
    decay = {
        COST: " A member's cost holds its weight decay, the ensemble's does not.",
        CROSS_ENTROPY: " Without weight decay.",
    }.get(metric.column, "")
    cannot = " One run cannot tell costs apart." if single_run and metric.column != ERROR else ""
    return f"{what} After the last epoch. Bold: best of its column; ≈: not distinguishable from it (5 %, Holm).{decay}{cannot}"


def _column(study: Study, metric: Metric, model: str) -> list[Entry]:
    found = [estimate((study.final(w, model, metric.column) * metric.factor).to_numpy()) for w in study.weights]
    texts = [_text(e, metric) for e in found]
    means = [e.mean for e in found if math.isfinite(e.mean)]
    lowest = min(means, default=math.nan)
    # What prints the same as the best is as good as the best: the paper's tables have no more digits.
    best_text = next((_head(t) for t, e in zip(texts, found, strict=True) if e.mean == lowest), "")
    best = [_head(t) == best_text and math.isfinite(e.mean) for t, e in zip(texts, found, strict=True)]
    equal = _equal(study, metric, model, [e.mean == lowest for e in found])
    return [
        Entry(text=t, value=e.mean if e.n else None, best=b, equal=q and not b, absent=not math.isfinite(e.mean))
        for t, e, b, q in zip(texts, found, best, equal, strict=True)
    ]


def _head(shown: str) -> str:
    return shown.split(" ")[0]


def _text(e: Estimate, metric: Metric) -> str:
    if not math.isfinite(e.mean):
        return NOTHING
    if not math.isfinite(e.half):
        return format(e.mean, metric.one)
    return f"{e.mean:{metric.several}} ± {e.half:{metric.several}}"


def _equal(study: Study, metric: Metric, model: str, lowest: Sequence[bool]) -> list[bool]:
    if not any(lowest):
        return [False] * len(lowest)
    best = study.weights[list(lowest).index(True)]
    differences = [study.compare((w, model), (best, model), metric.column) for w in study.weights]
    others = [i for i, d in enumerate(differences) if d is not None and study.weights[i] != best]
    adjusted = dict(zip(others, statistics.holm([_p(differences[i]) for i in others]), strict=True))
    return [adjusted.get(i, 0.0) > SIGNIFICANCE for i in range(len(study.weights))]


def _p(difference: statistics.Difference | None) -> float:
    return difference.p() if difference else 1.0


def best_of(study: Study, column: str = ERROR, model: str = "Ens") -> Weight | None:
    """The weight with the lowest mean of a column; None without results."""
    means: dict[Weight, float] = {w: float(v.mean()) for w in study.weights if len(v := study.final(w, model, column))}
    return min(means, key=means.__getitem__) if means else None
