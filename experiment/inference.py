"""What inference with a cell's models takes, as the trainer records it with a result: the names of the figures, and their checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiment.cell import Cell

PARAMETERS, MULTIPLY_ADDS = "parameters", "multiply_adds"
BATCHES = (1, 64)  # images at once
Inference = Mapping[str, Mapping[str, float]]  # by model, then by name of the figure


def speed_name(batch: int) -> str:
    """Returns the name of the images per second at a batch size."""
    return f"images_per_second_{batch}"


FIGURES = (PARAMETERS, MULTIPLY_ADDS, *map(speed_name, BATCHES))


def find_wrong_figure(inference: Mapping[str, Mapping[str, Any]], cell: Cell) -> str:
    """Returns what a cell's record says of inference that cannot be, in a few words; nothing if all of it can.

    What the record lacks was not measured: that is not wrong.
    """
    for model, figures in inference.items():
        if model not in cell.models:
            return f"inference is that of {model!r}; allowed: {', '.join(cell.models)}"
        for name, value in figures.items():
            if name not in FIGURES:
                return f"inference of {model} has the figure {name!r}; allowed: {', '.join(FIGURES)}"
            if value <= 0:
                return f"{name} of {model} is {value}; allowed: more than 0"
    return ""
