"""The manifest of a prepared data set is read as it was written, or refused."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys
from experiment.errors import InvalidInput
from experiment.prepared import Manifest, SourceFile, read_manifest

SOURCE = SourceFile(name="train.gz", origin="https://example.org/train.gz", size=3, sha256="cd" * 32)
MANIFEST = Manifest(
    name="mnist",
    sha256="ab" * 32,
    key=keys.dataset("mnist", "ab" * 32),
    train=60_000,
    test=10_000,
    shape=(28, 28, 1),
    source=(SOURCE,),
    skipped=0,
    created="2026-01-01T00:00:00+00:00",
)


def test_a_manifest_survives_the_way_through_the_store(store):
    assert read_manifest(store, "mnist") is None
    store.put(keys.dataset_manifest("mnist"), MANIFEST.to_bytes())

    assert read_manifest(store, "mnist") == MANIFEST


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": 1}', MANIFEST.to_bytes().replace(b"60000", b"60001")])
def test_a_damaged_manifest_is_refused(content, local_store):
    local_store.put(keys.dataset_manifest("mnist"), content)
    with pytest.raises(InvalidInput, match=r"datasets/mnist\.json is .*; remove it, then prepare the data set again"):
        read_manifest(local_store, "mnist")


@pytest.mark.parametrize("change", [{"name": "cifar10"}, {"key": keys.dataset("mnist", "ef" * 32)}])
def test_the_manifest_of_another_data_set_or_file_is_refused(change, local_store):
    local_store.put(keys.dataset_manifest("mnist"), dataclasses.replace(MANIFEST, **change).to_bytes())
    with pytest.raises(InvalidInput, match=r"is the manifest of .*; remove it, then prepare mnist again"):
        read_manifest(local_store, "mnist")
