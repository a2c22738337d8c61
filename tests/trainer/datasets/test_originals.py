"""From the originals' formats, served by a web server or laid into a directory, into arrays in the store."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from experiment.datasets import STANDARD
from experiment.errors import InvalidInput
from experiment.store import LocalStore
from tests.trainer.datasets import factories
from tests.trainer.datasets.factories import mnist_files, notmnist_files, served
from tests.trainer.datasets.serving import Answer
from trainer.datasets import Overrides, load_dataset, prepare_dataset, sources


def test_all_of_mnist_comes_through_its_original_format(store, site, overrides, real_mnist, tmp_path, naps):
    files = factories.mnist(**real_mnist)
    site.script["/originals/train-images-idx3-ubyte.gz"] = [Answer(status=503), Answer(cut=5_000_000)]

    manifest = prepare_dataset("mnist", store, replace(served(site, overrides, files), any_count=False), sleep=naps)

    data = load_dataset(store, "mnist")
    assert (len(data.y_train), len(data.y_test)) == (60_000, 10_000)
    assert manifest.skipped == 0
    assert [f.name for f in manifest.source] == list(files)
    assert {f.name: f.sha256 for f in manifest.source} == factories.sums(files)
    assert not list(overrides.cache.rglob("*.gz*")), "downloads are removed once the store has the data"
    as_npz = prepare_dataset("mnist", LocalStore(tmp_path / "other", create=True), Overrides(folder=factories.SHARED))
    assert as_npz.sha256 == manifest.sha256, "both layouts hold the same data"


def test_real_cifar10_comes_through_its_binary_version(store, site, overrides, real_cifar10):
    manifest = prepare_dataset("cifar10", store, served(site, overrides, factories.cifar10(real_cifar10)))

    data = load_dataset(store, "cifar10")
    before = np.concatenate([x for x, _ in real_cifar10])
    assert (manifest.train, manifest.test, manifest.shape) == (250, 50, (32, 32, 3))
    assert sorted(i.tobytes() for i in np.concatenate([data.x_train, data.x_test])) == sorted(
        i.tobytes() for i in before
    )


def test_real_letters_come_through_png_folders_and_corrupt_ones_are_counted(store, site, overrides, real_letters):
    manifest = prepare_dataset("notmnist", store, served(site, overrides, notmnist_files(*real_letters)))

    data = load_dataset(store, "notmnist")
    assert manifest.skipped == 3
    assert (manifest.train, manifest.test) == (300, 10)
    assert np.bincount(data.y_train).tolist() == [30] * 10
    pixels = {image.tobytes() for image in real_letters[0]}
    assert {i.tobytes() for i in data.x_train} <= pixels


def test_made_letters_and_colours_come_through_without_the_real_data(store, site, overrides):
    prepare_dataset("notmnist", store, served(site, overrides, notmnist_files(*factories.made(100, (28, 28)))))
    batches = [factories.made(10, (32, 32, 3), i) for i in range(6)]
    prepare_dataset("cifar10", store, served(site, overrides, factories.cifar10(batches)))

    assert np.bincount(load_dataset(store, "notmnist").y_train).tolist() == [9] * 10
    prepare_dataset(STANDARD, store, served(site, overrides, factories.cifar10(batches)))

    assert len(load_dataset(store, "cifar10").y_train) == 50
    standard, tested = load_dataset(store, STANDARD), {image.tobytes() for image in batches[5][0]}
    assert {image.tobytes() for image in standard.x_test} == tested
    assert {image.tobytes() for image in load_dataset(store, "cifar10").x_test} != tested


def test_known_checksums_hold_unless_the_user_gives_others(store, site, overrides, naps):
    url = site.folder("originals", mnist_files())

    with pytest.raises(
        InvalidInput, match=r"no mirror has the right train-images-idx3-ubyte\.gz: .*9,912,422 bytes"
    ) as caught:
        prepare_dataset("mnist", store, replace(overrides, url=url), sleep=naps)
    assert caught.value.exit_code == 42
    assert list(store.list("")) == []


@pytest.mark.parametrize("name", ["../../evil.png", "/evil/A/x.png"])
def test_a_hostile_archive_is_refused_and_not_kept(store, site, overrides, name):
    files = notmnist_files(*factories.made(100, (28, 28)))
    files[sources.SMALL] = factories.tar({name: b"evil"})

    with pytest.raises(InvalidInput, match="leads out of the archive"):
        prepare_dataset("notmnist", store, served(site, overrides, files))
    assert not list(overrides.cache.rglob("*.gz"))
    assert list(store.list("")) == []


def test_an_archive_without_its_batches_is_refused(store, site, overrides):
    files = {sources.CIFAR10: factories.tar({"cifar-10-batches-bin/test_batch.bin": bytes(3073)})}

    with pytest.raises(InvalidInput, match=r"lacks data_batch_1\.bin, .*data_batch_5\.bin;"):
        prepare_dataset("cifar10", store, served(site, overrides, files))


def test_an_npz_of_ones_own_comes_from_a_url_with_its_checksum(store, site, overrides, tmp_path):
    (a, b), (c, d) = factories.made(30, (28, 28)), factories.made(10, (28, 28), 1)
    np.savez_compressed(tmp_path / "own.npz", x_train=a, y_train=b, x_test=c, y_test=d)
    files = {"own.npz": (tmp_path / "own.npz").read_bytes()}
    url = site.folder("npz", files) + "own.npz"

    with pytest.raises(InvalidInput, match=r"allowed: own\.npz=SHA256"):
        prepare_dataset("mnist", store, replace(overrides, url=url))
    made = prepare_dataset("mnist", store, replace(overrides, url=url, sha256=factories.sums(files), any_count=True))

    assert made.own_files == ["own.npz"]
    assert len(load_dataset(store, "mnist").y_train) == 30
