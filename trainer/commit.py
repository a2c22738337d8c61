"""The commit of a cell: models and predictions are put first, ``epochs.parquet`` last, whose existence is the commit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from experiment import keys, results
from experiment.cell import Cell
from experiment.datasets import DATASETS
from experiment.records import Provenance
from experiment.store import Store
from trainer import checkpoint
from trainer.model import export, metrics
from trainer.model.networks import Network
from trainer.model.types import Result, figure_columns


def commit_cell(store: Store, cell: Cell, result: Result, provenance: Provenance, say: Callable[[str], None]) -> bool:
    """Puts a trained cell into the store; returns whether the result that stands there is this attempt's.

    Each object is put once. Objects that another attempt at the cell has put are the same by construction and stay.
    """
    facts = dataclasses.asdict(provenance)
    for member in cell.members:
        network = Network(member, DATASETS[cell.dataset].shape[2], cell.head)
        model = export.to_keras(network, DATASETS[cell.dataset].shape, result.arrays[member.name])
        store.put_once(keys.model(cell.id, member.name), export.to_bytes(model), provenance.attempt)
    predictions = results.to_table("predictions", predictions_columns(cell, result), facts)
    if not store.put_once(keys.predictions(cell), results.to_bytes(predictions), provenance.attempt):
        say("predictions of an earlier attempt at this cell stand")
    epochs = results.to_table("epochs", epochs_columns(cell, result), facts)
    ours = store.put_once(keys.epochs(cell), results.to_bytes(epochs), provenance.attempt)
    remove_leftovers(store, cell)
    return ours


def remove_leftovers(store: Store, cell: Cell) -> None:
    """Removes the objects that only an unfinished cell needs: checkpoints and progress."""
    checkpoint.remove_checkpoints(store, cell.id)
    store.delete(keys.progress(cell.id))


def epochs_columns(cell: Cell, result: Result) -> dict[str, object]:
    """Returns the columns of ``epochs.parquet``."""
    columns = figure_columns(result.figures, cell.models)
    values = results.cell_values(cell, train_examples=result.examples, test_examples=len(result.labels))
    return {**results.repeat_values(values, len(columns["epoch"])), **columns}


def predictions_columns(cell: Cell, result: Result) -> dict[str, object]:
    """Returns the columns of ``predictions.parquet``: for each model, all test examples in order."""
    logits = metrics.ensemble_logits(result.logits)
    models, examples, _ = logits.shape
    return {
        "cell_id": [cell.id] * (models * examples),
        "model": np.repeat(np.array(cell.models, object), examples),
        "example": np.tile(np.arange(examples), models),
        "label": np.tile(result.labels.astype(np.int64), models),
        "prediction": logits.argmax(axis=-1).ravel(),
        "logits": list(logits.reshape(-1, logits.shape[-1])),
    }
