"""Curves over epochs: the paper's forms A (all weights, last 10 epochs) and B (one weight against Single)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy import stats

from aggregator.figures import style
from aggregator.figures.style import SINGLES, Picture
from aggregator.statistics import LEVEL
from aggregator.study import SINGLE, TITLES, Study, Weight
from experiment.cell import ENSEMBLE

LAST_EPOCHS = 10
GOOD = 1.25  # a line is good if it ends below so many times the median of all: the others may leave the picture
METHODS = ("ce", "l2", "l1")


def draw(axes: Axes, curve: pd.DataFrame, **line: Any) -> None:
    """The mean over seeds, with the 95 % interval as a band if there are several."""
    mean = curve.mean(axis=1)
    axes.plot(mean.index, mean, **line)
    n = curve.notna().sum(axis=1)
    if (n > 1).all():
        half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * curve.std(axis=1, ddof=1) / np.sqrt(n)
        axes.fill_between(mean.index, mean - half, mean + half, color=line["color"], alpha=0.15, linewidth=0)


def methods(study: Study, member: str) -> Picture:
    """Form A: a member's test error over the last epochs, a panel per method, Single in greys."""
    shown = [m for m in METHODS if study.collaborative((m,))]
    curves = {(w, member): _percent(study, w, member) for w in study.collaborative()}
    curves |= {(SINGLE, m): _percent(study, SINGLE, m) for m in study.models}
    low, high = limits([c for c in curves.values() if len(c)])
    with style.styled():
        figure, panels = style.new(1, max(len(shown), 1), 11, 4.6, share_y=True)
        absent = []
        for axes, method in zip(panels, shown, strict=False):
            weights = study.collaborative((method,))
            alphas = [w.alpha for w in weights]
            for weight in weights:
                curve = curves[weight, member]
                if not len(curve):
                    absent.append(weight.title)
                    continue
                colour, width = style.shade(weight, alphas)
                out = "  ↑" if high and curve.mean(axis=1).min() > high else ""
                draw(axes, curve, color=colour, linewidth=width, label=f"{member} {weight.alpha}{out}")
            _singles(axes, study, curves)
            axes.set(title=f"{study.title} {TITLES[method]}", xlabel="epoch", ylim=(low, high) if high else None)
            _whole_epochs(axes)
            axes.legend(
                loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2
            )  # below: no place among the lines is free
        panels[0].set_ylabel("test error %")
        return style.picture(
            figure,
            name=f"{study.slug}-{member}-methods",
            title=f"{study.title}: test error of {member} by method and alpha",
            caption=f"Test error of {member} over the last {LAST_EPOCHS} epochs, trained in collaboration (colour; thicker "
            "and lighter as alpha falls) and the models of Single (greys to black). The range is set by the good "
            "lines: those that do poorly leave it (↑).",
            note=_absent([*absent, *([] if len(curves[SINGLE, ENSEMBLE]) else ["Single"])]),
        )


def limits(curves: list[pd.DataFrame]) -> tuple[float, float]:
    """The range of the good lines, spikes left out; (0, 0) without lines."""
    if not curves:
        return 0.0, 0.0
    means = [c.mean(axis=1) for c in curves]
    bound = GOOD * float(np.median([m.iloc[-1] for m in means]))
    good = np.concatenate([m.to_numpy() for m in means if m.iloc[-1] <= bound])
    low, high = float(good.min()), float(np.quantile(good, 0.93))
    pad = 0.12 * (high - low) or 0.1 * high or 1.0
    return max(0.0, low - pad), high + pad


def _percent(study: Study, weight: Weight, model: str) -> pd.DataFrame:
    return 100 * study.curve(weight, model).tail(LAST_EPOCHS)


def _singles(axes: Axes, study: Study, curves: dict[tuple[Weight, str], pd.DataFrame]) -> None:
    greys = dict(zip(study.models, [*(SINGLES[:-1] * 8)[: len(study.members)], SINGLES[-1]], strict=True))
    for i, model in enumerate(study.models):
        if len(curves[SINGLE, model]):
            width = 2.8 if model == ENSEMBLE else 1.4 + 0.3 * i
            draw(axes, curves[SINGLE, model], color=greys[model], linewidth=width, label=f"{model} Single")


def detail(study: Study, weight: Weight) -> Picture:
    """Form B: error and cost over all epochs of one weight (colour) and Single (grey), train dashed, test solid."""
    with style.styled():
        figure, (left, right) = style.new(1, 2, 11, 4)
        absent = [w.title for w in (weight, SINGLE) if not len(study.curve(w, ENSEMBLE))]
        for axes, what, factor in ((left, "error", 100), (right, "cost", 1)):
            for model in study.models:
                _pair(axes, study, weight, model, what, factor)
            top = factor * _highest(study, weight, what)
            axes.set(xlabel="epoch", ylim=(0, 1.08 * top) if top else None)
            _whole_epochs(axes)
        left.set(title=f"{study.title} {weight.title} error", ylabel="error %")
        right.set(title=f"{study.title} {weight.title} cost", ylabel="cost (nats)")
        handles, labels = left.get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside right center")
        return style.picture(
            figure,
            name=f"{study.slug}-{weight.title.lower().replace(' ', '-')}-detail",
            title=f"{study.title}: {weight.title} against Single over all epochs",
            caption=f"{weight.title} (colour) against Single (grey): error and cost over all epochs, train dashed, test "
            "solid, the ensemble thickest; the first epochs may leave the range. To see: how smooth the curves are, and how far test departs from train. A "
            "member's cost holds its weight decay, the ensemble's does not.",
            note=_absent(absent),
        )


def _highest(study: Study, weight: Weight, what: str) -> float:
    """The highest mean of a test curve once the first tenth of the epochs, when nothing is learnt yet, is over."""
    curves = [study.curve(w, m, f"test_{what}") for w in (weight, SINGLE) for m in study.models]
    later = [c.mean(axis=1).iloc[min(len(c) // 10 + 1, len(c) - 1) :] for c in curves if len(c)]
    return max((float(c.max()) for c in later), default=0.0)


def _pair(axes: Axes, study: Study, weight: Weight, model: str, what: str, factor: float) -> None:
    place = study.models.index(model) / (len(study.models) - 1)
    width = 1.0 + 2.0 * place
    shades = style.SHADES[weight.method]
    colours = {weight: shades[round((1 - place) * (len(shades) - 1))], SINGLE: SINGLES[0]}
    for w, name in ((SINGLE, "single"), (weight, "collab")):
        for part, dash in (("train", (0, (3, 1.5))), ("test", "-")):
            curve = study.curve(w, model, f"{part}_{what}")
            if len(curve):
                label = f"{model} {name} {part}"
                draw(axes, factor * curve, color=colours[w], linewidth=width, linestyle=dash, label=label)


def _whole_epochs(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _absent(titles: list[str]) -> str:
    return f"No results: {', '.join(titles)}." if titles else ""
