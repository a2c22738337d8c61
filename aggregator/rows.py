"""Checks the rows of results whose files are whole: what a cell lacks, repeats, or holds instead of numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiment import keys
from experiment.ledger import Problem


def row_problems(frame: pd.DataFrame) -> list[Problem]:
    """What is wrong with the rows of a cell although its file is whole: rows that lack, repeat, or hold no number.

    A figure that is NaN in all rows of a model was not measured: that is no problem.

    Args:
        frame: columns of ``results.EPOCHS``, texts as categories. Its codes are counted with numpy: grouping by them
            with pandas takes as long as reading a hundred files.
    """
    if frame.empty:
        return []
    cells = frame["cell_id"].cat.codes.to_numpy().astype(np.int64)
    models = len(frame["model"].cat.categories) * cells + frame["model"].cat.codes.to_numpy()
    return [
        *_repeats(frame, models),
        *_sizes(frame, cells),
        *(p for name in frame.columns if frame[name].dtype == "float64" for p in _numbers(frame, models, name)),
    ]


def _repeats(frame: pd.DataFrame, models: NDArray[np.int64]) -> Iterator[Problem]:
    """Of cells with several rows of one model and epoch. ``models`` numbers each row's cell and model."""
    next_model = np.diff(models) != 0
    together = np.count_nonzero(next_model) + 1 == np.count_nonzero(np.bincount(models))
    if together and (next_model | (np.diff(frame["epoch"].to_numpy()) > 0)).all():
        return  # as the trainer writes them, model after model, their epochs ascending: nothing can repeat
    repeats = frame[frame.duplicated(["cell_id", "model", "epoch"])]
    for place, count in zip(*np.unique(repeats["cell_id"].cat.codes, return_counts=True), strict=True):
        row = np.argmax(frame["cell_id"].cat.codes == place)
        yield _problem(frame, int(row), f"{count:,} rows repeat a model's epoch")


def _sizes(frame: pd.DataFrame, cells: NDArray[np.int64]) -> Iterator[Problem]:
    """Of cells with more or fewer rows than their epochs and models make."""
    size = np.bincount(cells)
    first = _first(cells, len(size))
    members = frame["members"].cat
    models = members.categories.str.count(r"\+").to_numpy(np.int64) + 2
    expected = frame["epochs"].to_numpy()[first] * models[members.codes.to_numpy()[first]]
    for cell in np.flatnonzero((size != expected) & (size > 0)):
        reason = f"{size[cell]:,} rows instead of {expected[cell]:,}: epochs or models are missing"
        yield _problem(frame, int(first[cell]), reason)


def _numbers(frame: pd.DataFrame, models: NDArray[np.int64], name: str) -> Iterator[Problem]:
    """Of models of which some rows of the column are finite numbers and some are not."""
    bad = ~np.isfinite(frame[name].to_numpy())
    if not bad.any():
        return
    size = np.bincount(models)
    share = np.bincount(models, bad) / np.maximum(size, 1)
    first = _first(models, len(size))
    for model in np.flatnonzero((share > 0) & (share < 1)):
        row = int(first[model])
        reason = f"{name} of {frame['model'].iloc[row]} is not a finite number in {share[model]:.0%} of its rows"
        yield _problem(frame, row, reason)


def _first(groups: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The first row of each group; 0 for one without rows."""
    first = np.zeros(count, np.int64)
    first[groups[::-1]] = np.arange(len(groups))[::-1]  # of several assignments the last holds
    return first


def _problem(frame: pd.DataFrame, row: int, reason: str) -> Problem:
    dataset, method, cell = (str(frame[n].iloc[row]) for n in ("dataset", "method", "cell_id"))
    return Problem(key=keys.epochs_of(dataset=dataset, method=method, cell_id=cell), reason=reason, cell=cell)
