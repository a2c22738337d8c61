"""The prepared file: an .npz of four uint8 arrays, whose bytes are a function of the data alone.

It is not compressed, so that an array is a slice of the file and the workers of a machine share its pages. The arrays are
aligned, so that TensorFlow can use them where they lie.
"""

from __future__ import annotations

import io
import lzma
import math
import mmap
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO

import numpy as np

from experiment.errors import InvalidInput
from trainer.model.types import ALIGNMENT

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
# The errors of zipfile and its decompressors about files that are damaged, encrypted or of an unknown kind.
_DECOMPRESSION = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
UNREADABLE = (*_DECOMPRESSION, struct.error, ValueError, LookupError, OSError, RuntimeError, OverflowError)
_PADDING = 0xD935  # the id of the extra field that aligns a zip entry
_LOCAL_HEADER = 30  # bytes of a zip entry before its name; the last four are the lengths of name and extra field
# Matched rather than evaluated: NumPy's parser calls Python's, which fails in many ways on damaged text.
_NPY_HEADER = re.compile(
    rb"\{'descr': '(?P<descr>[<>|=]?[a-zA-Z]\d{0,4})', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>[\dL, ]*)\),? ?\}\s*"
)
_LONGEST_HEADER = 4096
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold, in place of the time of writing


def encode_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Returns the four arrays as the bytes of one .npz file, which depend on nothing but the arrays."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name in ARRAYS:
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            entry.create_system = 3  # Unix, whatever the system that writes it
            entry.extra = _padding(sink.tell() + _LOCAL_HEADER + len(entry.filename))
            with archive.open(entry, "w") as member:
                _write_array(member, np.ascontiguousarray(arrays[name], np.uint8))
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


def read_array_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Returns (shape, Fortran order, dtype) of an .npy stream and leaves the stream at the first item.

    Raises:
        ValueError: it is not the header of an array of plain numbers. An array of Python objects would run code when read.
    """
    magic, major = member.read(6), member.read(2)[:1]
    width = {b"\1": 2, b"\2": 4, b"\3": 4}.get(major)
    if magic != b"\x93NUMPY" or width is None:
        raise ValueError("an array does not begin as .npy does")
    size = int.from_bytes(member.read(width), "little")
    match = _NPY_HEADER.fullmatch(member.read(min(size, _LONGEST_HEADER)))
    if not match:
        raise ValueError("an array has an unusual header")
    if b"O" in match["descr"]:
        raise ValueError("an array is of pickled objects, which is never read")
    shape = tuple(int(n) for n in re.findall(rb"\d+", match["shape"]))
    try:
        return shape, match["fortran"] == b"True", np.dtype(match["descr"].decode())
    except TypeError as error:
        raise ValueError(f"an array is of unknown type {match['descr']!r}") from error


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
    head = io.BytesIO(buffer[at : at + 12 + _LONGEST_HEADER])
    shape, fortran, dtype = read_array_header(head)
    size = math.prod(shape)
    if dtype != np.uint8 or fortran or head.tell() + size != entry.file_size:
        raise ValueError(f"{entry.filename} is not a whole array of uint8 in C order")
    array = np.frombuffer(buffer, np.uint8, size, at + head.tell()).reshape(shape)
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
