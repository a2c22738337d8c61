"""Finds rows that cannot be: figures out of their range, settings that change within a cell, models and epochs that it has not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiment import results
from experiment.members import ENSEMBLE

LARGEST = float(np.finfo(float).max)
SHARES = ("train_error", "test_error", "validation_error", "test_ece", "test_agreement")
COUNTS = ("epochs", "batch_size", "train_examples", "test_examples", "epoch")
WHOLE = 1e-3  # of an example: an error is a number of examples over their count
ROUNDED = 1e-6
Rows = NDArray[np.int64]
Finding = tuple[int, str]  # a row of the cell, and what is wrong


def find_impossible_rows(frame: pd.DataFrame, cells: Rows) -> Iterator[Finding]:
    """Yields the cells of rows that cannot be, each by one of its rows, with what is wrong.

    Args:
        frame: columns of ``results.EPOCHS``, cell after cell, texts as categories.
        cells: of each row the number of its cell.
    """
    yield from _find_several_settings(frame, cells)
    yield from _find_strange_models(frame, cells)
    for name in results.EPOCHS.names:
        if not isinstance(frame[name].dtype, pd.CategoricalDtype):
            yield from _find_out_of_range(frame, cells, name)
    late = frame["epoch"].to_numpy() > frame["epochs"].to_numpy()
    yield from _per_cell(late, cells, "epoch is {}, and the cell trains fewer", frame["epoch"].to_numpy())
    yield from _find_broken_errors(frame, cells)
    yield from _find_small_costs(frame, cells)


def _find_several_settings(frame: pd.DataFrame, cells: Rows) -> Iterator[Finding]:
    together = cells[1:] == cells[:-1]
    for name in (*results.CELL_COLUMNS, *results.ORIGIN_COLUMNS):
        column = frame[name]
        values = column.cat.codes.to_numpy() if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy()
        changed = np.append(False, (values[1:] != values[:-1]) & together)
        if name == "training_seconds":  # NaN in all rows of a cell: it is not known
            changed[1:] &= ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
        yield from _per_cell(changed, cells, f"its rows hold several values of {name}")


def _find_strange_models(frame: pd.DataFrame, cells: Rows) -> Iterator[Finding]:
    members, models = frame["members"].cat, frame["model"].cat
    width = len(models.categories)
    pairs = members.codes.to_numpy().astype(np.int64) * width + models.codes.to_numpy()
    for pair in np.flatnonzero(np.bincount(pairs)).tolist():
        own, model = members.categories[pair // width], models.categories[pair % width]
        if model not in (*own.split("+"), ENSEMBLE):
            yield from _per_cell(pairs == pair, cells, f"it has rows of {model!r}, which is none of its models")


def _find_out_of_range(frame: pd.DataFrame, cells: Rows, name: str) -> Iterator[Finding]:
    """A figure that is NaN was not measured, which only the test error must be."""
    low, high = (1 if name in COUNTS else 0), (1 if name in SHARES else LARGEST)
    values = frame[name].to_numpy()
    if values.min() >= low and values.max() <= high:  # as nearly always; False of NaN
        return
    wrong = ~((values >= low) & (values <= high))
    if name != "test_error":
        wrong &= ~np.isnan(values)
    bounds = f"from {low} on" if high == LARGEST else f"from {low} to {high}"
    yield from _per_cell(wrong, cells, f"{name} is {{}}; allowed: numbers {bounds}", values)


def _find_small_costs(frame: pd.DataFrame, cells: Rows) -> Iterator[Finding]:
    """Finds costs on the test set below their cross-entropy: a weight decay of 0 or more is added to it."""
    part = frame["test_cross_entropy"].to_numpy()
    below = frame["test_cost"].to_numpy() < part * (1 - ROUNDED)  # False where one was not measured
    yield from _per_cell(below, cells, "test_cost is below test_cross_entropy, which is {}", part)


def _find_broken_errors(frame: pd.DataFrame, cells: Rows) -> Iterator[Finding]:
    wrong = frame["test_error"].to_numpy() * frame["test_examples"].to_numpy()
    with np.errstate(invalid="ignore"):
        broken = np.abs(wrong - np.rint(wrong)) > WHOLE
    yield from _per_cell(
        broken, cells, "test_error stands for {} of its test examples, which is no whole number", wrong
    )


def _per_cell(
    wrong: NDArray[np.bool_], cells: Rows, reason: str, values: NDArray[Any] | None = None
) -> Iterator[Finding]:
    """Yields the first of the wrong rows of each cell; the value there fills the reason."""
    rows = np.flatnonzero(wrong)
    for row in rows[np.unique(cells[rows], return_index=True)[1]]:
        yield int(row), reason if values is None else reason.format(f"{values[row]:.6g}")
