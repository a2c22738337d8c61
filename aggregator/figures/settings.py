"""The figure that compares the settings of one data set: a row per setting, a mark per method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aggregator.figures.palette import COLOURS, MARKERS
from aggregator.figures.picture import Picture, render_picture
from aggregator.figures.style import add_legend, fit_names, hint, house_style, new_sheet
from aggregator.statistics import estimate_mean
from aggregator.study import SINGLE, TITLES, Study, Treatment
from experiment.cell import METHODS
from experiment.datasets import title_of
from experiment.members import ENSEMBLE

DODGE = {
    "single": 0.0,
    "ce": -0.2,
    "l2": 0.0,
    "l1": 0.2,
    "mutual": -0.38,
    "consensus": 0.38,
    "distillation": 0.5,
}  # of a row: marks stand beside each other


def best_of(study: Study, method: str) -> Treatment | None:
    """Returns the method's treatment with the lowest mean error of the ensemble; None without results."""
    own = [SINGLE] if method == SINGLE.method else study.collaborative((method,))
    means = {t: float(values.mean()) for t in own if len(values := study.final(t, ENSEMBLE))}
    return min(means, key=means.__getitem__, default=None)


def plot_settings(studies: Sequence[Study]) -> Picture:
    """Draws a panel per model: Single and the best alpha of each method, with 95 % intervals over seeds."""
    models = list(dict.fromkeys(m for s in studies for m in s.models))
    names = [name_setting(s) for s in studies]
    title = title_of(studies[0].dataset)
    with house_style():
        rows = fit_names(names)
        sheet = new_sheet(len(models), height=1.0 + max(0.24, rows.height) * len(studies), left=rows.left)
        for axes, model in zip(sheet.panels, models, strict=True):
            for method in reversed(METHODS):
                points = [
                    (row, s, t) for row, s in enumerate(studies) if (t := best_of(s, method)) and model in s.models
                ]
                for n, (row, study, treatment) in enumerate(points):
                    e = estimate_mean(100 * study.final(treatment, model).to_numpy())
                    if not e.n:
                        continue
                    place, colour = row + DODGE[method], COLOURS[method]
                    axes.hlines(place, e.mean - e.half, e.mean + e.half, colors=colour, linewidth=1.2)
                    look: dict[str, Any] = {
                        "color": colour,
                        "markersize": 4.5,
                        "label": TITLES[method] if n == 0 else None,
                    }
                    (mark,) = axes.plot(e.mean, place, MARKERS[method], **look)
                    hint(mark, f"{names[row]}: {model} of {treatment.title} {e.mean:.2f} %")
            axes.set_yticks(range(len(names)), rows.texts)
            axes.set(title=f"{title} {model}", xlabel="test error %", ylim=(len(names) - 0.5, -0.5))
        add_legend(sheet, sheet.panels[0])
        return render_picture(
            sheet,
            name=f"{studies[0].dataset}-settings",
            title=f"{title}: the settings side by side",
            caption=f"Test error after the last epoch, a row per setting ({', '.join(_varied(studies))}): Single, and of each "
            "method the alpha with the lowest ensemble error. Lines: 95 % intervals over seeds. Look for settings in which the "
            "methods change places.",
        )


PAPERS = "as in the paper"  # the setting that differs in nothing, where others of the run do


def name_setting(study: Study) -> str:
    """Returns what differs from the paper's settings, as a row has room for it."""
    parts = [part.rpartition(" ") for part in study.setting.split(", ")] if study.setting else []
    return " · ".join(f"{name} {value[:9]}" for name, _, value in parts) or PAPERS


def _varied(studies: Sequence[Study]) -> list[str]:
    parts = [part for s in studies if s.setting for part in s.setting.split(", ")]
    return list(dict.fromkeys(part.rpartition(" ")[0] for part in parts))
