"""The figure of paired differences: each collaborative model against the same model of Single, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from aggregator.effects import Effect, find_effects
from aggregator.figures.palette import COLOURS, INK, MARKERS, SINGLES
from aggregator.figures.picture import Picture, render_picture
from aggregator.figures.style import NAMES, hint, house_style, new_sheet
from aggregator.study import SINGLE, Study

TENTH = 0.1  # of Single's error: what the claims call no difference worth speaking of
REACH = 3  # times the median end of an interval, or the tenth: what lies beyond is written at the edge


def plot_differences(study: Study) -> Picture:
    """Draws a panel per model and a row per treatment; what lies far off is an arrow with its number."""
    effects = find_effects([study])
    rows = study.collaborative()
    with house_style():
        sheet = new_sheet(len(study.models), height=1.0 + 0.21 * len(rows), left=NAMES)
        for axes, model in zip(sheet.panels, study.models, strict=True):
            own = [e for e in effects if e.model == model]
            single = study.final(SINGLE, model)
            tenth = 100 * TENTH * float(single.mean()) if len(single) else 0.0
            reach = _find_reach(own, tenth)
            axes.axvspan(-tenth, tenth, color=SINGLES[0], alpha=0.18, linewidth=0)
            axes.axvline(0, color=INK, linewidth=0.8)
            for effect in own:
                _draw_effect(axes, effect, rows.index(effect.treatment), reach)
            axes.set_yticks(range(len(rows)), [t.title for t in rows])
            axes.set(title=f"{study.label} {model}", xlabel="difference from Single (pp)")
            axes.set(xlim=(-reach, reach), ylim=(len(rows) - 0.5, -0.5))
        absent = [t.title for t in rows if not any(e.treatment == t for e in effects)]
        return render_picture(
            sheet,
            name=study.file_name("differences"),
            title=f"{study.title}: difference from Single",
            caption=f"Test error of each model minus that of the same model of Single, after the last epoch, with 95 % "
            f"intervals ({_name_tests(effects)}). Left of 0 collaboration is better. In the grey band the difference is below "
            "a tenth of Single's error, and not worth speaking of. An arrow with a number lies outside.",
            note=f"Nothing to compare: {', '.join(absent)}." if absent else "",
        )


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
