"""Original files and users' arrays with damage anywhere are read, or refused in one line, in little memory."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from tests.hostile import damaged, quick, read_or_refused
from tests.trainer.datasets.factories import idx, npz_arrays, png
from trainer.datasets import npz, parse
from trainer.datasets.extract import Limits, read_packed
from trainer.datasets.keras_npz import read_keras_npz

LIMITS = Limits(members=5, member=1 << 16, total=1 << 20)
PACKED = gzip.compress(b"content" * 50)
PICTURE = png(np.arange(784, dtype=np.uint8).reshape(28, 28))
HEADER = r"\{'descr': '[<>|=]?[A-Za-z]\d{0,6}', 'fortran_order': (True|False), 'shape': \((\d{0,30},?){0,4}\), \}"


def own(save) -> bytes:
    sink = io.BytesIO()
    save(sink, **npz_arrays(2))
    return sink.getvalue()


@quick(100)
@given(st.sampled_from([own(np.savez), own(np.savez_compressed)]).flatmap(lambda data: damaged(data, tail=400)))
def test_a_damaged_npz_is_read_or_refused(tmp_path, data):
    (tmp_path / "digits.npz").write_bytes(data)

    found = read_or_refused(lambda: read_keras_npz(DATASETS["digits"], tmp_path / "digits.npz"))

    assert found is None or {a.dtype for a in found.values()} == {np.dtype(np.uint8)}


@quick(60)
@given(st.from_regex(HEADER, fullmatch=True) | st.text(max_size=30), st.sampled_from([1, 2, 3]))
def test_arrays_under_any_header_are_read_or_refused(tmp_path, text, version):
    head = text.encode()
    length = struct.pack("<H" if version == 1 else "<I", len(head))
    with zipfile.ZipFile(tmp_path / "digits.npz", "w") as file:
        for name in npz.ARRAYS:
            file.writestr(f"{name}.npy", b"\x93NUMPY" + bytes((version, 0)) + length + head + bytes(64))

    read_or_refused(lambda: read_keras_npz(DATASETS["digits"], tmp_path / "digits.npz"))
    read_or_refused(lambda: npz.decode_arrays((tmp_path / "digits.npz").read_bytes(), "here"))


@quick(100)
@given(damaged(PACKED))
def test_a_damaged_packed_file_is_read_or_refused(tmp_path, data):
    (tmp_path / "a.gz").write_bytes(data)

    read_or_refused(lambda: read_packed(tmp_path / "a.gz", LIMITS))


@quick(100)
@given(damaged(idx(np.zeros((2, 3, 4), np.uint8)), tail=40) | st.binary(max_size=40), st.integers(1, 3))
def test_a_damaged_idx_file_is_read_or_refused(data, dimensions):
    read_or_refused(lambda: parse.parse_idx(data, dimensions, "here"))
    read_or_refused(lambda: parse.parse_cifar_batch(data, "here"))


def test_an_idx_file_of_no_image_of_an_impossible_size_is_refused():
    head = bytes((0, 0, 8, 3)) + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1)

    with pytest.raises(InvalidInput, match=r"its header says \(0, 4294967295, 4294967295\); allowed: a shape"):
        parse.parse_idx(head, 3, "here")


@quick(100)
@given(damaged(PICTURE))
def test_a_damaged_picture_is_read_or_left_out(data):
    pixels = parse.png_pixels(data)

    assert pixels is None or len(pixels) == 784
