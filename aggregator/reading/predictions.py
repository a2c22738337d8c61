"""Reads predictions on the test set: which examples were wrong, how sure the models were, and whether the rows say the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aggregator.reading.recomputed import FIGURES, check_figures, score_logits
from experiment import artifacts, keys, results
from experiment.cell import Cell
from experiment.columns import prediction_values
from experiment.errors import ExperimentError, InvalidInput, NotFound, describe_error
from experiment.ledger import Problem
from experiment.members import ENSEMBLE
from experiment.parallel import map_parallel
from experiment.store import Store


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """The predictions of one cell, by model, test examples in their order.

    Attributes:
        wrong: which examples were wrong.
        confidence: the probability given to the predicted class.
        labels: digest of the right classes.
    """

    wrong: Mapping[str, NDArray[np.bool_]]
    confidence: Mapping[str, NDArray[np.float64]]
    labels: str


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the rows of a cell say of its predictions.

    Attributes:
        models: the members, then the ensemble.
        examples: number of test examples.
        figures: by model, the last epoch's figures of the test set.
    """

    cell: str
    models: Sequence[str]
    examples: int
    figures: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class FoundPredictions:
    """The predictions of some cells.

    Attributes:
        usable: by cell id.
        unusable: the files that are absent or damaged: their cells are compared without them.
        contradictions: the cells whose commit names predictions that say something else than its rows.
    """

    usable: Mapping[str, Predictions]
    unusable: Sequence[Problem]
    contradictions: Sequence[Problem]


def expect_predictions(frame: pd.DataFrame) -> dict[str, Expected]:
    """Returns by cell id what the rows of ``results.EPOCHS`` say of predictions."""
    figures: dict[str, dict[str, dict[str, float]]] = {}
    last = frame[frame["epoch"] == frame["epochs"]]
    for cell, model, *values in last[["cell_id", "model", *FIGURES]].itertuples(index=False):
        figures.setdefault(cell, {})[model] = dict(zip(FIGURES, values, strict=True))
    first = frame.drop_duplicates("cell_id")[["cell_id", "members", "test_examples"]]
    return {
        cell: Expected(cell=cell, models=[*members.split("+"), ENSEMBLE], examples=n, figures=figures.get(cell, {}))
        for cell, members, n in first.itertuples(index=False)
    }


def read_predictions(
    store: Store, cells: Sequence[Cell], provenance: Mapping[str, Mapping[str, Any]], frame: pd.DataFrame
) -> FoundPredictions:
    """Returns the predictions of these cells, and what is wrong with the others.

    Args:
        provenance: by cell id, what the commit's file says; it names the predictions that belong to it.
        frame: the rows of the cells, which the predictions are compared with.
    """
    expected = expect_predictions(frame)

    def read_one(cell: Cell) -> Predictions | Problem:
        key = keys.predictions(cell)
        try:
            table, source = read_table(store, keys.epochs(cell), provenance[cell.id], prediction_values(cell))
        except ExperimentError as error:
            return Problem(key=key, cell=cell.id, reason=describe_error(error), absent=isinstance(error, NotFound))
        try:
            return digest_predictions(table, expected[cell.id], source)
        except InvalidInput as error:
            reason = f"{describe_error(error)}; {artifacts.MEND.format(commit=keys.epochs(cell))}"
            return Problem(key=keys.epochs(cell), cell=cell.id, reason=reason)

    found = dict(zip([c.id for c in cells], map_parallel(store, read_one, cells), strict=True))
    problems = [p for p in found.values() if isinstance(p, Problem)]
    return FoundPredictions(
        usable={i: p for i, p in found.items() if isinstance(p, Predictions)},
        unusable=[p for p in problems if not keys.committed([p.key])],
        contradictions=[p for p in problems if keys.committed([p.key])],
    )


def read_table(
    store: Store, commit: str, provenance: Mapping[str, Any], known: Mapping[str, Any]
) -> tuple[pa.Table, str]:
    """Returns the predictions that belong to the commit under this key, and the name of their file in errors.

    Args:
        known: values of columns of the cell, which files of older schema versions lack.

    Raises:
        NotFound: the cell kept no predictions.
        InvalidInput: they are damaged, or not those that the commit names.
    """
    data, source = artifacts.read_named(store, provenance, keys.predictions_of(commit), commit)
    return results.from_bytes(data, "predictions", source, known), source


def digest_predictions(table: pa.Table, expected: Expected, source: str) -> Predictions:
    """Returns the errors and confidences of each model in a table of predictions; ``source`` names it in errors.

    Raises:
        InvalidInput: they are not what the rows of their cell speak of, or contradict themselves.
    """
    _check_names(table, expected, source)
    scored, labels = {}, ""
    for model in expected.models:
        rows = table.filter(pc.equal(table["model"], model)).sort_by("example")
        if not np.array_equal(rows["example"].to_numpy(), np.arange(expected.examples)):
            raise InvalidInput(
                f"{source} lacks or repeats test examples of {model}; its rows speak of {expected.examples:,}"
            )
        label = rows["label"].to_numpy()
        logits = np.asarray(rows["logits"].combine_chunks().flatten(), dtype=float).reshape(expected.examples, -1)
        _check_range(label, logits, f"{source}, {model}")
        scored[model] = score_logits(label, logits)
        if differ := int((scored[model].predicted != rows["prediction"].to_numpy()).sum()):
            raise InvalidInput(f"{source}, {model}: {differ:,} predictions are not the class of the largest logit")
        digest = hashlib.sha256(label.tobytes()).hexdigest()
        if labels and digest != labels:
            raise InvalidInput(f"{source} has other labels for {model} than for {expected.models[0]}")
        labels = digest
    check_figures(scored, expected.figures, source)
    return Predictions(
        wrong={model: s.wrong for model, s in scored.items()},
        confidence={model: s.confidence for model, s in scored.items()},
        labels=labels,
    )


def _check_names(table: pa.Table, expected: Expected, source: str) -> None:
    strange = set(pc.unique(table["cell_id"]).to_pylist()) - {expected.cell}
    if strange:
        raise InvalidInput(f"{source} holds predictions of another cell, {min(strange)!r}")
    models = set(pc.unique(table["model"]).to_pylist())
    if models != set(expected.models):
        given, own = ", ".join(sorted(models)) or "no model", ", ".join(expected.models)
        raise InvalidInput(f"{source} holds predictions of {given}, and its cell has {own}")


def _check_range(label: NDArray[np.int64], logits: NDArray[np.float64], source: str) -> None:
    classes = logits.shape[1]
    if ((label < 0) | (label >= classes)).any():
        raise InvalidInput(f"{source}: a label is no class from 0 to {classes - 1}")
    if not np.isfinite(logits).all():
        raise InvalidInput(f"{source}: a logit is no finite number")
