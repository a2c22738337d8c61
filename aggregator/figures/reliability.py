"""Reliability diagrams: how often models are right against how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aggregator.figures.palette import COLOURS, INK, MARKERS
from aggregator.figures.picture import Picture, render_picture
from aggregator.figures.style import BOTTOM, LEGEND_LINE, hint, house_style, new_sheet
from aggregator.reading.predictions import Predictions
from aggregator.reading.recomputed import BINS, calibration_error
from aggregator.study import SINGLE, Study, Treatment
from experiment.cell import Cell
from experiment.members import ENSEMBLE

FEWEST = 20  # examples of a group that is drawn


def drawn_treatments(study: Study) -> list[Treatment]:
    """Returns the treatments whose reliability is drawn: Single, and of each method the alpha with the lowest ensemble error."""
    chosen = [SINGLE]
    for method in study.methods:
        finals = {t: study.final(t, ENSEMBLE) for t in study.collaborative((method,))}
        means = {t: float(values.mean()) for t, values in finals.items() if len(values)}
        chosen += [min(means, key=means.__getitem__)] if means else []
    return chosen


def plot_reliability(study: Study, cells: Sequence[Cell], found: Mapping[str, Predictions]) -> Picture | None:
    """Draws a panel per model and a line per treatment; None without predictions."""
    drawn: dict[Treatment, Predictions] = {}
    wanted = drawn_treatments(study)
    for cell in cells:
        if cell.id in found and Treatment.of(cell) in wanted:
            drawn.setdefault(Treatment.of(cell), found[cell.id])
    if not drawn:
        return None
    with house_style():
        below = LEGEND_LINE * len(drawn)
        sheet = new_sheet(len(study.models), height=3.4 + below, bottom=BOTTOM + below)
        for axes, model in zip(sheet.panels, study.models, strict=True):
            axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
            lowest = 0.9
            for treatment, predictions in drawn.items():
                confidence, right = predictions.confidence[model], ~predictions.wrong[model]
                x, y = even_bins(confidence, right)
                ece, floor = calibration_error(confidence, right), calibration_floor(confidence)
                lowest = min([lowest, *x, *y])
                look: dict[str, Any] = {"color": COLOURS[treatment.method], "marker": MARKERS[treatment.method]}
                label = f"{treatment.title}: ECE {ece:.3f} ({floor:.3f})"
                (line,) = axes.plot(x, y, markersize=4, linewidth=1.4, label=label, **look)
                hint(line, label)
            low = max(0.0, lowest - 0.05)
            axes.set(title=f"{study.label} {model}", xlabel="confidence", ylabel="share right")
            axes.set(xlim=(low, 1.005), ylim=(low, 1.01))
            axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.14))
        return render_picture(
            sheet,
            name=study.file_name("reliability"),
            title=f"{study.title}: reliability",
            caption="Test examples in groups of equal size, by the probability given to the predicted class: the share that is "
            "right. On the dotted line a model is as often right as it says; below it, it is too sure. Single and, of each "
            f"method, the alpha with the lowest ensemble error, first seed. ECE: expected calibration error, in {BINS} bins "
            "of equal width; in brackets what a perfectly calibrated model of these confidences stays below in 95 % of test "
            "sets of this size.",
        )


def calibration_floor(confidence: NDArray[np.float64]) -> float:
    """Returns the 95th percentile of the calibration error of a model that is right exactly as often as it is sure.

    In each bin the share right then varies with the sum of p (1 - p), close to normally.
    """
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    spread = np.sqrt(np.bincount(place, confidence * (1 - confidence), BINS))
    drawn = np.abs(np.random.default_rng(0).standard_normal((2_000, BINS))) @ spread
    return float(np.quantile(drawn, 0.95)) / max(len(confidence), 1)


def even_bins(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns (mean confidence, share right) of groups of equal size, from the least sure to the surest examples.

    Models are sure of most examples: of bins of equal width all but the last would be nearly empty.
    """
    order = np.argsort(confidence, kind="stable")
    groups = np.array_split(order, max(min(BINS, len(order) // FEWEST), 1))
    means = np.array([(confidence[g].mean(), right[g].mean()) for g in groups if len(g)]).reshape(-1, 2)
    return means[:, 0], means[:, 1]
