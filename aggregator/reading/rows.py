"""Checks the rows of whole files: finds missing, repeated, impossible and contradicting rows, and figures that are no numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aggregator.reading.bounds import find_impossible_rows
from experiment import keys
from experiment.cell import Cell
from experiment.columns import describe_architectures, setting_value
from experiment.extensions import NEUTRAL
from experiment.inference import find_wrong_figure
from experiment.ledger import Problem

MEND = "remove it and launch its run again"


def find_row_problems(frame: pd.DataFrame) -> list[Problem]:
    """Names the cells whose rows are missing, repeat, cannot be, or hold no number although their file is whole.

    A figure that is NaN in all rows of a model was not measured: that is no problem.

    Args:
        frame: columns of ``results.EPOCHS``, texts as categories. Its codes are counted with numpy: grouping by them
            with pandas takes as long as reading a hundred files.
    """
    if frame.empty:
        return []
    cells = frame["cell_id"].cat.codes.to_numpy().astype(np.int64)
    models = len(frame["model"].cat.categories) * cells + frame["model"].cat.codes.to_numpy()
    measured = [name for name in frame.columns if frame[name].dtype == "float64"]
    return [
        *_find_repeats(frame, models),
        *_find_wrong_counts(frame, cells),
        *(problem for name in measured for problem in _find_lacking_numbers(frame, models, name)),
        *(_problem_of_row(frame, row, f"{reason}; {MEND}") for row, reason in find_impossible_rows(frame, cells)),
    ]


def find_contradictions(frame: pd.DataFrame, known: Mapping[str, Cell]) -> list[Problem]:
    """Names the known cells whose rows hold other settings than the grid: their file was tampered with or renamed.

    Args:
        known: by id, the cells of frozen grids; rows of other cells are not judged.
    """
    fields = (
        "dataset",
        "method",
        "alpha",
        "seed",
        "epochs",
        "batch_size",
        "weight_decay",
        "head",
        "precision",
        *NEUTRAL,
    )
    rows = frame.drop_duplicates("cell_id")  # that all rows of a cell hold the same is checked elsewhere
    found = []
    for row in rows[rows["cell_id"].isin(list(known))].to_dict("records"):
        cell = known[row["cell_id"]]
        wrong = [n for n in fields if row[n] != setting_value(getattr(cell, n))]
        wrong += ["members"] if row["members"] != cell.member_names else []
        wrong += ["architectures"] if row["architectures"] not in ("", describe_architectures(cell.members)) else []
        wrong += ["learning_rate_base"] if row["learning_rate_base"] != cell.learning_rate else []
        wrong += [n for n in ("train_examples", "test_examples") if getattr(cell, n) not in (0, row[n])]
        if wrong:
            reason = f"its rows hold another {', '.join(wrong)} than the run's grid; {MEND}"
            found.append(Problem(key=keys.epochs(cell), reason=reason, cell=cell.id))
    return found


def find_impossible_facts(provenance: Mapping[str, Mapping[str, Any]], known: Mapping[str, Cell]) -> list[Problem]:
    """Names the known cells whose file says of its origin what cannot be: less than no time or memory, no speed."""
    wrong = {i: find_wrong_figure(f.get("inference", {}), known[i]) for i, f in provenance.items() if i in known}
    counted = ("training_seconds", "peak_memory_bytes", "resumed_from_step")
    return [
        Problem(
            key=keys.epochs(known[cell]), cell=cell, reason=f"its {name} is {facts[name]}; allowed: 0 or more; {MEND}"
        )
        for cell, facts in provenance.items()
        for name in counted
        if cell in known and facts.get(name, 0) < 0
    ] + [
        Problem(key=keys.epochs(known[cell]), cell=cell, reason=f"its {reason}; {MEND}")
        for cell, reason in wrong.items()
        if reason
    ]


def _find_repeats(frame: pd.DataFrame, models: NDArray[np.int64]) -> Iterator[Problem]:
    """Names the cells that have several rows of one model and epoch; ``models`` numbers each row's cell and model."""
    next_model = np.diff(models) != 0
    together = np.count_nonzero(next_model) + 1 == np.count_nonzero(np.bincount(models))
    if together and (next_model | (np.diff(frame["epoch"].to_numpy()) > 0)).all():
        return  # as the trainer writes them, model after model, their epochs ascending: nothing can repeat
    repeats = frame[frame.duplicated(["cell_id", "model", "epoch"])]
    for code, count in zip(*np.unique(repeats["cell_id"].cat.codes, return_counts=True), strict=True):
        row = np.argmax(frame["cell_id"].cat.codes == code)
        yield _problem_of_row(frame, int(row), f"{count:,} rows repeat a model's epoch; {MEND}")


def _find_wrong_counts(frame: pd.DataFrame, cells: NDArray[np.int64]) -> Iterator[Problem]:
    """Names the cells that have more or fewer rows than their epochs and models make."""
    size = np.bincount(cells)
    first = _first_rows(cells, len(size))
    members = frame["members"].cat
    models = members.categories.str.count(r"\+").to_numpy(np.int64) + 2
    expected = frame["epochs"].to_numpy()[first] * models[members.codes.to_numpy()[first]]
    for cell in np.flatnonzero((size != expected) & (size > 0)):
        reason = f"{size[cell]:,} rows instead of {expected[cell]:,}: epochs or models are missing; {MEND}"
        yield _problem_of_row(frame, int(first[cell]), reason)


def _find_lacking_numbers(frame: pd.DataFrame, models: NDArray[np.int64], name: str) -> Iterator[Problem]:
    """Names the models for which the column holds numbers in some rows and none in others."""
    bad = np.isnan(frame[name].to_numpy())
    if not bad.any():
        return
    size = np.bincount(models)
    share = np.bincount(models, bad) / np.maximum(size, 1)
    first = _first_rows(models, len(size))
    for model in np.flatnonzero((share > 0) & (share < 1)):
        row = int(first[model])
        reason = f"{name} of {frame['model'].iloc[row]} is not a number in {share[model]:.0%} of its rows; {MEND}"
        yield _problem_of_row(frame, row, reason)


def _first_rows(groups: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Returns the first row of each group; 0 for a group without rows."""
    first = np.zeros(count, np.int64)
    first[groups[::-1]] = np.arange(len(groups))[::-1]  # of several assignments the last holds
    return first


def _problem_of_row(frame: pd.DataFrame, row: int, reason: str) -> Problem:
    dataset, method, cell = (str(frame[n].iloc[row]) for n in ("dataset", "method", "cell_id"))
    return Problem(key=keys.epochs_of(dataset=dataset, method=method, cell_id=cell), reason=reason, cell=cell)
