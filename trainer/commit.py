"""Committing a cell: models and predictions first, ``epochs.parquet`` last; its existence is the commit."""

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
from trainer.model.types import Result, epoch_columns


def commit(store: Store, cell: Cell, result: Result, provenance: Provenance, say: Callable[[str], None]) -> bool:
    """Publishes a trained cell; whether this attempt's is the result that stands.

    Each object is put once: what another attempt at the same cell left is the same by construction and stays.
    """
    facts = dataclasses.asdict(provenance)
    for member in cell.members:
        network = Network(member, DATASETS[cell.dataset].shape[2], cell.head)
        model = export.to_keras(network, DATASETS[cell.dataset].shape, result.arrays[member.name])
        store.put_once(keys.model(cell.id, member.name), export.to_bytes(model), provenance.attempt)
    predictions = results.to_table("predictions", prediction_columns(cell, result), facts)
    if not store.put_once(keys.predictions(cell), results.to_bytes(predictions), provenance.attempt):
        say("predictions of an earlier attempt at this cell stand")
    epochs = results.to_table("epochs", epochs_columns(cell, result), facts)
    ours = store.put_once(keys.epochs(cell), results.to_bytes(epochs), provenance.attempt)
    clean(store, cell)
    return ours


def clean(store: Store, cell: Cell) -> None:
    """Removes what only an unfinished cell needs."""
    checkpoint.remove(store, cell.id)
    store.delete(keys.progress(cell.id))


def epochs_columns(cell: Cell, result: Result) -> dict[str, object]:
    """The columns of ``epochs.parquet``."""
    columns = epoch_columns(result.figures, cell.models)
    values = results.cell_values(cell, train_examples=result.examples, test_examples=len(result.labels))
    return {**results.repeat_values(values, len(columns["epoch"])), **columns}


def prediction_columns(cell: Cell, result: Result) -> dict[str, object]:
    """The columns of ``predictions.parquet``: per model, all test examples in their order."""
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
