"""The commit of a cell: what is put, in which order, and what stands when another attempt was first."""

import hashlib

import numpy as np
import pytest

from experiment import artifacts, keys, results
from experiment.cell import NUMERICS
from experiment.errors import Misconfigured, Transient
from experiment.provenance import Provenance, read_provenance
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
    assert order == [*artifact_keys(cell), keys.epochs(cell)]


def artifact_keys(cell):
    return [*(keys.model(cell.id, m.name) for m in cell.members), keys.predictions(cell)]


def named_by(store, cell):
    """What the commit names, by usual key."""
    key = keys.epochs(cell)
    facts = read_provenance(results.from_bytes(store.read(key), "epochs", key).schema, key)
    return artifacts.list_artifacts(facts, key, key)


def test_the_commit_names_every_artifact_by_its_digest(local_store, cell_and_result):
    cell, result = cell_and_result
    commit.commit_cell(local_store, cell, result, provenance("first"), print)

    found = named_by(local_store, cell)
    assert list(found) == sorted(artifact_keys(cell))
    for usual, artifact in found.items():
        assert artifact.key == usual
        assert artifact.sha256 == hashlib.sha256(local_store.read(usual)).hexdigest()


def test_what_another_attempt_put_is_relied_upon_if_its_content_is_the_same(local_store, cell_and_result):
    cell, result = cell_and_result
    commit.commit_cell(local_store, cell, result, provenance("first"), print)
    local_store.delete(keys.epochs(cell))

    assert commit.commit_cell(local_store, cell, result, provenance("second"), print)
    assert [a.key for a in named_by(local_store, cell).values()] == sorted(artifact_keys(cell))


@pytest.mark.parametrize("content", [b"", b"PAR1"], ids=["empty", "torn"])
def test_beside_what_differs_or_is_damaged_an_attempt_puts_its_own(local_store, cell_and_result, content):
    cell, result = cell_and_result
    said = []
    for key in artifact_keys(cell):
        local_store.put(key, content)

    assert commit.commit_cell(local_store, cell, result, provenance("second"), said.append)
    named = named_by(local_store, cell)
    assert {usual: a.key for usual, a in named.items()} == {
        key: keys.artifact_beside(key, "second") for key in artifact_keys(cell)
    }
    assert all(artifacts.read_artifact(local_store, artifact) for artifact in named.values())
    assert [local_store.read(key) for key in artifact_keys(cell)] == [content] * 3
    assert all("of another attempt differs; this attempt's is" in line for line in said)


def test_what_cannot_be_read_is_not_relied_upon(local_store, cell_and_result, monkeypatch):
    cell, result = cell_and_result
    for key in artifact_keys(cell):
        local_store.put(key, b"x")

    def refuse(key):
        raise Misconfigured("no right to read")

    monkeypatch.setattr(local_store, "read", refuse)
    assert commit.commit_cell(local_store, cell, result, provenance("second"), print)


def test_a_commit_that_is_tried_again_names_what_its_first_try_put(local_store, cell_and_result, monkeypatch):
    cell, result = cell_and_result
    for key in artifact_keys(cell):
        local_store.put(key, b"of another attempt")
    put_once = local_store.put_once

    def fail(key, *rest):
        if key == keys.epochs(cell):
            raise Transient("away")
        return put_once(key, *rest)

    monkeypatch.setattr(local_store, "put_once", fail)
    with pytest.raises(Transient):
        commit.commit_cell(local_store, cell, result, provenance("second"), print)
    monkeypatch.undo()

    assert commit.commit_cell(local_store, cell, result, provenance("second"), print)
    assert {a.key for a in named_by(local_store, cell).values()} == {
        keys.artifact_beside(key, "second") for key in artifact_keys(cell)
    }


def test_an_own_object_that_another_hand_has_changed_is_never_named(local_store, cell_and_result):
    cell, result = cell_and_result
    for key in artifact_keys(cell):
        local_store.put(key, b"of another attempt")
        local_store.put(keys.artifact_beside(key, "second"), b"changed")

    with pytest.raises(Transient, match="is not what this attempt wrote; launch again"):
        commit.commit_cell(local_store, cell, result, provenance("second"), print)
    assert not local_store.exists(keys.epochs(cell))


def test_the_first_commit_stands(local_store, cell_and_result):
    cell, result = cell_and_result
    said = []
    commit.commit_cell(local_store, cell, result, provenance("first"), said.append)
    local_store.put(keys.progress(cell.id), b"left over")

    assert not commit.commit_cell(local_store, cell, result, provenance("second"), said.append)
    epochs = results.from_bytes(local_store.read(keys.epochs(cell)), "epochs", "epochs")
    assert read_provenance(epochs.schema, "epochs")["attempt"] == "first"
    assert said == [f"{key} stands with the same content" for key in artifact_keys(cell)]
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


@pytest.mark.parametrize("error", [Transient("away"), Misconfigured("refused")])
def test_a_committed_cell_that_cannot_be_tidied_up_is_committed(local_store, cell_and_result, monkeypatch, error):
    cell, result = cell_and_result
    said = []

    def delete(key):
        raise error

    monkeypatch.setattr(local_store, "delete", delete)
    assert commit.commit_cell(local_store, cell, result, provenance("first"), said.append)
    assert local_store.exists(keys.epochs(cell))
    assert said == [f"checkpoints and progress of the committed cell could not be removed: {error}"]


def test_settings_beyond_the_paper_the_epoch_s_weight_and_validation_are_columns(tiny):
    settings = {"pull": (1.0, 0.0), "alpha_plan": "rise", "augment": "shift"}
    cell = tiny_cell(epochs=2, alpha=0.5, train_examples=120, validation_examples=40, **settings)
    result = training.train_cell(cell, tiny, watch=lambda *_: None)
    columns = commit.epochs_columns(cell, result)

    assert {n: set(columns[n]) for n in settings} == {"pull": {"1+0"}, "alpha_plan": {"rise"}, "augment": {"shift"}}
    by_epoch = dict(zip(columns["epoch"], columns["collaboration_weight"], strict=True))
    assert by_epoch == {1: 0.25, 2: 0.5}
    assert all(0 <= v <= 1 for v in columns["validation_error"])
    plain = commit.epochs_columns(
        tiny_cell(epochs=1), training.train_cell(tiny_cell(epochs=1), tiny, watch=lambda *_: None)
    )
    assert np.isnan(plain["validation_error"]).all()
