"""Reads predictions on the test set: which examples were wrong, and how sure the models were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiment import keys, results
from experiment.cell import Cell
from experiment.errors import ExperimentError, InvalidInput, NotFound, describe_error
from experiment.ledger import Problem
from experiment.parallel import map_parallel
from experiment.store import Store


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """The predictions of one cell, by model, test examples in their order.

    Attributes:
        wrong: which examples were wrong.
        confidence: the probability given to the predicted class.
    """

    wrong: Mapping[str, NDArray[np.bool_]]
    confidence: Mapping[str, NDArray[np.float64]]


def read_predictions(store: Store, cells: Sequence[Cell]) -> tuple[dict[str, Predictions], list[Problem]]:
    """Returns the predictions of these cells by id, and the files that cannot be used."""

    def read_one(cell: Cell) -> Predictions | Problem:
        key = keys.predictions(cell)
        source = f"{store.url}/{key}"
        try:
            return digest_predictions(results.from_bytes(store.read(key), "predictions", source), cell, source)
        except ExperimentError as error:
            return Problem(key=key, cell=cell.id, reason=describe_error(error), absent=isinstance(error, NotFound))

    found = dict(zip([c.id for c in cells], map_parallel(store, read_one, cells), strict=True))
    good = {i: p for i, p in found.items() if isinstance(p, Predictions)}
    return good, [p for p in found.values() if isinstance(p, Problem)]


def digest_predictions(table: pa.Table, cell: Cell, source: str) -> Predictions:
    """Returns the errors and confidences in a cell's table of predictions; ``source`` names it in errors.

    Raises:
        InvalidInput: a model lacks test examples or repeats them.
    """
    wrong, confidence = {}, {}
    count = table.num_rows // len(cell.models)
    for model in cell.models:
        rows = table.filter(pc.equal(table["model"], model)).sort_by("example")
        if not count or not np.array_equal(rows["example"].to_numpy(), np.arange(count)):
            reason = f"{source} lacks or repeats test examples of {model}"
            raise InvalidInput(f"{reason}; remove it: its cell is then compared without predictions")
        wrong[model] = rows["label"].to_numpy() != rows["prediction"].to_numpy()
        logits = np.asarray(rows["logits"].combine_chunks().flatten(), dtype=float).reshape(count, -1)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        confidence[model] = 1 / shifted.sum(axis=1)  # of the largest logit: exp(0) over the sum
    return Predictions(wrong=wrong, confidence=confidence)
