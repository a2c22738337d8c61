"""The commit of a cell: models and predictions are put first, ``epochs.parquet`` last, whose existence is the commit.

It names the models and predictions that it belongs to, so that what attempts on different hardware put never mixes.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable

import numpy as np

from experiment import artifacts, keys, results
from experiment.cell import Cell
from experiment.errors import InvalidInput, NotFound, Transient, describe_error
from experiment.provenance import Provenance
from experiment.store import Store
from trainer import checkpoint
from trainer.engine import TENSORFLOW, Engine
from trainer.model import metrics, schedule
from trainer.model.types import Result, figure_columns


def commit_cell(
    store: Store,
    cell: Cell,
    result: Result,
    provenance: Provenance,
    say: Callable[[str], None],
    engine: Engine = TENSORFLOW,
) -> bool:
    """Puts a trained cell into the store; returns whether the result that stands there is this attempt's.

    Each object is put once. What another attempt has put stays: an artifact of the same content is relied upon, and
    beside any other this attempt puts its own. The commit names its artifacts by key and digest.
    """
    facts = dataclasses.asdict(provenance)
    put = functools.partial(_put_artifact, store, attempt=provenance.attempt, say=say)
    digests: dict[str, str] = {}
    for member in cell.members:
        model = engine.export_member(cell, member, result)
        digests |= put(keys.model(cell.id, member.name), model, is_same=operator.eq)
    predictions = results.to_table("predictions", predictions_columns(cell, result), facts)
    digests |= put(
        keys.predictions(cell), results.to_bytes(predictions), is_same=functools.partial(_same_predictions, cell)
    )
    epochs = results.to_table("epochs", epochs_columns(cell, result), facts | artifacts.name_artifacts(digests))
    ours = store.put_once(keys.epochs(cell), results.to_bytes(epochs), provenance.attempt)
    tidy_up(store, cell, say)
    return ours


def _put_artifact(
    store: Store,
    usual: str,
    data: bytes,
    *,
    attempt: str,
    say: Callable[[str], None],
    is_same: Callable[[bytes, bytes], bool],
) -> dict[str, str]:
    """Puts an artifact, unless its content stands in the store; returns its key with the digest of what stands there."""
    if store.put_once(usual, data, attempt):
        return {usual: artifacts.compute_digest(data)}
    standing = _read_standing(store, usual)
    if standing is not None and is_same(standing, data):
        say(f"{usual} stands with the same content")
        return {usual: artifacts.compute_digest(standing)}
    own = keys.artifact_beside(usual, attempt)
    say(f"{usual} of another attempt differs; this attempt's is {own}")
    if not store.put_once(own, data, attempt) and store.read(own) != data:
        raise Transient(f"{store.url}/{own} is not what this attempt wrote; launch again")
    return {own: artifacts.compute_digest(data)}


def _read_standing(store: Store, key: str) -> bytes | None:
    """Returns the content of an object that another attempt has put, or None if it cannot be read: then it is no use."""
    try:
        return store.read(key)
    except (NotFound, InvalidInput):
        return None


def _same_predictions(cell: Cell, standing: bytes, ours: bytes) -> bool:
    """Returns whether two files hold the same predictions, bit by bit. Each names its own attempt and hour in its metadata."""
    try:
        known = results.prediction_values(cell)
        first, second = (results.from_bytes(data, "predictions", "predictions", known) for data in (standing, ours))
    except InvalidInput:
        return False
    return all(results.column_bits(first[n]) == results.column_bits(second[n]) for n in second.column_names)


def tidy_up(store: Store, cell: Cell, say: Callable[[str], None]) -> None:
    """Removes what only an unfinished cell needs. A failure is said and no more: the cell is committed, whatever else is there."""
    try:
        remove_leftovers(store, cell)
    except (Transient, InvalidInput) as error:
        say(f"checkpoints and progress of the committed cell could not be removed: {describe_error(error)}")


def remove_leftovers(store: Store, cell: Cell) -> None:
    """Removes the objects that only an unfinished cell needs: checkpoints, progress and start."""
    checkpoint.remove_checkpoints(store, cell.id)
    store.delete(keys.progress(cell.id))
    store.delete(keys.start(cell.id))


def epochs_columns(cell: Cell, result: Result) -> dict[str, object]:
    """Returns the columns of ``epochs.parquet``. What was not measured, as without validation examples, is neutral there."""
    measured = figure_columns(result.figures, cell.models)
    neutral = {name: column.neutral for name, column in results.EPOCH_COLUMNS.items() if column.neutral is not None}
    weights = [
        schedule.collaboration_weight(cell.alpha, cell.alpha_plan, epoch - 1, cell.epochs)
        for epoch in measured["epoch"]
    ]
    values = results.cell_values(cell, train_examples=result.examples, test_examples=len(result.labels))
    same = results.repeat_values(neutral | values, len(measured["epoch"]))
    return {**same, **measured, "collaboration_weight": weights}


def predictions_columns(cell: Cell, result: Result) -> dict[str, object]:
    """Returns the columns of ``predictions.parquet``: for each model, all test examples in order."""
    logits = metrics.ensemble_logits(result.logits)
    models, examples, _ = logits.shape
    return {
        **results.repeat_values(results.prediction_values(cell), models * examples),
        "model": np.repeat(np.array(cell.models, object), examples),
        "example": np.tile(np.arange(examples), models),
        "label": np.tile(result.labels.astype(np.int64), models),
        "prediction": logits.argmax(axis=-1).ravel(),
        "logits": list(logits.reshape(-1, logits.shape[-1])),
    }
