"""300 classes: labels of two bytes, heads and logits of that many classes, and the same bits after a resume."""

import dataclasses

import numpy as np
import pytest

from experiment import keys, results
from experiment.cell import Cell
from experiment.own_data import OwnData
from tests.trainer.conftest import SMALL
from tests.trainer.test_commit import provenance
from trainer import commit
from trainer.engine import TENSORFLOW
from trainer.model import formats, training
from trainer.model.types import Dataset

CLASSES = 300
OWN = OwnData(sha256="ab" * 32, shape=(4, 6, 3), classes=CLASSES, train=600, test=300)
CELL = Cell(
    dataset="many",
    data=OWN,
    method="ce",
    alpha=0.1,
    members=SMALL,
    epochs=2,
    batch_size=100,
    train_examples=600,
    test_examples=300,
)


@pytest.fixture(scope="module")
def many():
    """Two training images and one test image of each class."""
    rng = np.random.default_rng(0)
    labels = np.arange(CLASSES, dtype=np.uint16)
    arrays = {"x_train": rng.integers(0, 256, (600, *OWN.shape), np.uint8), "y_train": np.tile(labels, 2)}
    arrays |= {"x_test": rng.integers(0, 256, (300, *OWN.shape), np.uint8), "y_test": labels}
    return Dataset(name="many", sha256="0" * 64, **arrays)


@pytest.fixture(scope="module")
def result(many):
    """The cell, trained without interruption."""
    return training.train_cell(CELL, many, watch=lambda *_: None)


def test_logits_are_of_all_classes(result):
    assert result.logits.shape == (2, 300, CLASSES)
    assert result.labels.max() == CLASSES - 1


def test_a_resumed_training_gives_the_same_bits(many, result):
    kept = []

    def watch(pace, take_snapshot):
        if not kept and pace.step >= 6:
            kept.append(take_snapshot())

    training.train_cell(CELL, many, watch=watch)
    again = training.train_cell(CELL, many, watch=lambda *_: None, snapshot=dataclasses.replace(kept[0]))

    np.testing.assert_array_equal(again.logits, result.logits)


def test_what_is_committed_has_them_too(local_store, result):
    commit.commit_cell(local_store, CELL, result, provenance("a1"), lambda *_, **__: None)
    key = keys.predictions(CELL)
    table = results.from_bytes(local_store.read(key), "predictions", key)

    assert {len(row) for row in table["logits"].to_pylist()} == {CLASSES}
    assert set(table["label"].to_pylist()) == set(range(CLASSES))


def test_an_exported_member_computes_its_logits(many, result):
    model = formats.load_member(TENSORFLOW.export_member(CELL, CELL.members[0], result))
    logits = formats.compute_logits(formats.run_keras(model), many.x_test)

    np.testing.assert_allclose(logits, result.logits[0], atol=1e-3)


def test_inference_is_measured_with_their_heads():
    assert set(TENSORFLOW.measure_speeds(CELL, lambda: False)) == {"A", "B", "Ens"}
