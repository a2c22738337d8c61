"""Users' .npz files: what is read from them, and what is refused before it does harm."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from tests.trainer.datasets import factories
from tests.trainer.datasets.factories import npz_arrays
from trainer.datasets import npz
from trainer.datasets.keras_npz import read_keras_npz


@pytest.fixture
def own(tmp_path):
    """Writes a user's npz."""

    def write(save=np.savez_compressed, **parts):
        path = tmp_path / "digits.npz"
        save(path, **{**npz_arrays(), **parts})
        return path

    return write


def test_a_file_in_keras_layout_needs_no_channels_and_may_hold_wider_numbers(own):
    x, y = factories.made(7, (8, 8))

    found = read_keras_npz(DATASETS["digits"], own(x_train=x, y_train=y.astype(np.int64)))

    assert found["x_train"].shape == (7, 8, 8, 1)
    np.testing.assert_array_equal(found["x_train"][..., 0], x)
    np.testing.assert_array_equal(found["y_train"], y)
    assert {a.dtype for a in found.values()} == {np.dtype(np.uint8)}


def colours(count=6):
    """A cifar10.npz as Keras' own arrays make it: labels in a column."""
    x, y = factories.made(count, (32, 32, 3))
    return {"x_train": x, "y_train": y[:, None], "x_test": x[:3], "y_test": y[:3, None]}


def test_labels_in_a_column_are_taken(tmp_path):
    np.savez(tmp_path / "cifar10.npz", **colours())

    found = read_keras_npz(DATASETS["cifar10"], tmp_path / "cifar10.npz")
    assert found["y_train"].tolist() == colours()["y_train"][:, 0].tolist()
    assert found["y_test"].shape == (3,)


def test_images_with_the_channels_first_are_turned(tmp_path):
    given = colours()
    turned = {part: a.transpose(0, 3, 1, 2) if part[0] == "x" else a for part, a in given.items()}
    np.savez(tmp_path / "cifar10.npz", **turned)

    found = read_keras_npz(DATASETS["cifar10"], tmp_path / "cifar10.npz")
    np.testing.assert_array_equal(found["x_train"], given["x_train"])


@pytest.mark.parametrize(
    "change",
    [
        np.asfortranarray,
        lambda a: a.astype(">i4"),
        lambda a: np.asfortranarray(a.astype(">u2")),
        lambda a: a[::-1][::-1],
    ],
    ids=["Fortran order", "big-endian", "both", "strided"],
)
def test_any_order_in_memory_is_the_same_array(own, change):
    found = read_keras_npz(DATASETS["digits"], own(**{part: change(a) for part, a in npz_arrays().items()}))

    for part, array in npz_arrays().items():
        np.testing.assert_array_equal(found[part], array)


def test_entries_without_a_suffix_are_found(own, tmp_path):
    with zipfile.ZipFile(own()) as given, zipfile.ZipFile(tmp_path / "other.npz", "w") as other:
        for entry in given.namelist():
            other.writestr(entry.removesuffix(".npy"), given.read(entry))

    np.testing.assert_array_equal(
        read_keras_npz(DATASETS["digits"], tmp_path / "other.npz")["y_train"], npz_arrays()["y_train"]
    )


class Evil:
    """Runs code when unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_a_file_laden_with_a_pickle_is_refused_and_the_pickle_not_loaded(own):
    with pytest.raises(pytest.fail.Exception):
        pickle.loads(pickle.dumps(Evil()))

    with pytest.raises(InvalidInput, match="pickled objects, which is never read"):
        read_keras_npz(DATASETS["digits"], own(y_train=np.array([Evil()] * 7, dtype=object)))


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"x_train": np.zeros((7, 8, 8))}, "float64"),
        ({"y_train": np.arange(7) - 1}, "values from -1"),
        ({"x_train": np.full((7, 8, 8), 256)}, "values from 256 to 256"),
        ({"x_train": npz_arrays()["x_train"].repeat(2, -1)}, r"x_train has shape \(7, 8, 8, 2\)"),
        ({"y_train": np.eye(10, dtype=int)[:7]}, r"y_train has shape \(7, 10\)"),
        ({"y_train": np.uint8(3)}, r"y_train has shape \(\)"),
    ],
)
def test_numbers_of_another_kind_or_range_are_refused(own, part, reason):
    with pytest.raises(InvalidInput, match=reason):
        read_keras_npz(DATASETS["digits"], own(**part))


def test_a_file_that_lacks_an_array_is_refused(tmp_path):
    np.savez(tmp_path / "f.npz", x_train=np.zeros(3, np.uint8))

    with pytest.raises(InvalidInput, match="y_train"):
        read_keras_npz(DATASETS["digits"], tmp_path / "f.npz")


def test_a_header_that_promises_more_than_there_is_takes_no_memory(tmp_path):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"shape": (1 << 40,), "fortran_order": False, "descr": "|u1"})
    with zipfile.ZipFile(tmp_path / "f.npz", "w") as file:
        for name in npz.ARRAYS:
            file.writestr(f"{name}.npy", head.getvalue())

    with pytest.raises(InvalidInput, match=r"claims 1,099,511,627,776 bytes and holds"):
        read_keras_npz(DATASETS["digits"], tmp_path / "f.npz")


def test_a_bomb_in_an_npz_is_refused_before_it_is_unpacked(own, monkeypatch):
    monkeypatch.setattr("trainer.datasets.keras_npz.MOST", 1000)

    with pytest.raises(InvalidInput, match="would take 1,088 bytes, more than 1,000"):
        read_keras_npz(DATASETS["digits"], own(x_train=np.zeros((15, 8, 8), np.uint8)))


@pytest.mark.parametrize("cut", [0, 10, 400])
def test_a_torn_npz_is_refused(own, cut):
    path = own()
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(InvalidInput, match="not a usable"):
        read_keras_npz(DATASETS["digits"], path)
