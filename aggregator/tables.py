"""Tables of any kind, and those in the form of the paper's A.7-A.12: a row per treatment, a column per model, best in bold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from aggregator.entries import NOTHING, Entry, treatment_entry
from aggregator.statistics import SIGNIFICANCE, Estimate, estimate_mean
from aggregator.study import COST, CROSS_ENTROPY, ERROR, Study, Treatment
from experiment.members import ENSEMBLE

SENTENCE, NARROW = 28, 5


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of any kind; its files have its name."""

    name: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]

    @cached_property
    def wordy(self) -> tuple[bool, ...]:
        """Whether each column holds sentences, which the page sets otherwise than numbers."""
        return tuple(any(len(row[i].text) > SENTENCE for row in self.rows) for i in range(len(self.columns)))

    @property
    def narrow(self) -> bool:
        """Whether several such tables fit side by side."""
        return len(self.columns) <= NARROW and not any(self.wordy)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure that has a table.

    Attributes:
        column: of the results.
        name: part of the table's name.
        title: with the unit.
        factor: from the column's unit to the table's.
        one, several: how the value of one run and the mean of several are printed.
        alike: the digits in which values that agree are equally good.
    """

    column: str
    name: str
    title: str
    factor: float = 1
    one: str
    several: str
    alike: str


METRICS = (
    Metric(column=ERROR, name="error", title="test error (%)", factor=100, one=".2f", several=".2f", alike=".2f"),
    Metric(column=COST, name="test-cost", title="test cost (nats)", one=".4f", several=".4f", alike=".6g"),
    Metric(
        column=CROSS_ENTROPY,
        name="cross-entropy",
        title="test cross-entropy (nats)",
        one=".4f",
        several=".4f",
        alike=".6g",
    ),
)


def results_tables(study: Study) -> list[Table]:
    """Returns one table for each metric that any cell records."""
    return [results_table(study, m) for m in METRICS if study.last[m.column].notna().any() or m.column == ERROR]


def results_table(study: Study, metric: Metric) -> Table:
    """Returns the table of a metric after the last epoch."""
    columns = [_model_column(study, metric, model) for model in study.models]
    single_run = max(study.asked.values(), default=0) == 1
    rows = []
    for i, treatment in enumerate(study.treatments):
        n = max((len(study.final(treatment, m)) for m in study.models), default=0)
        seeds = () if single_run else (Entry(text=f"{n} of {study.asked[treatment]}", value=n),)
        rows.append((treatment_entry(treatment), *(c[i] for c in columns), *seeds))
    return Table(
        name=study.file_name(metric.name),
        title=f"{study.title}: {metric.title}",
        caption=_caption(single_run, metric),
        columns=("method, alpha", *study.models, *(() if single_run else ("seeds",))),
        rows=tuple(rows),
    )


def best_treatment(study: Study) -> Treatment | None:
    """Returns the treatment whose ensemble has the lowest mean test error; None without results."""
    finals = {t: study.final(t, ENSEMBLE) for t in study.treatments}
    means = {t: float(values.mean()) for t, values in finals.items() if len(values)}
    return min(means, key=means.__getitem__) if means else None


def _caption(single_run: bool, metric: Metric) -> str:
    what = "One run of each." if single_run else "Mean ± half width of the 95 % interval over seeds."
    decay = {
        COST: " A member's cost holds its weight decay, the ensemble's does not.",
        CROSS_ENTROPY: " Without weight decay.",
    }.get(metric.column, "")
    marks = "Bold: best of its column; ≈: not shown to be worse (5 % that the truly best one lacks the mark)."
    if single_run:
        marks += " This compares these networks and not the methods."
    if single_run and metric.column != ERROR:
        marks = "Bold: lowest of its column; which others are as good, one run cannot tell of costs."
    return f"{what} After the last epoch. {marks}{decay}"


def _model_column(study: Study, metric: Metric, model: str) -> list[Entry]:
    values = [study.final(t, model, metric.column) * metric.factor for t in study.treatments]
    found = [estimate_mean(v.to_numpy()) for v in values]
    texts = [_show_estimate(e, metric) for e in found]
    lowest = min((e.mean for e in found if math.isfinite(e.mean)), default=math.nan)
    # What agrees with the best in all digits of the paper's tables is as good as the best.
    best = [math.isfinite(e.mean) and format(e.mean, metric.alike) == format(lowest, metric.alike) for e in found]
    equal = _equal_to_best(study, metric, model, [e.mean == lowest for e in found])
    return [
        Entry(
            text=t,
            value=e.mean if e.n else None,
            best=b,
            equal=q and not b,
            absent=not math.isfinite(e.mean),
            bounds=(e.mean - e.half, e.mean + e.half) if math.isfinite(e.half) else None,
        )
        for t, e, b, q in zip(texts, found, best, equal, strict=True)
    ]


def _show_estimate(e: Estimate, metric: Metric) -> str:
    if not math.isfinite(e.mean):
        return NOTHING
    if not math.isfinite(e.half):
        return format(e.mean, metric.one)
    return f"{e.mean:{metric.several}} ± {e.half:{metric.several}}"


def _equal_to_best(study: Study, metric: Metric, model: str, lowest: Sequence[bool]) -> list[bool]:
    """Returns of each treatment whether it is not shown to be worse than the best one.

    The best one is found in the same numbers, so each one-sided p counts as often as there are others (Bonferroni): the
    truly best treatment lacks the mark in at most 5 % of runs. Hsu's comparisons with the best do the same for equal variances.
    """
    if not any(lowest):
        return [False] * len(lowest)
    best = study.treatments[list(lowest).index(True)]
    differences = [study.compare((t, model), (best, model), metric.column) for t in study.treatments]
    others = sum(d is not None for d in differences) - 1
    return [d is not None and others * d.upper_tail() > SIGNIFICANCE for d in differences]


def tied_treatments(study: Study) -> list[Treatment]:
    """Returns the treatments whose ensemble's test error is not shown to be higher than the lowest one, which is among them."""
    column = _model_column(study, METRICS[0], ENSEMBLE)
    return [t for t, e in zip(study.treatments, column, strict=True) if e.best or e.equal]
