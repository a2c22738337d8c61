"""The header of an .npy array as any writer may make it: any order of fields, quotes, blanks and alignment.

It is matched piece by piece and never evaluated: NumPy's parser calls Python's, which fails in many ways on damaged text.
"""

from __future__ import annotations

import re
from typing import IO

import numpy as np

LONGEST_HEADER = 4096
_LENGTH_BYTES = {b"\1": 2, b"\2": 4, b"\3": 4}  # by major version
_STRING = rb"""'[^']*'|"[^"]*\""""
_FIELD = re.compile(rb"\s*(?P<name>%s)\s*:\s*(?P<value>%s|True|False|\([^()]*\))\s*(?P<end>[,}])" % (_STRING, _STRING))
_DTYPE = re.compile(rb"[<>|=]?[A-Za-z]+\d{0,4}")
_SHAPE = re.compile(rb"\((\s*\d+L?\s*,)*(\s*\d+L?)?\s*\)")


def read_array_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Returns (shape, Fortran order, dtype) of an .npy stream and leaves the stream at the first item.

    Raises:
        ValueError: it is not the header of an array of plain numbers. An array of Python objects would run code when read.
    """
    magic, major = member.read(6), member.read(2)[:1]
    width = _LENGTH_BYTES.get(major)
    if magic != b"\x93NUMPY" or width is None:
        raise ValueError("an array does not begin as .npy does")
    size = int.from_bytes(member.read(width), "little")
    fields = _split_fields(member.read(min(size, LONGEST_HEADER)))
    if set(fields) != {b"descr", b"fortran_order", b"shape"}:
        raise ValueError("an array has an unusual header")
    order, shape = fields[b"fortran_order"], fields[b"shape"]
    if order not in (b"True", b"False") or not _SHAPE.fullmatch(shape):
        raise ValueError("an array has an unusual header")
    return tuple(int(n) for n in re.findall(rb"\d+", shape)), order == b"True", _dtype(fields[b"descr"][1:-1])


def _split_fields(text: bytes) -> dict[bytes, bytes]:
    """Returns the values of a header's fields as they are written; none if it is not a dictionary of such fields."""
    opening = re.match(rb"\s*\{", text)
    fields: dict[bytes, bytes] = {}
    at = opening.end() if opening else len(text)
    while field := _FIELD.match(text, at):
        fields[field["name"][1:-1]] = field["value"]
        at = field.end()
        if field["end"] == b"}" or re.match(rb"\s*\}", text[at:]):
            return fields if re.fullmatch(rb"\s*\}?[\s\0]*", text[at:]) else {}
    return {}


def _dtype(written: bytes) -> np.dtype:
    try:
        dtype = np.dtype(written.decode()) if _DTYPE.fullmatch(written) else None
    except (TypeError, DeprecationWarning):
        dtype = None
    if dtype is None:
        raise ValueError(f"an array is of unknown type {written!r}")
    if dtype.hasobject:
        raise ValueError("an array is of pickled objects, which is never read")
    return dtype
