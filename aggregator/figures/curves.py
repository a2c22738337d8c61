"""Curves over epochs: the paper's forms A (all treatments, last 10 epochs) and B (one treatment against Single)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy import stats

from aggregator.figures.palette import SHADES, SINGLES, line_style
from aggregator.figures.picture import Picture, render_picture
from aggregator.figures.style import BOTTOM, LEGEND_LINE, TICKS, add_legend, hint, house_style, new_sheet
from aggregator.statistics import LEVEL
from aggregator.study import COST, ERROR, SINGLE, TITLES, Model, Study, Treatment
from experiment.members import ENSEMBLE

LAST_EPOCHS = 10
OUT = "  ↑"
GOOD = 1.25  # a line is good if it ends below this multiple of the median; others may leave the picture

FORMS = {ERROR: ("test error", "%", 100), COST: ("test cost", "(nats)", 1)}  # name, unit, factor


def draw_curve(axes: Axes, curve: pd.DataFrame, *, band: bool = False, **line: Any) -> None:
    """Draws the mean over seeds, if asked with the 95 % interval as a band where there are several."""
    mean = curve.mean(axis=1)
    (drawn,) = axes.plot(mean.index, mean, **line)
    hint(drawn, f"{line['label'].removesuffix(OUT)}: {mean.iloc[-1]:.4g} at epoch {mean.index[-1]}")
    n = curve.notna().sum(axis=1)
    if band and (n > 1).all():
        half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * curve.std(axis=1, ddof=1) / np.sqrt(n)
        axes.fill_between(mean.index, mean - half, mean + half, color=line["color"], alpha=0.15, linewidth=0)


def plot_methods(study: Study, member: str, column: str = ERROR) -> Picture:
    """Draws form A: a member's test error or cost over the last epochs, a panel per method, Single in greys."""
    what, unit, factor = FORMS[column]
    shown = study.methods
    wanted = [*((t, member) for t in study.beside_single), *((SINGLE, m) for m in study.models)]
    curves = {model: factor * study.curve(*model, column).tail(LAST_EPOCHS) for model in wanted}
    low, high = good_range([c for c in curves.values() if len(c)])
    several = any(c.shape[1] > 1 for c in curves.values())
    with house_style():
        lines = max((len(study.collaborative((m,))) for m in shown), default=0) + len(study.models)
        below = LEGEND_LINE * math.ceil(lines / 2)
        sheet = new_sheet(max(len(shown), 1), height=3.9 + below, bottom=BOTTOM + below, share_y=True)
        for axes, method in zip(sheet.panels, shown, strict=False):
            _draw_singles(axes, study, curves)
            _draw_method(axes, study, curves, (method, member), high)
            axes.set(title=f"{study.label} {TITLES[method]}", xlabel="epoch", ylabel=f"{what} {unit}")
            axes.set_ylim((low, high) if high else None)
            _show_whole_epochs(axes)
            axes.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.45, -0.12))  # among the lines no place is free
        treatments = [t for method in shown for t in study.collaborative((method,))]
        absent = [t.title for t in treatments if not len(curves[t, member])]
        absent += [] if len(curves[SINGLE, ENSEMBLE]) else ["Single"]
        bands = (
            " Bands: 95 % intervals over seeds, of Single's ensemble and of each method's best alpha."
            if several
            else ""
        )
        return render_picture(
            sheet,
            name=study.file_name("methods" if column == ERROR else "methods-cost", member),
            title=f"{study.title}: {what} of {member} by method and alpha",
            caption=f"{what.capitalize()} of {member} over the last {LAST_EPOCHS} epochs, trained in collaboration (colour; thicker "
            "and fainter as alpha falls) and the models of Single (greys to black). The range is set by the good "
            f"lines: those that do poorly leave it (↑).{bands}",
            note=_name_absent(absent),
        )


def good_range(curves: Sequence[pd.DataFrame]) -> tuple[float, float]:
    """Returns the range of the good lines without their spikes; (0, 0) without lines."""
    if not curves:
        return 0.0, 0.0
    means = [c.mean(axis=1) for c in curves]
    bound = GOOD * float(np.median([m.iloc[-1] for m in means]))
    good = np.concatenate([m.to_numpy() for m in means if m.iloc[-1] <= bound])
    low, high = float(good.min()), float(np.quantile(good, 0.93))
    pad = 0.12 * (high - low) or 0.1 * high or 1.0
    return max(0.0, low - pad), high + pad


def _draw_method(
    axes: Axes, study: Study, curves: Mapping[Model, pd.DataFrame], line: tuple[str, str], high: float
) -> None:
    method, member = line
    treatments = study.collaborative((method,))
    alphas = [t.alpha for t in treatments]
    ends = {t: curves[t, member].mean(axis=1).iloc[-1] for t in treatments if len(curves[t, member])}
    best = min(ends, key=ends.__getitem__, default=None)
    for treatment in ends:
        curve = curves[treatment, member]
        colour, width = line_style(treatment, alphas)
        out = OUT if high and curve.mean(axis=1).min() > high else ""
        label = f"{member} {treatment.alpha}{out}"
        draw_curve(axes, curve, band=treatment == best, color=colour, linewidth=width, label=label)


def _draw_singles(axes: Axes, study: Study, curves: Mapping[Model, pd.DataFrame]) -> None:
    greys = dict(zip(study.models, [*(SINGLES[:-1] * 8)[: len(study.members)], SINGLES[-1]], strict=True))
    for i, model in enumerate(study.models):
        if len(curves[SINGLE, model]):
            together = model == ENSEMBLE
            look = {"color": greys[model], "linewidth": 2.8 if together else 1.4 + 0.3 * i}
            draw_curve(axes, curves[SINGLE, model], band=together, **look, label=f"{model} Single")


def plot_treatment(study: Study, treatment: Treatment) -> Picture:
    """Draws form B: error and cost of a treatment (colour) and Single (grey) over all epochs, train dashed, test solid."""
    name = treatment.title
    with house_style():
        sheet = new_sheet(2, height=3.6)
        left, right = sheet.panels
        absent = [t.title for t in (treatment, SINGLE) if not len(study.curve(t, ENSEMBLE))]
        for axes, what, factor in ((left, "error", 100), (right, "cost", 1)):
            for model in study.models:
                _draw_pair(axes, study, (treatment, model), what, factor)
            top = factor * _highest_test(study, treatment, what)
            axes.set(xlabel="epoch", ylim=(0, 1.08 * top) if top else None)
            _show_whole_epochs(axes)
        left.set(title=f"{study.label} {name} error", ylabel="error %")
        right.set(title=f"{study.label} {name} cost", ylabel="cost (nats)")
        add_legend(sheet, left)
        return render_picture(
            sheet,
            name=study.file_name(f"{name.lower().replace(' ', '-')}-detail"),
            title=f"{study.title}: {name} against Single over all epochs",
            caption=f"{name} (colour) against Single (grey): error and cost over all epochs, train dashed, test solid, the "
            "ensemble thickest; the first epochs may leave the range. Look at how smooth the curves are, and at how far test "
            "departs from train. A member's cost holds its weight decay, the ensemble's does not.",
            note=_name_absent(absent),
        )


def _highest_test(study: Study, treatment: Treatment, what: str) -> float:
    """Returns the highest mean of a test curve after the first tenth of the epochs, in which nothing is learnt yet."""
    curves = [study.curve(t, m, f"test_{what}") for t in (treatment, SINGLE) for m in study.models]
    later = [c.mean(axis=1).iloc[min(len(c) // 10 + 1, len(c) - 1) :] for c in curves if len(c)]
    return max((float(c.max()) for c in later), default=0.0)


def _draw_pair(axes: Axes, study: Study, line: Model, what: str, factor: float) -> None:
    treatment, model = line
    place = study.models.index(model) / (len(study.models) - 1)
    width = 1.0 + 2.0 * place
    shades = SHADES[treatment.method]
    colours = {treatment: shades[round((1 - place) * (len(shades) - 1))], SINGLE: SINGLES[0]}
    for drawn, name in ((SINGLE, "single"), (treatment, "collab")):
        for part, dash in (("train", (0, (3, 1.5))), ("test", "-")):
            curve = study.curve(drawn, model, f"{part}_{what}")
            if len(curve):
                label = f"{model} {name} {part}"
                draw_curve(axes, factor * curve, color=colours[drawn], linewidth=width, linestyle=dash, label=label)


def _show_whole_epochs(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(TICKS, integer=True))


def _name_absent(titles: Sequence[str]) -> str:
    return f"No results: {', '.join(titles)}." if titles else ""
