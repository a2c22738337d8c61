"""From the originals' formats, served by a web server, to the store's one verified file, and back."""

from __future__ import annotations

import dataclasses
import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

from experiment import keys
from experiment.errors import InvalidInput, Transient
from experiment.store import LocalStore
from tests.trainer.datasets import packing
from tests.trainer.datasets.serving import Answer
from trainer.datasets import Manifest, Settings, load, prepare, sources

# Golden: were one to change without a new SPLIT or FORMAT, stores would hold other data under the same name.
DIGITS_SHA256 = "efb1ca35e1363aa851c22fee1222723b7228a23b8323c857075f336f6e0def09"


@pytest.fixture
def settings(tmp_path):
    return Settings(cache=tmp_path / "cache")


def served(site, settings, files, **more) -> Settings:
    """Settings for files of a site, with their checksums, in any number."""
    return replace(settings, url=site.folder("originals", files), sha256=packing.sums(files), any_count=True, **more)


def mnist_files(count: int = 60):
    (a, b), (c, d) = packing.made(count, (28, 28)), packing.made(20, (28, 28), 1)
    return packing.mnist(a, b, c, d)


def notmnist_files(x, y, **corrupt):
    large = packing.letters("notMNIST_large", x[10:], y[10:], {"A/bad.png": b"", "J/half.png": packing.png(x[0])[:60]})
    small = packing.letters("notMNIST_small", x[:10], y[:10], {"F/bad.png": b"no picture"})
    return {sources.LARGE: packing.tar(large), sources.SMALL: packing.tar(small)}


def test_digits_need_no_source(store, settings):
    manifest = prepare("digits", store, settings)
    data = load(store, "digits")

    assert manifest.sha256 == data.sha256 == DIGITS_SHA256
    assert (manifest.train, manifest.test, manifest.shape) == (1437, 360, (8, 8, 1))
    assert data.x_train.shape == (1437, 8, 8, 1)
    assert data.x_train.max() == 16
    assert np.bincount(data.y_test, minlength=10).min() > 20
    assert not settings.cache.exists()


def test_all_of_mnist_comes_through_its_original_format(store, site, settings, real_mnist, tmp_path, naps):
    files = packing.mnist(**real_mnist)
    site.script["/originals/train-images-idx3-ubyte.gz"] = [Answer(status=503), Answer(cut=5_000_000)]

    manifest = prepare("mnist", store, replace(served(site, settings, files), any_count=False), sleep=naps)

    data = load(store, "mnist")
    assert (len(data.y_train), len(data.y_test)) == (60_000, 10_000)
    assert manifest.skipped == 0
    assert [f.name for f in manifest.source] == list(files)
    assert {f.name: f.sha256 for f in manifest.source} == packing.sums(files)
    assert not list(settings.cache.rglob("*.gz*")), "downloads are removed once the store has the data"
    as_npz = prepare("mnist", LocalStore(tmp_path / "other", create=True), Settings(folder=packing.SHARED))
    assert as_npz.sha256 == manifest.sha256, "both layouts hold the same data"


def test_real_cifar10_comes_through_its_binary_version(store, site, settings, real_cifar10):
    manifest = prepare("cifar10", store, served(site, settings, packing.cifar10(real_cifar10)))

    data = load(store, "cifar10")
    before = np.concatenate([x for x, _ in real_cifar10])
    assert (manifest.train, manifest.test, manifest.shape) == (250, 50, (32, 32, 3))
    assert sorted(i.tobytes() for i in np.concatenate([data.x_train, data.x_test])) == sorted(
        i.tobytes() for i in before
    )


def test_real_letters_come_through_png_folders_and_corrupt_ones_are_counted(store, site, settings, real_letters):
    manifest = prepare("notmnist", store, served(site, settings, notmnist_files(*real_letters)))

    data = load(store, "notmnist")
    assert manifest.skipped == 3
    assert (manifest.train, manifest.test) == (300, 10)
    assert np.bincount(data.y_train).tolist() == [30] * 10
    pixels = {image.tobytes() for image in real_letters[0]}
    assert {i.tobytes() for i in data.x_train} <= pixels


def test_made_letters_and_colours_come_through_without_the_real_data(store, site, settings):
    prepare("notmnist", store, served(site, settings, notmnist_files(*packing.made(100, (28, 28)))))
    batches = [packing.made(10, (32, 32, 3), i) for i in range(6)]
    prepare("cifar10", store, served(site, settings, packing.cifar10(batches)))

    assert np.bincount(load(store, "notmnist").y_train).tolist() == [9] * 10
    assert len(load(store, "cifar10").y_train) == 50


def test_a_second_preparation_asks_nobody(store, site, settings):
    first = prepare("mnist", store, served(site, settings, mnist_files()))
    site.files.clear()

    assert prepare("mnist", store, served(site, settings, {})) == first


def test_known_checksums_hold_unless_the_user_gives_others(store, site, settings, naps):
    url = site.folder("originals", mnist_files())

    with pytest.raises(
        InvalidInput, match=r"train-images-idx3-ubyte\.gz is not to be had: .*9,912,422 bytes"
    ) as caught:
        prepare("mnist", store, replace(settings, url=url), sleep=naps)
    assert caught.value.exit_code == 42
    assert list(store.list("")) == []


def test_a_source_out_of_reach_is_transient_and_leaves_the_store_as_it_was(store, site, settings, naps):
    site.script["/originals/train-images-idx3-ubyte.gz"] = [Answer(status=503)] * 99

    with pytest.raises(Transient):
        prepare("mnist", store, served(site, settings, mnist_files()), sleep=naps)
    assert list(store.list("")) == []


@pytest.mark.parametrize("name", ["../../evil.png", "/evil/A/x.png"])
def test_a_hostile_archive_is_refused_and_not_kept(store, site, settings, name):
    files = notmnist_files(*packing.made(100, (28, 28)))
    files[sources.SMALL] = packing.tar({name: b"evil"})

    with pytest.raises(InvalidInput, match="leads out of the archive"):
        prepare("notmnist", store, served(site, settings, files))
    assert not list(settings.cache.rglob("*.gz"))
    assert list(store.list("")) == []


def test_an_archive_without_its_batches_is_refused(store, site, settings):
    files = {sources.CIFAR10: packing.tar({"cifar-10-batches-bin/test_batch.bin": bytes(3073)})}

    with pytest.raises(InvalidInput, match=r"lacks data_batch_1\.bin, .*data_batch_5\.bin;"):
        prepare("cifar10", store, served(site, settings, files))


def test_an_npz_of_ones_own_comes_from_a_url_with_its_checksum(store, site, settings, tmp_path):
    (a, b), (c, d) = packing.made(30, (28, 28)), packing.made(10, (28, 28), 1)
    np.savez_compressed(tmp_path / "own.npz", x_train=a, y_train=b, x_test=c, y_test=d)
    files = {"own.npz": (tmp_path / "own.npz").read_bytes()}
    url = site.folder("npz", files) + "own.npz"

    with pytest.raises(InvalidInput, match=r"allowed: own\.npz=SHA256"):
        prepare("mnist", store, replace(settings, url=url))
    prepare("mnist", store, replace(settings, url=url, sha256=packing.sums(files), any_count=True))

    assert len(load(store, "mnist").y_train) == 30


def test_files_of_ones_own_directory_are_taken_from_its_root_or_a_folder_of_the_data_set(store, settings, tmp_path):
    files = mnist_files()
    first, *rest = files
    (tmp_path / "own" / "mnist").mkdir(parents=True)
    (tmp_path / "own" / first).write_bytes(files[first])
    own = replace(settings, folder=tmp_path / "own", sha256=packing.sums(files), any_count=True)

    with pytest.raises(InvalidInput, match=r"lacks train-labels-idx1-ubyte\.gz, .* of mnist"):
        prepare("mnist", store, own)
    for name in rest:
        (tmp_path / "own" / "mnist" / name).write_bytes(files[name])

    assert prepare("mnist", store, own).source[0].origin == f"DATASETS_DIR/{first}"


def test_a_file_of_ones_own_directory_with_a_wrong_checksum_is_refused(store, settings, tmp_path):
    for name, data in mnist_files().items():
        (tmp_path / name).write_bytes(data)

    with pytest.raises(
        InvalidInput, match=r"DATASETS_DIR/train-images-idx3-ubyte\.gz has .* bytes; allowed: 9,912,422"
    ):
        prepare("mnist", store, replace(settings, folder=tmp_path))


def test_a_missing_directory_is_refused(store, settings, tmp_path):
    with pytest.raises(InvalidInput, match=r"DATASETS_DIR is .*; allowed: an existing directory"):
        prepare("mnist", store, replace(settings, folder=tmp_path / "none"))


def test_an_unwritable_cache_is_named(store, site, settings, tmp_path):
    (tmp_path / "file").write_text("not a directory")

    with pytest.raises(InvalidInput, match="XDG_CACHE_HOME"):
        prepare("mnist", store, replace(served(site, settings, mnist_files()), cache=tmp_path / "file"))


def test_an_unknown_name_is_refused(store, settings):
    with pytest.raises(InvalidInput, match="data set is 'imagenet'; allowed: digits, mnist, cifar10, notmnist"):
        prepare("imagenet", store, settings)


@pytest.mark.parametrize("damage", ["missing", "changed", "empty"])
def test_a_missing_or_damaged_file_is_made_again_from_the_same_source(store, site, settings, damage):
    manifest = prepare("mnist", store, served(site, settings, mnist_files()))
    path = store.local_path(manifest.key)
    whole = path.read_bytes()
    {
        "missing": path.unlink,
        "changed": lambda: path.write_bytes(whole[:-1] + b"?"),
        "empty": lambda: path.write_bytes(b""),
    }[damage]()

    assert prepare("mnist", store, served(site, settings, mnist_files())) == manifest
    assert path.read_bytes() == whole


def test_a_damaged_file_is_not_replaced_by_other_data(store, site, settings):
    manifest = prepare("mnist", store, served(site, settings, mnist_files()))
    store.local_path(manifest.key).write_bytes(b"damaged")

    with pytest.raises(InvalidInput, match=r"the source at hand gives another file .* remove datasets/mnist\.json"):
        prepare("mnist", store, served(site, settings, mnist_files(70)))


def test_a_damaged_file_without_a_manifest_is_overwritten_by_the_right_bytes(store, site, settings):
    manifest = prepare("mnist", store, served(site, settings, mnist_files()))
    store.delete(keys.dataset_manifest("mnist"))
    store.local_path(manifest.key).write_bytes(b"damaged")

    prepare("mnist", store, served(site, settings, mnist_files()))

    assert load(store, "mnist").sha256 == manifest.sha256


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
def test_a_damaged_manifest_is_named_and_never_used(store, site, settings, damage, reason):
    prepare("mnist", store, served(site, settings, mnist_files()))
    key = keys.dataset_manifest("mnist")
    store.put(key, damage(store.read(key)))

    for use in (lambda: load(store, "mnist"), lambda: prepare("mnist", store, settings)):
        with pytest.raises(InvalidInput, match=rf"mnist\.json {reason}.*; remove it"):
            use()


def test_the_manifest_of_another_data_set_is_refused(store, site, settings):
    manifest = prepare("mnist", store, served(site, settings, mnist_files()))
    store.put(keys.dataset_manifest("cifar10"), manifest.to_bytes())

    with pytest.raises(InvalidInput, match="is the manifest of mnist"):
        load(store, "cifar10")


def test_a_manifest_comes_back_from_its_bytes(store, settings):
    manifest = prepare("digits", store, settings)

    assert Manifest.from_bytes(manifest.to_bytes(), "m") == manifest
    with pytest.raises(InvalidInput, match="damaged"):
        Manifest.from_bytes(manifest.to_bytes().replace(b'"format": 1', b'"format": 2'), "m")
    assert dataclasses.is_dataclass(manifest)


def _prepare_there(root, settings, results):
    results.put(prepare("mnist", LocalStore(root), settings).to_bytes())


def test_two_that_prepare_at_once_agree_and_download_once(store, site, settings):
    given = served(site, settings, mnist_files(300))
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    both = [context.Process(target=_prepare_there, args=(store.root, given, results)) for _ in range(2)]
    for process in both:
        process.start()
    found = {results.get(timeout=60) for _ in both}
    for process in both:
        process.join()

    assert len(found) == 1
    assert len(site.asked("/originals/train-images-idx3-ubyte.gz")) == 1
    assert len(list(store.list("datasets/"))) == 2
