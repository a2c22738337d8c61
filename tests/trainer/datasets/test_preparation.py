"""The store's one verified file: made once, made again when damaged, never replaced by other data."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from experiment import keys
from experiment.errors import InvalidInput, Transient
from tests.trainer.datasets.factories import mnist_files, served
from tests.trainer.datasets.serving import Answer
from trainer.datasets import Manifest, load_dataset, prepare_dataset

# Golden: were one to change without a new SPLIT or FORMAT, stores would hold other data under the same name.
DIGITS_SHA256 = "fd1d3f79f425444bef46a4c4bfeff24b56d9030955de3767dfc89c87ef47756f"


def test_digits_need_no_source(store, overrides):
    manifest = prepare_dataset("digits", store, overrides)
    data = load_dataset(store, "digits")

    assert manifest.sha256 == data.sha256 == DIGITS_SHA256
    assert (manifest.train, manifest.test, manifest.shape) == (1437, 360, (8, 8, 1))
    assert data.x_train.shape == (1437, 8, 8, 1)
    assert data.x_train.max() == 16
    assert np.bincount(data.y_test, minlength=10).min() > 20
    assert not overrides.cache.exists()


def test_a_second_preparation_asks_nobody(store, site, overrides):
    first = prepare_dataset("mnist", store, served(site, overrides, mnist_files()))
    site.files.clear()

    assert prepare_dataset("mnist", store, served(site, overrides, {})) == first


def test_a_source_out_of_reach_is_transient_and_leaves_the_store_as_it_was(store, site, overrides, naps):
    site.script["/originals/train-images-idx3-ubyte.gz"] = [Answer(status=503)] * 99

    with pytest.raises(Transient):
        prepare_dataset("mnist", store, served(site, overrides, mnist_files()), sleep=naps)
    assert list(store.list("")) == []


def test_an_unwritable_cache_is_named(store, site, overrides, tmp_path):
    (tmp_path / "file").write_text("not a directory")

    with pytest.raises(InvalidInput, match="XDG_CACHE_HOME"):
        prepare_dataset("mnist", store, replace(served(site, overrides, mnist_files()), cache=tmp_path / "file"))


def test_an_unknown_name_is_refused(store, overrides):
    with pytest.raises(
        InvalidInput, match="data set is 'imagenet'; allowed: digits, mnist, cifar10, cifar10standard, notmnist"
    ):
        prepare_dataset("imagenet", store, overrides)


@pytest.mark.parametrize("damage", ["missing", "changed", "empty"])
def test_a_missing_or_damaged_file_is_made_again_from_the_same_source(store, site, overrides, damage):
    manifest = prepare_dataset("mnist", store, served(site, overrides, mnist_files()))
    path = store.local_path(manifest.key)
    whole = path.read_bytes()
    {
        "missing": path.unlink,
        "changed": lambda: path.write_bytes(whole[:-1] + b"?"),
        "empty": lambda: path.write_bytes(b""),
    }[damage]()

    assert prepare_dataset("mnist", store, served(site, overrides, mnist_files())) == manifest
    assert path.read_bytes() == whole


def test_a_damaged_file_is_not_replaced_by_other_data(store, site, overrides):
    manifest = prepare_dataset("mnist", store, served(site, overrides, mnist_files()))
    store.local_path(manifest.key).write_bytes(b"damaged")

    with pytest.raises(InvalidInput, match=r"the source at hand gives another file .* remove datasets/mnist\.json"):
        prepare_dataset("mnist", store, served(site, overrides, mnist_files(70)))


def test_a_damaged_file_without_a_manifest_is_overwritten_by_the_right_bytes(store, site, overrides):
    manifest = prepare_dataset("mnist", store, served(site, overrides, mnist_files()))
    store.delete(keys.dataset_manifest("mnist"))
    store.local_path(manifest.key).write_bytes(b"damaged")

    prepare_dataset("mnist", store, served(site, overrides, mnist_files()))

    assert load_dataset(store, "mnist").sha256 == manifest.sha256


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda d: d.replace(b'"train": 60', b'"train": 61'), "is damaged"),
        (lambda d: d[:50], "is not the manifest"),
        (lambda _: b"[]", "is not the manifest"),
        (lambda _: b"\xff", "is not the manifest"),
    ],
    ids=["changed", "torn", "list", "bytes"],
)
def test_a_damaged_manifest_is_named_and_never_used(store, site, overrides, damage, reason):
    prepare_dataset("mnist", store, served(site, overrides, mnist_files()))
    key = keys.dataset_manifest("mnist")
    store.put(key, damage(store.read(key)))

    for use in (lambda: load_dataset(store, "mnist"), lambda: prepare_dataset("mnist", store, overrides)):
        with pytest.raises(InvalidInput, match=rf"mnist\.json {reason}.*; remove it"):
            use()


def test_the_manifest_of_another_data_set_is_refused(store, site, overrides):
    manifest = prepare_dataset("mnist", store, served(site, overrides, mnist_files()))
    store.put(keys.dataset_manifest("cifar10"), manifest.to_bytes())

    with pytest.raises(InvalidInput, match="is the manifest of mnist"):
        load_dataset(store, "cifar10")


def test_a_manifest_comes_back_from_its_bytes(store, overrides):
    manifest = prepare_dataset("digits", store, overrides)

    assert Manifest.from_bytes(manifest.to_bytes(), "m") == manifest
    with pytest.raises(InvalidInput, match="damaged"):
        Manifest.from_bytes(manifest.to_bytes().replace(b'"format": 1', b'"format": 2'), "m")
    assert dataclasses.is_dataclass(manifest)


def test_two_that_prepare_at_once_agree_and_download_once(store, site, overrides):
    given = served(site, overrides, mnist_files(300))
    environ = {
        **os.environ,
        "DATASET_MNIST_URL": given.url,
        "DATASET_MNIST_SHA256": " ".join(f"{name}={value}" for name, value in given.sha256.items()),
        "DATASET_MNIST_COUNTS": "any",
        "XDG_CACHE_HOME": str(given.cache),
    }
    command = [sys.executable, "-m", "trainer", "--prepare", "mnist", "--store", store.url]
    both = [subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate(timeout=60)[0] for process in both}

    assert [process.returncode for process in both] == [0, 0]
    assert len(said) == 1
    assert len(site.asked("/originals/train-images-idx3-ubyte.gz")) == 1
    assert len(list(store.list("datasets/"))) == 2
