"""The prepared file: an uncompressed .npz of four uint8 arrays, the same bytes for the same data, readable in place.

Stored and not deflated, so that an array is a slice of the file and the workers of a machine share its pages; and aligned,
so that TensorFlow can take it as it lies there.
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
# What zipfile and its decompressors raise on files that are damaged, encrypted or of a kind it does not know.
UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ValueError, KeyError, IndexError,
              EOFError, OSError, RuntimeError, OverflowError)  # fmt: skip
_PADDING = 0xD935  # the id of the extra field that aligns a zip entry
_LOCAL_HEADER = 30  # bytes of a zip entry before its name; the lengths of name and extra field are the last four
# Matched and not evaluated: NumPy's own parser goes through Python's, which fails in many ways on damaged text.
_NPY_HEADER = re.compile(
    rb"\{'descr': '(?P<descr>[<>|=]?[a-zA-Z]\d{0,4})', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>[\dL, ]*)\),? ?\}\s*"
)
_LONGEST_HEADER = 4096
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can carry: no clock in the bytes


def encode(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The four arrays of ``ARRAYS`` as the bytes of one .npz file: a pure function of their content."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name in ARRAYS:
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            entry.create_system = 3  # else the file would depend on the system it was made on
            entry.extra = _padding(sink.tell() + _LOCAL_HEADER + len(entry.filename))
            with archive.open(entry, "w") as member:
                _write_array(member, np.ascontiguousarray(arrays[name], np.uint8))
    return sink.getvalue()


def decode(buffer: bytes | mmap.mmap, source: str) -> dict[str, np.ndarray]:
    """Read-only views of the four arrays of a prepared file; nothing is copied. ``source`` names it in errors.

    Raises:
        InvalidInput: not a file that ``encode`` wrote.
    """
    try:
        with zipfile.ZipFile(_Window(buffer)) as archive:
            entries = {e.filename: e for e in archive.infolist()}
        return {name: _view(buffer, entries[f"{name}.npy"]) for name in ARRAYS}
    except UNREADABLE as error:
        raise InvalidInput(f"{source} is not a prepared data set ({error}); remove it and prepare it again") from error


def array_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, Fortran order, dtype) of an .npy stream, which then stands at the first item.

    Raises:
        ValueError: not the header of an array of plain numbers; one of Python objects, whose reading would run code.
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
    """The extra field that moves what follows ``at`` to the next aligned place: id, length, the alignment, zeros."""
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
    shape, fortran, dtype = array_header(head)
    size = math.prod(shape)
    if dtype != np.uint8 or fortran or head.tell() + size != entry.file_size:
        raise ValueError(f"{entry.filename} is not a whole array of uint8 in C order")
    array = np.frombuffer(buffer, np.uint8, size, at + head.tell()).reshape(shape)
    array.flags.writeable = False
    return array


class _Window(io.RawIOBase):
    """A seekable file over a buffer that copies only what is read: the zip's directory, not its arrays."""

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
