"""A data set of the user's own is prepared from its file, once for each name, and refused where it is another."""

import dataclasses
import hashlib

import numpy as np
import pytest

from experiment.errors import InvalidInput
from experiment.grid_data import OwnSource
from experiment.own_data import OwnData
from experiment.prepared import check_origin, read_manifest
from tests.trainer.datasets.test_describe import save
from trainer.datasets.dataset import load_dataset
from trainer.datasets.describe import describe_file
from trainer.datasets.overrides import Overrides
from trainer.datasets.preparation import prepare_dataset


@pytest.fixture
def flowers(tmp_path):
    """A file of images and what a grid says of it."""
    path = save(tmp_path / "flowers.npz", (30, 8, 8, 3))
    return OwnSource(describe_file(path), str(path))


def prepare(store, own, tmp_path, name="flowers"):
    """Prepares a data set of one's own."""
    return prepare_dataset(name, store, Overrides(cache=tmp_path / "cache"), own=own)


def test_parts_that_are_kept_apart_are_shuffled_and_whole(local_store, flowers, tmp_path):
    manifest = prepare(local_store, flowers, tmp_path)
    data = load_dataset(local_store, "flowers", flowers.data)
    with np.load(flowers.place) as original:
        assert sorted(map(bytes, data.x_train)) == sorted(map(bytes, original["x_train"]))
        assert not np.array_equal(data.x_train, original["x_train"])
        assert sorted(map(bytes, data.x_test)) == sorted(map(bytes, original["x_test"]))

    assert (manifest.train, manifest.test, manifest.shape) == (30, 30, (8, 8, 3))
    assert [file.origin for file in manifest.source] == ["flowers.npz"]  # no path of this machine


def test_pooled_parts_are_mixed(local_store, flowers, tmp_path):
    pooled = OwnSource(dataclasses.replace(flowers.data, pooled=True), flowers.place)
    prepare(local_store, pooled, tmp_path)
    data = load_dataset(local_store, "flowers", pooled.data)
    with np.load(flowers.place) as original:
        tests = set(map(bytes, original["x_test"]))

    assert 0 < sum(bytes(x) in tests for x in data.x_train) < 30


def test_more_than_256_classes_have_labels_of_two_bytes(local_store, tmp_path):
    path = save(tmp_path / "many.npz", (300, 4, 4), classes=300)
    own = OwnSource(describe_file(path), str(path))
    prepare(local_store, own, tmp_path, "many")
    data = load_dataset(local_store, "many", own.data)

    assert data.y_train.dtype == np.uint16
    assert sorted(data.y_train.tolist()) == list(range(300))


def test_it_is_found_by_name_once_it_is_in_the_store(local_store, flowers, tmp_path):
    made = prepare(local_store, flowers, tmp_path)

    assert prepare(local_store, None, tmp_path) == made
    assert prepare(local_store, OwnSource(flowers.data), tmp_path) == made


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"sha256": "0" * 64},
            r"flowers\.npz has sha256 .*; allowed: sha256 0{64}; .* correct sha256 in \[data\.flowers\]",
        ),
        ({"shape": (8, 6, 3)}, r"x_train has shape \(30, 8, 8, 3\)"),
        ({"shape": (8, 8, 1)}, "x_train has shape"),
        ({"classes": 2}, "a train label of flowers is 2; allowed: 0 to 1"),
        ({"train": 29}, r"flowers has 30 training examples; allowed: 29; correct the source or \[data.NAME\]"),
        ({"test": 31}, "flowers has 30 test examples; allowed: 31"),
        ({"pooled": True, "train": 29}, "flowers has 60 examples in all; allowed: 59"),
    ],
)
def test_a_file_that_is_not_as_the_grid_says_is_refused_and_nothing_is_put(
    local_store, flowers, tmp_path, change, words
):
    wrong = OwnSource(dataclasses.replace(flowers.data, **change), flowers.place)
    with pytest.raises(InvalidInput, match=words):
        prepare(local_store, wrong, tmp_path)

    assert read_manifest(local_store, "flowers") is None


@pytest.mark.parametrize("place", ["", "absent.npz"])
def test_a_file_that_is_nowhere_is_named(local_store, flowers, tmp_path, place):
    with pytest.raises(InvalidInput, match=r"file of \[data\.flowers\] is .*; allowed: an \.npz file on this machine"):
        prepare(local_store, OwnSource(flowers.data, place), tmp_path)


def test_a_pickled_file_is_never_read(local_store, tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, x_train=np.array([{}], dtype=object))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    own = OwnData(sha256=digest, shape=(8, 8, 1), classes=2, train=1, test=1)
    with pytest.raises(InvalidInput, match="not a usable"):
        prepare(local_store, OwnSource(own, str(path)), tmp_path, "evil")


def test_another_file_of_the_same_name_is_refused(local_store, flowers, tmp_path):
    prepare(local_store, flowers, tmp_path)
    other = dataclasses.replace(flowers.data, sha256="1" * 64)
    words = r"made from sha256 .*, the grid's has 1{64}; .* rename the \[data\.flowers\]"
    with pytest.raises(InvalidInput, match=words):
        prepare(local_store, OwnSource(other, flowers.place), tmp_path)
    with pytest.raises(InvalidInput, match=words):
        load_dataset(local_store, "flowers", other)
    with pytest.raises(InvalidInput, match=words):
        check_origin(read_manifest(local_store, "flowers"), "1" * 64, local_store.url)


def test_a_name_that_nobody_knows_is_refused(local_store, tmp_path):
    with pytest.raises(InvalidInput, match="or one that is in the store; correct its name, or launch the grid"):
        prepare(local_store, None, tmp_path, "flowrs")
