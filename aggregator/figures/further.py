"""Figures that the paper does not have: error against alpha, agreement against the ensemble's gain, the generalisation gap."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from aggregator.figures.palette import COLOURS, INK, MARKERS, SINGLES
from aggregator.figures.picture import Picture, render_picture
from aggregator.figures.style import NAMES, add_legend, house_style, new_sheet
from aggregator.statistics import Estimate, binomial_difference, estimate_mean
from aggregator.study import CROSS_ENTROPY, ERROR, SINGLE, TITLES, Study, Treatment
from experiment.members import ENSEMBLE

CEILING = 2.5  # times the error of Single: points above it are named, not drawn
OUTLIER = 3
DODGE = {
    "ce": 0.88,
    "l2": 1.0,
    "l1": 1.14,
    "mutual": 0.78,
    "consensus": 1.28,
    "distillation": 0.7,
}  # of alpha: intervals stand beside each other


def plot_error_by_alpha(study: Study) -> Picture:
    """Draws the test error after the last epoch against alpha, a panel per model."""
    with house_style():
        sheet = new_sheet(len(study.models), height=3.1)
        out: list[str] = []
        for axes, model in zip(sheet.panels, study.models, strict=True):
            single = _mean_error(study, SINGLE, model)
            ceiling = CEILING * single.mean if single.n else math.inf
            for method in study.methods:
                points = [(t.alpha, _mean_error(study, t, model)) for t in study.collaborative((method,))]
                out += [f"{model} {TITLES[method]} {a} ({e.mean:.1f} %)" for a, e in points if e.mean > ceiling]
                _draw_points(axes, [p for p in points if p[1].n and p[1].mean <= ceiling], method)
            _draw_single(axes, single)
            axes.set(title=f"{study.label} {model}", xlabel="alpha", xscale="log", ylabel="test error %")
            axes.xaxis.set_minor_locator(NullLocator())
        add_legend(sheet, sheet.panels[0])
        return render_picture(
            sheet,
            name=study.file_name("alpha"),
            title=f"{study.title}: test error against alpha",
            caption="Test error after the last epoch for each collaboration weight (logarithmic), one panel per model; the "
            "dashed line is Single. Bars and band: 95 % intervals over seeds; of one run, over test examples. Look for weights that leave the line.",
            note=f"Above the range: {', '.join(out)}." if out else "",
        )


def _mean_error(study: Study, treatment: Treatment, model: str) -> Estimate:
    """Returns the mean over seeds; of one run, with the error that its test examples give it."""
    found = estimate_mean(100 * study.final(treatment, model).to_numpy())
    if found.n != 1:
        return found
    low, high = binomial_difference([found.mean / 100], [study.size()], [1]).interval
    return dataclasses.replace(found, half=100 * (high - low) / 2)


def _draw_points(axes: Axes, points: Sequence[tuple[float, Estimate]], method: str) -> None:
    if not points:
        return
    alphas = [max(a, 1e-6) * DODGE[method] for a, _ in points]
    means = [e.mean for _, e in points]
    half = [0 if math.isnan(e.half) else e.half for _, e in points]
    look: dict[str, Any] = {
        "color": COLOURS[method],
        "marker": MARKERS[method],
        "markersize": 5,
        "linewidth": 1.6,
        "capsize": 2.5,
    }
    axes.errorbar(alphas, means, yerr=half if any(half) else None, label=TITLES[method], **look)


def _draw_single(axes: Axes, single: Estimate) -> None:
    if single.n:
        axes.axhline(single.mean, color=SINGLES[1], linewidth=1.6, linestyle=(0, (4, 2)), label="Single")
    if math.isfinite(single.half):
        axes.axhspan(single.mean - single.half, single.mean + single.half, color=SINGLES[1], alpha=0.12, lw=0)


def plot_agreement(studies: Sequence[Study]) -> Picture | None:
    """Draws how often members agree against the ensemble's gain over its best member; None if nothing was recorded."""
    found = {s.slug: {m: p for m in (*s.methods, "single") if len(p := _agreement_points(s, m))} for s in studies}
    shown = [s for s in studies if found[s.slug]]
    if not shown:
        return None
    with house_style():
        sheet = new_sheet(len(shown), height=3.4)
        out: list[str] = []
        for axes, study in zip(sheet.panels, shown, strict=True):
            points = found[study.slug]
            inside = _agreement_range(pd.concat(points.values()))
            out += [f"{study.title}: {i}" for p in points.values() for i in p.index[~inside(p)]]
            for method, own in points.items():
                _draw_agreement(axes, own[inside(own)], method)
            axes.axhline(0, color=INK, linewidth=0.8)
            axes.set(title=study.label, xlabel="members agree on % of test examples")
            axes.set_ylabel("gain of Ens over its best member (pp)")
        add_legend(sheet, sheet.panels[0])
        notes = [f"Far from the others, and not drawn: {', '.join(out)}."] if out else []
        notes += [f"{s.title} recorded no agreement." for s in studies if s not in shown]
        return render_picture(
            sheet,
            name="agreement",
            title="Agreement of the members against the ensemble's gain",
            caption="Each point is a cell: how often its members predict the same class, and by how much the ensemble's test "
            "error is below that of its best member. Larger points: smaller alpha. Members that agree on everything "
            "leave the ensemble nothing to gain.",
            note=" ".join(notes),
        )


def _agreement_points(study: Study, method: str) -> pd.DataFrame:
    rows = study.last[study.last["method"] == method]
    if rows.empty:
        return pd.DataFrame()
    errors = rows.pivot_table(index="cell_id", columns="model", values=ERROR, observed=True)
    x = rows[rows["model"] == ENSEMBLE].set_index("cell_id")["test_agreement"]
    alpha = rows[rows["model"] == ENSEMBLE].set_index("cell_id")["alpha"]
    gain = 100 * (errors[list(study.members)].min(axis=1) - errors[ENSEMBLE])
    ranks = {a: i for i, a in enumerate(sorted(alpha.unique(), reverse=True))}
    names = {c.id: f"{Treatment.of(c).title}, seed {c.seed}" for c in study.cells}
    points = pd.DataFrame({"x": 100 * x, "gain": gain, "size": alpha.map(ranks)}).dropna()
    return points.rename(index=names)


def _agreement_range(points: pd.DataFrame) -> Callable[[pd.DataFrame], pd.Series]:
    """Returns what tells the points that are drawn: those that lie within 3 quartile distances of the middle half."""
    low, high = (points[["x", "gain"]].quantile(q) for q in (0.25, 0.75))
    reach = OUTLIER * (high - low) + 0.5  # percentage points: of points that nearly agree none is far
    return lambda some: (
        some[["x", "gain"]].sub(low - reach).ge(0).all(axis=1) & some[["x", "gain"]].sub(high + reach).le(0).all(axis=1)
    )


def _draw_agreement(axes: Axes, points: pd.DataFrame, method: str) -> None:
    look: dict[str, Any] = {"c": COLOURS[method], "marker": MARKERS[method], "alpha": 0.8, "linewidths": 0}
    sizes = [14 + 22 * v for v in points["size"]]
    axes.scatter(points["x"], points["gain"], s=sizes, label=TITLES[method], **look)


def plot_generalisation_gap(study: Study) -> Picture:
    """Draws test minus train cross-entropy of each model after the last epoch; cost where cross-entropy was not recorded."""
    recorded = study.last[study.last["model"] != ENSEMBLE][CROSS_ENTROPY].notna().any()
    what = "cross-entropy" if recorded else "cost"
    part = what.replace("-", "_")
    with house_style():
        sheet = new_sheet(len(study.models), height=0.95 + 0.2 * len(study.treatments), left=NAMES)
        for axes, model in zip(sheet.panels, study.models, strict=True):
            for i, treatment in enumerate(study.treatments):
                test, train = (study.final(treatment, model, f"{side}_{part}") for side in ("test", "train"))
                _draw_bar(axes, i, estimate_mean((test - train).dropna().to_numpy()), COLOURS[treatment.method])
            axes.axvline(0, color=INK, linewidth=0.8)
            axes.set(title=f"{study.label} {model}", xlabel=f"test − train {what} (nats)")
            axes.set_yticks(range(len(study.treatments)), [t.title for t in study.treatments])
            axes.invert_yaxis()
        return render_picture(
            sheet,
            name=study.file_name("gap"),
            title=f"{study.title}: generalisation gap",
            caption=f"Test minus train {what} after the last epoch. Longer bars: more overfitting. Bars below zero: the test set "
            "is easier (notMNIST's is cleaner than its training set). Look for treatments whose bar is shorter than Single's.",
        )


def _draw_bar(axes: Axes, place: int, gap: Estimate, colour: str) -> None:
    if not gap.n:
        axes.text(0, place, " no results", va="center", fontsize=7)
        return
    error = {"elinewidth": 1, "ecolor": INK}
    axes.barh(place, gap.mean, color=colour, xerr=None if math.isnan(gap.half) else gap.half, error_kw=error)
