"""A trained member leaves the store as a file for devices, and is refused where it would compute something else."""

import dataclasses
import re

import numpy as np
import pytest

from experiment import keys
from experiment.errors import InvalidInput, NotFound
from experiment.store import LocalStore
from tests.trainer.conftest import tiny_cell
from tests.trainer.test_commit import provenance
from trainer import commit, conversion, datasets
from trainer.arguments import FORMATS
from trainer.conversion import convert_member, read_member
from trainer.model import formats, training

CELL = tiny_cell(epochs=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A store with digits and a cell that was trained on them."""
    store = LocalStore(tmp_path_factory.mktemp("trained"), create=True)
    datasets.prepare_dataset("digits", store)
    data = datasets.load_dataset(store, "digits")
    result = training.train_cell(CELL, data, watch=lambda *_: None)
    origin = dataclasses.replace(provenance("a1"), dataset_sha256=data.sha256)
    commit.commit_cell(store, CELL, result, origin, lambda *_, **__: None)
    return store


@pytest.mark.parametrize("form", list(FORMATS))
def test_a_member_computes_the_stored_logits_and_its_size_and_speed_are_said(trained, form, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = []
    path = convert_member(trained, CELL.id, "A", form, None, said.append)

    assert path.name == f"{CELL.id}-A{FORMATS[form]}"
    assert path.exists()
    logits, size, speed = said
    assert re.fullmatch(
        r"90 test images: logits differ by up to [\d.e-]+; test error .* % \(.* stored predictions\)", logits
    )
    assert re.fullmatch(r".*: [\d,]+ bytes; the .keras file has [\d,]+", size)
    assert re.fullmatch(r"one image a call, on one thread: [\d,]+ images/s; the Keras model [\d,]+", speed)


def test_the_stored_logits_are_those_of_the_member(trained):
    found = read_member(trained, CELL.id, "B")
    model = formats.load_member(found.data)
    images = datasets.load_dataset(trained, "digits").x_test[:90]

    np.testing.assert_allclose(formats.compute_logits(formats.run_keras(model), images), found.logits, atol=1e-3)


@pytest.mark.parametrize("wrong", [np.nan, 5.0], ids=["nan", "another number"])
def test_a_file_that_computes_something_else_is_not_left(trained, tmp_path, monkeypatch, wrong):
    monkeypatch.setattr(formats, "compute_logits", lambda call, images: np.full((len(images), 10), wrong))
    for form, out in (("litert", tmp_path / "x.tflite"), ("savedmodel", tmp_path / "x")):
        with pytest.raises(InvalidInput, match="differ by up to"):
            convert_member(trained, CELL.id, "A", form, out, print)

        assert not out.exists()


@pytest.mark.parametrize(
    ("cell", "member", "error", "words"),
    [
        ("digits-none", "A", NotFound, "holds no result of cell 'digits-none'"),
        (CELL.id, "Z", InvalidInput, "allowed: A, B"),
        (CELL.id, "Ens", InvalidInput, "allowed: A, B"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_written(trained, tmp_path, cell, member, error, words):
    with pytest.raises(error, match=words):
        convert_member(trained, cell, member, "litert", tmp_path / "x.tflite", print)

    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_not_overwritten(trained, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InvalidInput, match="remove it or name another"):
        convert_member(trained, CELL.id, "A", "litert", tmp_path / "mine", print)

    assert (tmp_path / "mine").read_text() == "mine"


def test_a_folder_that_is_not_there_is_named(trained, tmp_path):
    with pytest.raises(InvalidInput, match="cannot be written"):
        convert_member(trained, CELL.id, "A", "litert", tmp_path / "absent" / "x.tflite", print)


def test_other_images_than_those_of_the_training_are_refused(trained, tmp_path, monkeypatch):
    found = dataclasses.replace(read_member(trained, CELL.id, "A"), sha256="1" * 64)
    monkeypatch.setattr(conversion, "read_member", lambda *_: found)
    with pytest.raises(InvalidInput, match="the same images"):
        convert_member(trained, CELL.id, "A", "litert", tmp_path / "x.tflite", print)


def test_a_changed_model_is_refused(trained, tmp_path):
    key = keys.model(CELL.id, "A")
    kept = trained.read(key)
    trained.put(key, kept[:-1] + b"x")
    try:
        with pytest.raises(InvalidInput, match="its commit names"):
            convert_member(trained, CELL.id, "A", "litert", tmp_path / "x.tflite", print)
    finally:
        trained.put(key, kept)
