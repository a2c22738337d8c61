"""Figures that the paper does not have: error against alpha, agreement against the ensemble's gain, the generalisation gap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from aggregator.figures.style import (
    COLOURS,
    INK,
    MARKERS,
    SINGLES,
    Picture,
    add_legend,
    house_style,
    new_figure,
    render_picture,
)
from aggregator.statistics import Estimate, estimate_mean
from aggregator.study import CROSS_ENTROPY, ERROR, SINGLE, TITLES, Study, Treatment
from experiment.cell import COLLABORATIVE_METHODS, ENSEMBLE

CEILING = 2.5  # times the error of Single: points above it are named, not drawn


def plot_error_by_alpha(study: Study) -> Picture:
    """Draws the test error after the last epoch against alpha, a panel per model."""
    with house_style():
        figure, panels = new_figure(len(study.models), height=3.4)
        out: list[str] = []
        for axes, model in zip(panels, study.models, strict=True):
            single = _mean_error(study, SINGLE, model)
            ceiling = CEILING * single.mean if single.n else math.inf
            for method in COLLABORATIVE_METHODS:
                points = [(t.alpha, _mean_error(study, t, model)) for t in study.collaborative((method,))]
                out += [f"{model} {TITLES[method]} {a} ({e.mean:.1f} %)" for a, e in points if e.mean > ceiling]
                _draw_points(axes, [p for p in points if p[1].n and p[1].mean <= ceiling], method)
            _draw_single(axes, single)
            axes.set(title=f"{study.label} {model}", xlabel="alpha", xscale="log")
        panels[0].set_ylabel("test error %")
        add_legend(figure, panels[0])
        return render_picture(
            figure,
            name=study.file_name("alpha"),
            title=f"{study.title}: test error against alpha",
            caption="Test error after the last epoch for each collaboration weight (logarithmic), one panel per model; the "
            "dashed line is Single. Bars and band: 95 % intervals over seeds. Look for weights that leave the line.",
            note=f"Above the range: {', '.join(out)}." if out else "",
        )


def _mean_error(study: Study, treatment: Treatment, model: str) -> Estimate:
    return estimate_mean(100 * study.final(treatment, model).to_numpy())


def _draw_points(axes: Axes, points: Sequence[tuple[float, Estimate]], method: str) -> None:
    if not points:
        return
    alphas = [max(a, 1e-6) for a, _ in points]
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
    shown = [s for s in studies if s.last["test_agreement"].notna().any()]
    if not shown:
        return None
    with house_style():
        figure, panels = new_figure(len(shown), width=11 if len(shown) > 1 else 6.5, height=3.6)
        for axes, study in zip(panels, shown, strict=True):
            for method in (*COLLABORATIVE_METHODS, "single"):
                points = _agreement_points(study, method)
                if len(points):
                    look: dict[str, Any] = {
                        "c": COLOURS[method],
                        "marker": MARKERS[method],
                        "alpha": 0.8,
                        "linewidths": 0,
                    }
                    sizes = [14 + 22 * v for v in points["size"]]
                    axes.scatter(100 * points["x"], points["gain"], s=sizes, label=TITLES[method], **look)
            axes.axhline(0, color=INK, linewidth=0.8)
            axes.set(title=study.label, xlabel="members agree on % of test examples")
        panels[0].set_ylabel("gain of Ens over\nits best member (pp)")
        panels[-1].legend(loc="best")
        return render_picture(
            figure,
            name="agreement",
            title="Agreement of the members against the ensemble's gain",
            caption="Each point is a cell: how often its members predict the same class, and by how much the ensemble's test "
            "error is below that of its best member. Larger points: smaller alpha. Members that agree on everything "
            "leave the ensemble nothing to gain.",
            note=", ".join(f"{s.title} recorded no agreement" for s in studies if s not in shown),
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
    return pd.DataFrame({"x": x, "gain": gain, "size": alpha.map(ranks)}).dropna()


def plot_generalisation_gap(study: Study) -> Picture:
    """Draws test minus train cross-entropy of each model after the last epoch; cost where cross-entropy was not recorded."""
    recorded = study.last[study.last["model"] != ENSEMBLE][CROSS_ENTROPY].notna().any()
    what = "cross-entropy" if recorded else "cost"
    part = what.replace("-", "_")
    with house_style():
        figure, panels = new_figure(len(study.models), height=0.9 + 0.24 * len(study.treatments), share_y=True)
        for axes, model in zip(panels, study.models, strict=True):
            for i, treatment in enumerate(study.treatments):
                test, train = (study.final(treatment, model, f"{side}_{part}") for side in ("test", "train"))
                _draw_bar(axes, i, estimate_mean((test - train).dropna().to_numpy()), COLOURS[treatment.method])
            axes.axvline(0, color=INK, linewidth=0.8)
            axes.set(title=f"{study.label} {model}", xlabel=f"test − train {what} (nats)")
        panels[0].set_yticks(range(len(study.treatments)), [t.title for t in study.treatments])
        panels[0].invert_yaxis()
        return render_picture(
            figure,
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
