"""Predictions on the test set: who was wrong where (for McNemar's test), and how sure they were (for reliability)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from aggregator.study import SINGLE, Study, Weight
from experiment import keys, results
from experiment.cell import ENSEMBLE, Cell
from experiment.errors import ExperimentError, NotFound, describe_error
from experiment.ledger import Problem
from experiment.parallel import map_parallel
from experiment.store import Store

MOST = (
    120  # cells whose predictions are read: a cell's are a megabyte, and runs of many seeds need none for their tests
)


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Of one cell: by model, which examples were wrong, and the probability given to the predicted class."""

    wrong: Mapping[str, NDArray[np.bool_]]
    confidence: Mapping[str, NDArray[np.float64]]


def wanted(study: Study, cells: Sequence[Cell]) -> list[Cell]:
    """All cells of a study of one run of each, which are compared example by example; else the first seed of those drawn."""
    seeds = sorted({c.seed for c in cells})
    if len(seeds) == 1 and len(cells) <= MOST:
        return list(cells)
    drawn = reliable(study)
    return [c for c in cells if c.seed == seeds[0] and Weight(c.method, c.alpha) in drawn]


def reliable(study: Study) -> list[Weight]:
    """The weights whose reliability is drawn: Single, and of each method the alpha with the lowest ensemble error."""
    chosen = [SINGLE]
    for method in ("ce", "l2", "l1"):
        means = {w: float(v.mean()) for w in study.collaborative((method,)) if len(v := study.final(w, ENSEMBLE))}
        chosen += [min(means, key=means.__getitem__)] if means else []
    return chosen


def read(store: Store, cells: Sequence[Cell]) -> tuple[dict[str, Predictions], list[Problem]]:
    """The predictions of these cells by id, and the files that cannot be used."""

    def one(cell: Cell) -> Predictions | Problem:
        key = keys.predictions(cell)
        try:
            return digest(results.from_bytes(store.read(key), "predictions", f"{store.url}/{key}"), cell)
        except ExperimentError as error:
            return Problem(key=key, cell=cell.id, reason=describe_error(error), absent=isinstance(error, NotFound))

    found = dict(zip([c.id for c in cells], map_parallel(store, one, cells), strict=True))
    good = {i: p for i, p in found.items() if isinstance(p, Predictions)}
    return good, [p for p in found.values() if isinstance(p, Problem)]


def digest(table: pa.Table, cell: Cell) -> Predictions:
    """What the report needs of a cell's predictions, examples in their order."""
    wrong, confidence = {}, {}
    for model in cell.models:
        rows = table.filter(pc.equal(table["model"], model)).sort_by("example")
        wrong[model] = rows["label"].to_numpy() != rows["prediction"].to_numpy()
        logits = np.asarray(rows["logits"].combine_chunks().flatten(), dtype=float).reshape(len(rows), -1)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        confidence[model] = 1 / shifted.sum(axis=1)  # the largest logit's: exp(0) over the sum
    return Predictions(wrong=wrong, confidence=confidence)


def with_predictions(study: Study, cells: Sequence[Cell], found: Mapping[str, Predictions]) -> Study:
    """The study, able to compare cells example by example where both have predictions."""
    wrong = {(Weight(c.method, c.alpha), c.seed): found[c.id].wrong for c in cells if c.id in found}
    return dataclasses.replace(study, wrong=wrong)
