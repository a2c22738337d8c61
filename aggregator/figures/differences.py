"""The figure of paired differences: each collaborative model against the same model of Single, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from aggregator.effects import Effect, find_effects
from aggregator.figures.palette import COLOURS, INK, MARKERS, SINGLES
from aggregator.figures.picture import Picture, render_picture
from aggregator.figures.style import fit_names, hint, house_style, new_sheet
from aggregator.statistics import CLOSE
from aggregator.study import SINGLE, Study

REACH = 3  # times the median end of an interval, or the tenth: what lies beyond is written at the edge


class Panel(NamedTuple):
    """A panel of differences: its title, a tenth of its reference (pp), and each difference with its row."""

    title: str
    tenth: float
    marks: Sequence[tuple[int, Effect]]


def plot_differences(study: Study) -> Picture:
    """Draws a panel per model and a row per treatment; what lies far off is an arrow with its number."""
    effects = find_effects([study])
    rows = study.beside_single
    panels = []
    for model in study.models:
        single = study.final(SINGLE, model)
        tenth = 100 * CLOSE * float(single.mean()) if len(single) else 0.0
        marks = [(rows.index(e.treatment), e) for e in effects if e.model == model]
        panels.append(Panel(f"{study.label} {model}", tenth, marks))
    absent = [t.title for t in rows if not any(e.treatment == t for e in effects)]
    return draw_panels(
        panels,
        [t.title for t in rows],
        "difference from Single (pp)",
        name=study.file_name("differences"),
        title=f"{study.title}: difference from Single",
        caption=f"Test error of each model minus that of the same model of Single, after the last epoch, with 95 % "
        f"intervals ({_name_tests(effects)}). Left of 0 collaboration is better. In the grey band the difference is below "
        "a tenth of Single's error, and not worth speaking of. An arrow with a number lies outside.",
        note=f"Nothing to compare: {', '.join(absent)}." if absent else "",
    )


def draw_panels(panels: Sequence[Panel], rows: Sequence[str], xlabel: str, **words: str) -> Picture:
    """Draws panels that share their rows.

    Args:
        words: name, title, caption and note of the picture.
    """
    with house_style():
        names = fit_names(rows)
        sheet = new_sheet(len(panels), height=1.0 + names.height * len(rows), left=names.left)
        for axes, panel in zip(sheet.panels, panels, strict=True):
            reach = _find_reach([e for _, e in panel.marks], panel.tenth)
            axes.axvspan(-panel.tenth, panel.tenth, color=SINGLES[0], alpha=0.18, linewidth=0)
            axes.axvline(0, color=INK, linewidth=0.8)
            for row, effect in panel.marks:
                _draw_effect(axes, effect, row, reach)
            axes.set_yticks(range(len(rows)), names.texts)
            axes.set_xlabel(xlabel, loc="right")  # the names of rows leave it room at the left
            axes.set(title=panel.title, xlim=(-reach, reach), ylim=(len(rows) - 0.5, -0.5))
        return render_picture(sheet, **words)


def _name_tests(effects: Sequence[Effect]) -> str:
    return ", ".join(dict.fromkeys(e.difference.test for e in effects)) or "none"


def _find_reach(effects: Sequence[Effect], tenth: float) -> float:
    """Returns half the width of the panel, which most intervals fit into."""
    ends = [max(map(abs, e.difference.interval)) if e.difference.known else abs(e.difference.effect) for e in effects]
    middle = float(np.median(ends)) if ends else 0.0
    fitting = [v for v in ends if v <= REACH * max(middle, tenth)]
    return 1.08 * max([tenth, *fitting]) or 1.0


def _draw_effect(axes: Axes, effect: Effect, row: int, reach: float) -> None:
    d, method = effect.difference, effect.treatment.method
    colour = COLOURS[method]
    if abs(d.effect) > reach:
        words, side = (f"{d.effect:+.1f} →", "right") if d.effect > 0 else (f"← {d.effect:+.1f}", "left")
        place = 0.98 * math.copysign(reach, d.effect)
        axes.text(place, row, words.replace("-", "−"), ha=side, va="center", fontsize=8.5, color=colour)
        return
    low, high = d.interval
    if d.known:
        axes.hlines(row, low, high, colors=colour, linewidth=2)
    (mark,) = axes.plot(d.effect, row, MARKERS[method], color=colour, markersize=5.5)
    interval = f" ({low:+.2f} to {high:+.2f})" if d.known else ""
    hint(mark, f"{effect.title}: {d.effect:+.2f} pp{interval}")
