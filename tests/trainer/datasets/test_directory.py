"""The user's own directory, in the layouts that common loaders leave."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pytest

from experiment.errors import InvalidInput
from experiment.store import LocalStore
from tests.trainer.datasets import factories
from tests.trainer.datasets.factories import mnist_files, sums
from trainer.datasets import load_dataset, prepare_dataset, sources
from trainer.datasets.directory import FOLDERS, NEVER_READ, find_originals


def test_files_of_ones_own_directory_are_taken_from_its_root_or_a_folder_of_the_data_set(store, overrides, tmp_path):
    files = mnist_files()
    first, *rest = files
    (tmp_path / "own" / "mnist").mkdir(parents=True)
    (tmp_path / "own" / first).write_bytes(files[first])
    own = replace(overrides, folder=tmp_path / "own", sha256=factories.sums(files), any_count=True)

    with pytest.raises(InvalidInput, match=r"lacks train-labels-idx1-ubyte\.gz, .* of mnist"):
        prepare_dataset("mnist", store, own)
    for name in rest:
        (tmp_path / "own" / "mnist" / name).write_bytes(files[name])

    assert prepare_dataset("mnist", store, own).source[0].origin == f"DATASETS_DIR/{first}"


def test_a_file_of_ones_own_directory_with_a_wrong_checksum_is_refused(store, overrides, tmp_path):
    for name, data in mnist_files().items():
        (tmp_path / name).write_bytes(data)

    with pytest.raises(
        InvalidInput, match=r"DATASETS_DIR/train-images-idx3-ubyte\.gz has .* bytes; allowed: 9,912,422"
    ):
        prepare_dataset("mnist", store, replace(overrides, folder=tmp_path))


def test_a_missing_directory_is_refused(store, overrides, tmp_path):
    with pytest.raises(InvalidInput, match=r"DATASETS_DIR is .*; allowed: an existing directory"):
        prepare_dataset("mnist", store, replace(overrides, folder=tmp_path / "none"))


@pytest.fixture
def lay(overrides, tmp_path):
    """Lays files by their paths into a directory; the overrides that name it, with the files' checksums."""

    def put(files, **fields):
        for path, data in files.items():
            (tmp_path / "own" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "own" / path).write_bytes(data)
        own = sums({path.rpartition("/")[2]: data for path, data in files.items()})
        return replace(overrides, **{"folder": tmp_path / "own", "sha256": own, "any_count": True, **fields})

    (tmp_path / "own").mkdir()
    return put


def unpacked(files):
    return {name.removesuffix(".gz"): gzip.decompress(data) for name, data in files.items()}


def dotted(files):
    return {name.replace("-idx", ".idx"): data for name, data in files.items()}


LAYOUTS = {
    "torchvision": lambda files: {f"MNIST/raw/{name}": data for name, data in (files | unpacked(files)).items()},
    "torchvision, packed": lambda files: {f"MNIST/raw/{name}": data for name, data in files.items()},
    "torchvision, unpacked": lambda files: {f"MNIST/raw/{name}": data for name, data in unpacked(files).items()},
    "the folder of torchvision itself": lambda files: {f"raw/{name}": data for name, data in files.items()},
    "unpacked": unpacked,
    "with a dot": lambda files: dotted(unpacked(files)),
    "with a dot, packed": dotted,
    "each in a folder of its name": lambda files: {f"{n}/{n}": data for n, data in unpacked(files).items()},
    "some packed and some not": lambda files: dict(list(files.items())[:2]) | dict(list(unpacked(files).items())[2:]),
    "MindSpore": lambda files: {
        f"MNIST_Data/{'test' if 't10k' in name else 'train'}/{name}": data for name, data in unpacked(files).items()
    },
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_mnist_is_found_in_the_layouts_of_common_loaders(store, lay, tmp_path, layout):
    given = lay(layout(mnist_files()))
    if "idx" in next(iter(given.sha256)):
        given = replace(given, sha256={name.replace(".idx", "-idx"): value for name, value in given.sha256.items()})
    manifest = prepare_dataset("mnist", store, given)
    usual = prepare_dataset("mnist", LocalStore(tmp_path / "other", create=True), lay(mnist_files()))

    assert manifest.sha256 == usual.sha256
    assert all(file.origin.startswith("DATASETS_DIR/") for file in manifest.source)
    assert load_dataset(store, "mnist").y_train.shape == (60,)


def test_unpacked_files_are_held_to_their_own_known_checksums(store, lay):
    given = lay(unpacked(mnist_files()), sha256={})

    with pytest.raises(InvalidInput, match=r"train-images-idx3-ubyte has .* bytes; allowed: 47,040,016 bytes"):
        prepare_dataset("mnist", store, given)


def test_a_file_that_a_browser_unpacked_under_its_old_name_is_known_by_its_size(lay, monkeypatch):
    files = unpacked(mnist_files())
    expected = tuple(
        replace(f, unpacked=replace(f.unpacked, size=len(files[f.unpacked.name]), checksum=None))
        for f in sources.SOURCES["mnist"].files
    )
    monkeypatch.setitem(sources.SOURCES, "mnist", replace(sources.SOURCES["mnist"], files=expected))
    given = lay({f"{name}.gz": data for name, data in files.items()}, sha256={})

    assert set(find_originals("mnist", given)) == set(mnist_files())


def batches():
    return {
        f"cifar-10-batches-bin/{name}": data
        for name, data in factories.cifar10_batches([factories.made(10, (32, 32, 3), i) for i in range(6)]).items()
    }


CIFAR_LAYOUTS = {
    "unpacked archive": lambda files: files,
    "torchvision": lambda files: {f"CIFAR10/{path}": data for path, data in files.items()},
    "the folder itself": lambda files: {path.rpartition("/")[2]: data for path, data in files.items()},
    "MindSpore": lambda files: {
        path.replace("bin/", f"bin/{'test' if 'test' in path else 'train'}/"): data for path, data in files.items()
    },
}


@pytest.mark.parametrize("layout", CIFAR_LAYOUTS.values(), ids=CIFAR_LAYOUTS)
def test_cifar10_is_found_unpacked(store, lay, tmp_path, layout):
    manifest = prepare_dataset("cifar10", store, lay(layout(batches())))
    archive = {sources.CIFAR10: factories.tar(batches())}
    usual = prepare_dataset("cifar10", LocalStore(tmp_path / "other", create=True), lay(archive))

    assert manifest.sha256 == usual.sha256
    assert [file.name for file in manifest.source] == list(sources.CIFAR10_BATCHES)


def test_a_batch_of_another_size_is_refused(store, lay):
    with pytest.raises(InvalidInput, match=r"data_batch_1\.bin has 30,730 bytes; allowed: 30,730,000 bytes"):
        prepare_dataset("cifar10", store, lay(batches(), sha256={}))


def test_missing_batches_are_named(store, lay):
    some = {path: data for path, data in batches().items() if "batch_3" not in path}
    with pytest.raises(InvalidInput, match=r"DATASETS_DIR .* lacks data_batch_3\.bin of cifar10"):
        prepare_dataset("cifar10", store, lay(some))


@pytest.mark.parametrize(("name", "file"), [(n, f) for n, files in NEVER_READ.items() for f in files])
def test_what_is_never_read_is_refused_with_the_reason(store, lay, name, file):
    inner = FOLDERS[name][-1]
    with pytest.raises(
        InvalidInput, match=rf"{file}.* of {name} is (pickled|an unpacked archive), .*; allowed: {name}\.npz"
    ):
        prepare_dataset(name, store, lay({f"{inner}/{file}": b"\x80\x04N."}, sha256={}))
    assert list(store.list("")) == []


def test_a_readable_form_beside_a_pickled_one_is_taken(store, lay):
    files = batches() | {"cifar-10-batches-py/data_batch_1": b"\x80\x04N."}
    given = lay(files)
    sha256 = {name: value for name, value in given.sha256.items() if name.endswith(".bin")}

    assert prepare_dataset("cifar10", store, replace(given, sha256=sha256)).train == 50


def test_an_npz_is_found_in_the_data_sets_folder(store, lay, tmp_path):
    (a, b), (c, d) = factories.made(30, (28, 28)), factories.made(10, (28, 28), 1)
    given = lay({}, sha256={})
    (tmp_path / "own" / "MNIST").mkdir()
    np.savez(tmp_path / "own" / "MNIST" / "mnist.npz", x_train=a, y_train=b, x_test=c, y_test=d)

    assert prepare_dataset("mnist", store, given).train == 30


def test_a_directory_that_holds_nothing_of_it_is_said_before_anything_is_downloaded(store, site, lay, caplog):
    files = mnist_files()
    given = lay({"cifar10.npz": b"another data set's"}, url=site.folder("originals", files), sha256=sums(files))
    said = []
    site.on_request = lambda: said.append(list(caplog.messages))
    prepare_dataset("mnist", store, given)

    first = said[0]
    assert any("holds nothing of mnist (mnist.npz, train-images-idx3-ubyte.gz, " in line for line in first)
    assert any("downloaded instead" in line for line in first)


def test_an_unset_directory_is_not_spoken_of(store, site, overrides, caplog):
    prepare_dataset("mnist", store, factories.served(site, overrides, mnist_files()))

    assert "DATASETS_DIR" not in caplog.text
