"""The prepared file: an .npz of four arrays, whose bytes are a function of the data alone: uint8, or uint16 labels.

It is not compressed, so that an array is a slice of the file and the workers of a machine share its pages. The arrays are
aligned, so that TensorFlow can use them where they lie.
"""

from __future__ import annotations

import io
import lzma
import math
import mmap
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO

import numpy as np

from experiment.errors import InvalidInput
from trainer.datasets.npy_header import LONGEST_HEADER, read_array_header
from trainer.model.types import ALIGNMENT

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
LABELS = (np.dtype(np.uint8), np.dtype("<u2"))  # by the number of classes: see label_type
# The errors of zipfile and its decompressors about files that are damaged, encrypted or of an unknown kind.
_DECOMPRESSION = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
UNREADABLE = (*_DECOMPRESSION, struct.error, ValueError, LookupError, OSError, RuntimeError, OverflowError)
_PADDING = 0xD935  # the id of the extra field that aligns a zip entry
_LOCAL_HEADER = 30  # bytes of a zip entry before its name; the last four are the lengths of name and extra field
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold, in place of the time of writing


def label_type(classes: int) -> np.dtype:
    """Returns the type of the labels of so many classes: of one byte if that holds them, else of two."""
    return LABELS[classes > 256]


def encode_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Returns the four arrays as the bytes of one .npz file, which depend on nothing but the arrays."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name in ARRAYS:
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            entry.create_system = 3  # Unix, whatever the system that writes it
            entry.extra = _padding(sink.tell() + _LOCAL_HEADER + len(entry.filename))
            with archive.open(entry, "w") as member:
                _write_array(member, np.ascontiguousarray(arrays[name]))
    return sink.getvalue()


def decode_arrays(buffer: bytes | mmap.mmap, source: str) -> dict[str, np.ndarray]:
    """Returns read-only views of the four arrays of a prepared file, without a copy; ``source`` names it in errors.

    Raises:
        InvalidInput: it is not a file that ``encode_arrays`` wrote.
    """
    try:
        with zipfile.ZipFile(_Window(buffer)) as archive:
            entries = {e.filename: e for e in archive.infolist()}
        return {name: _view(buffer, entries[f"{name}.npy"]) for name in ARRAYS}
    except UNREADABLE as error:
        raise InvalidInput(f"{source} is not a prepared data set ({error}); remove it and prepare it again") from error


def _padding(at: int) -> bytes:
    """Returns the extra field (id, length, alignment, zeros) that aligns the bytes after it if it stands at ``at``."""
    zeros = -(at + 6) % ALIGNMENT
    return struct.pack("<HHH", _PADDING, 2 + zeros, ALIGNMENT) + bytes(zeros)


def _write_array(member: IO[bytes], array: np.ndarray) -> None:
    np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
    flat = array.reshape(-1)
    for start in range(0, len(flat), 1 << 24):
        member.write(flat[start : start + (1 << 24)].tobytes())


def _view(buffer: bytes | mmap.mmap, entry: zipfile.ZipInfo) -> np.ndarray:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    at = entry.header_offset
    name, extra = struct.unpack("<HH", buffer[at + _LOCAL_HEADER - 4 : at + _LOCAL_HEADER])
    at += _LOCAL_HEADER + name + extra
    head = io.BytesIO(buffer[at : at + 12 + LONGEST_HEADER])
    shape, fortran, dtype = read_array_header(head)
    count = math.prod(shape)
    allowed = LABELS if entry.filename.startswith("y_") else LABELS[:1]
    if dtype not in allowed or fortran or head.tell() + count * dtype.itemsize != entry.file_size:
        raise ValueError(f"{entry.filename} is not a whole array of {' or '.join(map(str, allowed))} in C order")
    array = np.frombuffer(buffer, dtype, count, at + head.tell()).reshape(shape)
    array.flags.writeable = False
    return array


class _Window(io.RawIOBase):
    """A seekable file over a buffer that copies only the bytes that are read: the zip's directory and not its arrays."""

    def __init__(self, buffer: bytes | mmap.mmap) -> None:
        self._buffer, self._at = buffer, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._buffer)}[whence]
        if start + offset < 0:
            raise ValueError("a position before the start")
        self._at = start + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = len(self._buffer) if size < 0 else self._at + size
        data = self._buffer[self._at : end]
        self._at += len(data)
        return data
