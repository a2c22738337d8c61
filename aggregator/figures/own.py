"""Figures of our own: error against alpha, agreement against ensemble gain, the gap between train and test."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from aggregator.figures import style
from aggregator.figures.style import COLOURS, MARKERS, SINGLES, Picture
from aggregator.statistics import Estimate, estimate
from aggregator.study import CROSS_ENTROPY, ERROR, SINGLE, TITLES, Study
from experiment.cell import ENSEMBLE

METHODS = ("ce", "l2", "l1")
CEILING = 2.5  # times the error of Single: points above it are named, not drawn


def against_alpha(study: Study) -> Picture:
    """Test error after the last epoch against alpha, a panel per model."""
    with style.styled():
        figure, panels = style.new(1, len(study.models), 11, 3.4)
        out: list[str] = []
        for axes, model in zip(panels, study.models, strict=True):
            single = estimate(100 * study.final(SINGLE, model).to_numpy())
            ceiling = CEILING * single.mean if single.n else math.inf
            for method in METHODS:
                weights = study.collaborative((method,))
                points = [(w.alpha, estimate(100 * study.final(w, model).to_numpy())) for w in weights]
                out += [f"{model} {TITLES[method]} {a} ({e.mean:.1f} %)" for a, e in points if e.mean > ceiling]
                _line(axes, [p for p in points if p[1].n and p[1].mean <= ceiling], method)
            if single.n:
                axes.axhline(single.mean, color=SINGLES[1], linewidth=1.6, linestyle=(0, (4, 2)), label="Single")
                if math.isfinite(single.half):
                    axes.axhspan(
                        single.mean - single.half, single.mean + single.half, color=SINGLES[1], alpha=0.12, lw=0
                    )
            axes.set(title=f"{study.title} {model}", xlabel="alpha", xscale="log")
        panels[0].set_ylabel("test error %")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center")
        return style.picture(
            figure,
            name=f"{study.slug}-alpha",
            title=f"{study.title}: test error against alpha",
            caption="Test error after the last epoch for each collaboration weight (logarithmic), one panel per model; the "
            "dashed line is Single. Bars and band: 95 % intervals over seeds. To see: whether any weight leaves the line.",
            note=f"Above the range: {', '.join(out)}." if out else "",
        )


def _line(axes: Axes, points: Sequence[tuple[float, Estimate]], method: str) -> None:
    if not points:
        return
    half = [0 if math.isnan(e.half) else e.half for _, e in points]
    axes.errorbar([max(a, 1e-6) for a, _ in points], [e.mean for _, e in points], yerr=half if any(half) else None,
                  color=COLOURS[method], marker=MARKERS[method], markersize=5, linewidth=1.6, capsize=2.5, label=TITLES[method])  # fmt: skip


def agreement(studies: Sequence[Study]) -> Picture | None:
    """How often members agree against what the ensemble gains over its best member; None if nothing was recorded."""
    shown = [s for s in studies if s.last["test_agreement"].notna().any()]
    if not shown:
        return None
    with style.styled():
        figure, panels = style.new(1, len(shown), 11 if len(shown) > 1 else 6.5, 3.6)
        for axes, study in zip(panels, shown, strict=True):
            for method in (*METHODS, "single"):
                points = _agreement_points(study, method)
                if len(points):
                    colour = COLOURS[method]
                    axes.scatter(100 * points["x"], points["gain"], s=[14 + 22 * v for v in points["size"]], c=colour,
                                 marker=MARKERS[method], alpha=0.8, linewidths=0, label=TITLES[method])  # fmt: skip
            axes.axhline(0, color=style.INK, linewidth=0.8)
            axes.set(title=study.title, xlabel="members agree on % of test examples")
        panels[0].set_ylabel("gain of Ens over\nits best member (pp)")
        panels[-1].legend(loc="best")
        return style.picture(
            figure,
            name="agreement",
            title="Agreement of the members against the ensemble's gain",
            caption="Each point is a cell: how often its members predict the same class, and by how much the ensemble's test "
            "error is below that of its best member. Larger points: smaller alpha. To see: members that agree on everything "
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


def gap(study: Study) -> Picture | None:
    """Test minus train cross-entropy of each model after the last epoch, by method and alpha; cost if that is all there is."""
    recorded = study.last[study.last["model"] != ENSEMBLE]["test_cross_entropy"].notna().any()
    test, train, what = (
        (CROSS_ENTROPY, "train_cross_entropy", "cross-entropy") if recorded else ("test_cost", "train_cost", "cost")
    )
    with style.styled():
        figure, panels = style.new(1, len(study.models), 11, 0.9 + 0.24 * len(study.weights), share_y=True)
        for axes, model in zip(panels, study.models, strict=True):
            for i, w in enumerate(study.weights):
                values = (study.final(w, model, test) - study.final(w, model, train)).dropna()
                if len(values):
                    e = estimate(values.to_numpy())
                    axes.barh(i, e.mean, color=COLOURS[w.method], xerr=None if math.isnan(e.half) else e.half,
                              error_kw={"elinewidth": 1, "ecolor": style.INK})  # fmt: skip
                else:
                    axes.text(0, i, " no results", va="center", fontsize=7)
            axes.axvline(0, color=style.INK, linewidth=0.8)
            axes.set(title=f"{study.title} {model}", xlabel=f"test − train {what} (nats)")
        panels[0].set_yticks(range(len(study.weights)), [w.title for w in study.weights])
        panels[0].invert_yaxis()
        return style.picture(
            figure,
            name=f"{study.slug}-gap",
            title=f"{study.title}: generalisation gap",
            caption=f"Test minus train {what} after the last epoch. Longer bars: more overfitting. Bars below zero: the test set "
            "is easier (notMNIST's is cleaner than its training set). To see: whether collaboration shortens the bar of Single.",
        )
