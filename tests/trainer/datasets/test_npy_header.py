"""Headers of arrays as NumPy and other writers make them, and damaged ones."""

from __future__ import annotations

import contextlib
import io
import itertools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.datasets.npy_header import read_array_header

SHAPE, DTYPE = (7, 8, 8), np.dtype("<i8")


def stream(header: str, version: int = 1) -> io.BytesIO:
    text = header.encode()
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return io.BytesIO(b"\x93NUMPY" + bytes((version, 0)) + length + text + b"items")


def read(header: str, version: int = 1):
    member = stream(header, version)
    found = read_array_header(member)
    assert member.read() == b"items"
    return found


OTHERS = {
    "NumPy": "{'descr': '<i8', 'fortran_order': False, 'shape': (7, 8, 8), }          \n",
    "no blanks": "{'descr':'<i8','fortran_order':False,'shape':(7,8,8)}",
    "another order": "{'shape': (7, 8, 8), 'fortran_order': False, 'descr': '<i8'}\n",
    "double quotes": '{"descr": "<i8", "fortran_order": False, "shape": (7, 8, 8)}\n',
    "Python 2": "{'descr': '<i8', 'fortran_order': False, 'shape': (7L, 8L, 8L)}\n",
    "a name of a type": "{'descr': 'int64', 'fortran_order': False, 'shape': (7, 8, 8)}\n",
    "blanks everywhere": "{ 'descr' : '<i8' , 'fortran_order' : False , 'shape' : ( 7 , 8 , 8 , ) , } \n",
    "filled with zeros": "{'descr': '<i8', 'fortran_order': False, 'shape': (7, 8, 8), }\0\0\0",
}


@pytest.mark.parametrize("header", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_header_is_read_whoever_wrote_it(header, version):
    assert read(header, version) == (SHAPE, False, DTYPE)


@given(
    order=st.permutations(["descr", "fortran_order", "shape"]),
    blanks=st.lists(st.sampled_from(["", " ", "  ", "\n", "\t"]), min_size=16, max_size=16),
    quote=st.sampled_from("'\""),
    shape=st.lists(st.integers(0, 10**9), max_size=5).map(tuple),
    fortran=st.booleans(),
    dtype=st.sampled_from(["|u1", "<u2", ">i4", "=i8", "u1", "<f4", "|b1"]),
    comma=st.booleans(),
)
def test_any_order_blanks_and_quotes_mean_the_same(order, blanks, quote, shape, fortran, dtype, comma):
    values = {"descr": f"{quote}{dtype}{quote}", "fortran_order": str(fortran), "shape": str(shape)}
    gap = itertools.chain(blanks, itertools.repeat("")).__next__
    fields = ",".join(f"{gap()}{quote}{name}{quote}{gap()}:{gap()}{values[name]}{gap()}" for name in order)

    assert read(f"{{{fields}{',' * comma}{gap()}}}{gap()}") == (shape, fortran, np.dtype(dtype))


@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (0,)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_writes_is_read(shape, order):
    sink = io.BytesIO()
    np.save(sink, np.zeros(shape, ">u2", order=order))
    sink.seek(0)

    assert read_array_header(sink) == (shape, order == "F" and len(shape) > 1, np.dtype(">u2"))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", "pickled objects, which is never read"),
        ("{'descr': '|Q9', 'fortran_order': False, 'shape': (3,)}", "unknown type"),
        ("{'descr': '', 'fortran_order': False, 'shape': (3,)}", "unknown type"),
        ("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (3,)}", "unusual header"),
        ("{'descr': '|u1', 'fortran_order': 0, 'shape': (3,)}", "unusual header"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (-3,)}", "unusual header"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (3 4)}", "unusual header"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), 'more': 'x'}", "unusual header"),
        ("{'descr': '|u1', 'fortran_order': False}", "unusual header"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (3,)} or exit()", "unusual header"),
        ("__import__('os').abort()", "unusual header"),
        ("", "unusual header"),
    ],
)
def test_any_other_header_is_refused(header, reason):
    with pytest.raises(ValueError, match=reason):
        read(header)


@given(at=st.integers(0, 200), value=st.integers(0, 255))
def test_a_damaged_header_is_read_or_refused(at, value):
    data = bytearray(stream(OTHERS["NumPy"]).getvalue())
    data[at % len(data)] = value

    with contextlib.suppress(ValueError):
        shape, fortran, dtype = read_array_header(io.BytesIO(bytes(data)))
        assert all(n >= 0 for n in shape)
        assert isinstance(fortran, bool)
        assert isinstance(dtype, np.dtype)
