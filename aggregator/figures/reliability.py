"""Reliability diagrams: how often models are right when they say how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aggregator.figures import style
from aggregator.figures.style import COLOURS, MARKERS, Picture
from aggregator.predictions import Predictions, reliable
from aggregator.study import Study, Weight
from experiment.cell import Cell

BINS = 15  # as the trainer's test_ece
FEWEST = 10  # examples of a bin that is drawn


def diagram(study: Study, cells: Sequence[Cell], found: Mapping[str, Predictions]) -> Picture | None:
    """A panel per model, a line per weight; None without predictions."""
    drawn: dict[Weight, Predictions] = {}
    for cell in cells:
        weight = Weight(cell.method, cell.alpha)
        if cell.id in found and weight in reliable(study):
            drawn.setdefault(weight, found[cell.id])
    if not drawn:
        return None
    with style.styled():
        figure, panels = style.new(1, len(study.models), 11, 3.5)
        for axes, model in zip(panels, study.models, strict=True):
            axes.plot([0, 1], [0, 1], color=style.INK, linewidth=0.8, linestyle=(0, (2, 2)))
            lowest = 0.9
            for weight, predictions in drawn.items():
                x, y, ece = bins(predictions.confidence[model], ~predictions.wrong[model])
                lowest = min([lowest, *x, *y])
                axes.plot(x, y, color=COLOURS[weight.method], marker=MARKERS[weight.method], markersize=4, linewidth=1.4,
                          label=f"{weight.title}: ECE {ece:.3f}")  # fmt: skip
            low = max(0.0, lowest - 0.05)
            axes.set(title=f"{study.title} {model}", xlabel="confidence", xlim=(low, 1), ylim=(low, 1.01))
            axes.legend(loc="upper left")
        panels[0].set_ylabel("share right")
        return style.picture(
            figure,
            name=f"{study.slug}-reliability",
            title=f"{study.title}: reliability",
            caption=f"Test examples in {BINS} bins of the probability given to the predicted class: the share that is right. On "
            "the dotted line a model is as often right as it says; below it, it is too sure. Single and, of each method, the "
            f"alpha with the lowest ensemble error, first seed. Bins of fewer than {FEWEST} examples are not drawn. ECE: expected calibration error.",
        )


def bins(
    confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """(mean confidence, share right) of the bins that are drawn, and the expected calibration error over all."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    sure = np.bincount(place, confidence, BINS) / np.maximum(count, 1)
    good = np.bincount(place, right.astype(float), BINS) / np.maximum(count, 1)
    ece = float((count * np.abs(sure - good)).sum() / max(len(confidence), 1))
    shown = count >= FEWEST
    return sure[shown], good[shown], ece
