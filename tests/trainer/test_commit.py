"""The commit of a cell: what is put, in which order, and what stands when another attempt was first."""

import numpy as np
import pytest

from experiment import keys, results
from experiment.cell import NUMERICS
from experiment.records import Provenance
from tests.trainer.conftest import tiny_cell
from trainer import commit
from trainer.model import training


@pytest.fixture(scope="module")
def cell_and_result(tiny):
    cell = tiny_cell(epochs=1)
    return cell, training.train_cell(cell, tiny, watch=lambda *_: None)


def provenance(attempt):
    return Provenance(
        attempt=attempt,
        numerics=NUMERICS,
        git_commit="abc",
        image="",
        device="CPU",
        arithmetic="float32",
        packages={},
        dataset_sha256="0" * 64,
        deterministic=True,
        started="2020-01-01T00:00:00Z",
        ended="2020-01-01T00:01:00Z",
        resumed_from_step=0,
        training_seconds=1.0,
        peak_memory_bytes=1,
    )


def test_the_epochs_are_put_last(local_store, cell_and_result, monkeypatch):
    cell, result = cell_and_result
    order, put_once = [], local_store.put_once
    monkeypatch.setattr(local_store, "put_once", lambda key, *rest: (order.append(key), put_once(key, *rest))[1])

    assert commit.commit_cell(local_store, cell, result, provenance("first"), print)
    assert order == [*(keys.model(cell.id, m.name) for m in cell.members), keys.predictions(cell), keys.epochs(cell)]


def test_the_first_commit_stands(local_store, cell_and_result):
    cell, result = cell_and_result
    said = []
    commit.commit_cell(local_store, cell, result, provenance("first"), said.append)
    local_store.put(keys.progress(cell.id), b"left over")

    assert not commit.commit_cell(local_store, cell, result, provenance("second"), said.append)
    epochs = results.from_bytes(local_store.read(keys.epochs(cell)), "epochs", "epochs")
    assert results.read_provenance(epochs.schema, "epochs")["attempt"] == "first"
    assert said == ["predictions of an earlier attempt at this cell stand"]
    assert not local_store.exists(keys.progress(cell.id))


def test_predictions_hold_every_test_example_of_every_model_in_order(cell_and_result):
    cell, result = cell_and_result
    columns = commit.predictions_columns(cell, result)

    assert columns["model"].tolist() == ["A"] * 90 + ["B"] * 90 + ["Ens"] * 90
    assert columns["example"].tolist() == [*range(90)] * 3
    assert columns["label"].tolist() == result.labels.tolist() * 3
    np.testing.assert_array_equal(columns["logits"][180], result.logits[:, 0].mean(axis=0))
    assert columns["prediction"][180] == columns["logits"][180].argmax()


def test_epochs_hold_the_cells_settings_in_every_row(cell_and_result):
    cell, result = cell_and_result
    columns = commit.epochs_columns(cell, result)

    assert columns["cell_id"] == [cell.id] * 3
    assert columns["model"] == ["A", "B", "Ens"]
    assert columns["epoch"] == [1, 1, 1]
