"""The prepared file: its bytes depend on the data alone, its arrays are used in place, and damage is noticed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment.errors import InvalidInput
from tests.trainer.datasets.factories import npz_arrays
from trainer.datasets import npz
from trainer.model.types import ALIGNMENT


def test_the_prepared_file_comes_back_as_views_that_cannot_be_written():
    data = npz.encode_arrays(npz_arrays())
    back = npz.decode_arrays(data, "f")

    for name, array in npz_arrays().items():
        np.testing.assert_array_equal(back[name], array)
        assert not back[name].flags.writeable
        assert not back[name].flags.owndata


@pytest.mark.parametrize("count", [7, 100, 1437])
def test_the_arrays_of_a_prepared_file_are_aligned_in_it(count):
    data = npz.encode_arrays(npz_arrays(count))
    start = np.frombuffer(data, np.uint8).ctypes.data

    assert {(a.ctypes.data - start) % ALIGNMENT for a in npz.decode_arrays(data, "f").values()} == {0}


def test_the_prepared_file_is_an_ordinary_npz():
    with np.load(io.BytesIO(npz.encode_arrays(npz_arrays())), allow_pickle=False) as file:
        np.testing.assert_array_equal(file["x_train"], npz_arrays()["x_train"])


def test_the_same_data_are_the_same_bytes_whatever_the_clock(monkeypatch):
    first = npz.encode_arrays(npz_arrays())
    monkeypatch.setattr("time.time", lambda: 2e9)

    assert npz.encode_arrays({n: np.asfortranarray(a) for n, a in npz_arrays().items()}) == first


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_prepared_file_is_read_or_refused_by_name(at, value):
    data = bytearray(npz.encode_arrays(npz_arrays(2)))
    data[at % len(data)] = value
    reason = ""
    try:
        npz.decode_arrays(bytes(data), "f")
    except InvalidInput as error:
        reason = str(error)
    assert not reason or reason.startswith("f is not a prepared data set")


@pytest.mark.parametrize(
    "data", [b"", b"text", npz.encode_arrays(npz_arrays())[:-30], npz.encode_arrays(npz_arrays())[:300]]
)
def test_a_torn_prepared_file_is_refused(data):
    with pytest.raises(InvalidInput, match="remove it and prepare it again"):
        npz.decode_arrays(data, "f")


def test_a_compressed_file_is_not_a_prepared_one():
    sink = io.BytesIO()
    np.savez_compressed(sink, **npz_arrays())

    with pytest.raises(InvalidInput, match="is compressed"):
        npz.decode_arrays(sink.getvalue(), "f")
