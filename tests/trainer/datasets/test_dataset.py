"""Reading from a store: verified, shared, refused by name."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from experiment.errors import InvalidInput, Transient
from experiment.store import LocalStore
from tests.trainer.datasets import factories
from trainer.datasets import Overrides, load_dataset, prepare_dataset


class Remote(LocalStore):
    """A store whose files are elsewhere: it has no paths, counts its reads, and can damage what it sends."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads: list[str] = []
        self.damaged = 0

    def local_path(self, key: str) -> None:
        return None

    def read(self, key: str) -> bytes:
        self.reads.append(key)
        data = super().read(key)
        if key.endswith(".npz") and self.damaged:
            self.damaged -= 1
            return data[:-1] + b"?"
        return data


@pytest.fixture
def prepared(store, tmp_path):
    """A store with 40 made images as mnist."""
    (a, b), (c, d) = factories.made(30, (28, 28)), factories.made(10, (28, 28), 1)
    np.savez(tmp_path / "mnist.npz", x_train=a, y_train=b, x_test=c, y_test=d)
    prepare_dataset("mnist", store, Overrides(folder=tmp_path, any_count=True, cache=tmp_path / "unused"))
    return store


def npz_of(store) -> Path:
    return next(store.root.glob("datasets/*.npz"))


def test_arrays_are_mapped_from_the_file_and_cannot_be_written(prepared):
    data = load_dataset(prepared, "mnist")

    assert not data.x_train.flags.owndata
    assert str(npz_of(prepared)) in Path("/proc/self/maps").read_text()
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0] = 0


def test_the_file_may_be_replaced_while_it_is_in_use(prepared):
    data = load_dataset(prepared, "mnist")
    before = data.x_train.copy()
    npz_of(prepared).unlink()

    np.testing.assert_array_equal(data.x_train, before)


def test_a_data_set_that_was_not_prepared_says_how_to(store):
    with pytest.raises(
        InvalidInput, match=r"holds no mnist .*; run python -m trainer --prepare mnist --store"
    ) as caught:
        load_dataset(store, "mnist")
    assert caught.value.exit_code == 42


def test_an_unknown_name_is_refused(store):
    with pytest.raises(InvalidInput, match=r"holds no imagenet .*; launch the grid that defines it"):
        load_dataset(store, "imagenet")


@pytest.mark.parametrize("at", [100, 5_000, -1])
def test_a_damaged_file_is_named_and_not_used(prepared, at):
    data = bytearray(npz_of(prepared).read_bytes())
    data[at] ^= 1
    npz_of(prepared).write_bytes(data)

    with pytest.raises(InvalidInput, match=r"datasets/mnist-\w{16}\.npz is damaged: .*--prepare mnist"):
        load_dataset(prepared, "mnist")


def test_a_missing_file_is_named(prepared):
    npz_of(prepared).unlink()

    with pytest.raises(InvalidInput, match=r"mnist-\w{16}\.npz is missing; .*--prepare mnist"):
        load_dataset(prepared, "mnist")


@pytest.mark.parametrize(
    ("error", "meaning"),
    [(PermissionError(13, "no"), InvalidInput), (OSError(116, "Stale file handle"), Transient)],
    ids=["forbidden", "stale"],
)
def test_a_file_that_cannot_be_read_is_named(prepared, monkeypatch, error, meaning):
    def fail(*_):
        raise error

    monkeypatch.setattr("trainer.datasets.dataset.map_verified", fail)

    with pytest.raises(meaning, match=r"datasets/mnist-\w{16}\.npz"):
        load_dataset(prepared, "mnist")


def test_a_remote_file_is_fetched_once_for_all_processes_of_the_machine(prepared, tmp_path):
    remote = Remote(prepared.root)

    first, second = (load_dataset(remote, "mnist", cache=tmp_path / "cache") for _ in range(2))

    assert sum(key.endswith(".npz") for key in remote.reads) == 1
    np.testing.assert_array_equal(first.x_train, load_dataset(prepared, "mnist").x_train)
    assert str(tmp_path / "cache") in Path("/proc/self/maps").read_text()
    assert first.sha256 == second.sha256


def test_those_that_load_at_once_share_one_download(prepared, tmp_path):
    remote = Remote(prepared.root)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: load_dataset(remote, "mnist", cache=tmp_path / "cache"), range(4)))

    assert sum(key.endswith(".npz") for key in remote.reads) == 1
    assert all(len(data.y_train) == 30 for data in found)


def test_a_damaged_copy_on_this_machine_is_fetched_again(prepared, tmp_path):
    remote = Remote(prepared.root)
    load_dataset(remote, "mnist", cache=tmp_path / "cache")
    copy = next((tmp_path / "cache").rglob("*.npz"))
    copy.write_bytes(b"")

    load_dataset(remote, "mnist", cache=tmp_path / "cache")

    assert copy.read_bytes() == npz_of(prepared).read_bytes()


def test_what_is_damaged_on_the_way_is_read_once_more(prepared, tmp_path):
    remote = Remote(prepared.root)
    remote.damaged = 1

    np.testing.assert_array_equal(
        load_dataset(remote, "mnist", cache=tmp_path).x_test, load_dataset(prepared, "mnist").x_test
    )

    remote.damaged = 2
    with pytest.raises(InvalidInput, match="is damaged"):
        load_dataset(remote, "mnist", cache=tmp_path / "fresh")


def test_without_room_for_a_copy_the_process_keeps_its_own(prepared, tmp_path):
    (tmp_path / "file").write_text("not a directory")

    assert len(load_dataset(Remote(prepared.root), "mnist", cache=tmp_path / "file").y_train) == 30


def test_the_package_is_quick_to_import():
    """Neither TensorFlow nor scikit-learn, Pillow, pyarrow or boto3 comes with it."""
    check = (
        "import sys, trainer.datasets; print(*{'tensorflow', 'sklearn', 'PIL', 'pyarrow', 'boto3'} & set(sys.modules))"
    )

    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == ""
