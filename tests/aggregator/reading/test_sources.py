"""Whether a run's images are the publisher's, as far as the store says."""

from __future__ import annotations

import dataclasses

import pytest

from aggregator.reading.sources import find_own_files
from experiment import keys
from experiment.cell import Cell
from experiment.prepared import Manifest, SourceFile

CELL = Cell(dataset="mnist", method="single")
SHA = "a" * 64
FACTS = {CELL.id: {"dataset_sha256": SHA}}
FILE = SourceFile(name="train-images-idx3-ubyte.gz", origin="a mirror", size=1, sha256="b" * 64)


def put_manifest(store, *files, sha256=SHA):
    """Has the store say what its MNIST was made from."""
    counts = {"train": 60_000, "test": 10_000, "shape": (28, 28, 1), "skipped": 0, "created": "then"}
    made = Manifest(name="mnist", sha256=sha256, key=keys.dataset("mnist", sha256), source=files, **counts)
    store.put(keys.dataset_manifest("mnist"), made.to_bytes())


@pytest.mark.parametrize(
    ("file", "found"),
    [
        (FILE, {}),
        (dataclasses.replace(FILE, own=True), {"mnist": [FILE.name]}),
        (dataclasses.replace(FILE, name="mnist.npz"), {"mnist": ["mnist.npz"]}),
    ],
    ids=["known", "own", "npz"],
)
def test_files_of_ones_own_are_found_by_data_set(local_store, file, found):
    put_manifest(local_store, file)

    assert find_own_files(local_store, [CELL], FACTS) == found


def test_what_the_store_does_not_say_of_these_images_is_not_held_against_them(local_store):
    own = dataclasses.replace(FILE, own=True)

    assert find_own_files(local_store, [CELL], FACTS) == {}
    put_manifest(local_store, own, sha256="c" * 64)
    assert find_own_files(local_store, [CELL], FACTS) == {}
    assert find_own_files(local_store, [CELL], {}) == {}
    local_store.put(keys.dataset_manifest("mnist"), b"torn")
    assert find_own_files(local_store, [CELL], FACTS) == {}
