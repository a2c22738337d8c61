"""The formats of the originals, whole, broken and at random."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from experiment.errors import InvalidInput
from tests.trainer.datasets import factories
from trainer.datasets import parse


def test_idx_is_read_in_any_number_of_dimensions():
    images, _ = factories.made(5, (4, 6))

    np.testing.assert_array_equal(parse.parse_idx(factories.idx(images), 3, "f"), images)
    np.testing.assert_array_equal(parse.parse_idx(factories.idx(images[:, 0, 0]), 1, "f"), images[:, 0, 0])


@pytest.mark.parametrize(
    "damage",
    [lambda d: d[:-1], lambda d: d + b"1", lambda d: d[:9], lambda _: b"", lambda d: b"\1" + d[1:]],
    ids=["short", "long", "header cut", "empty", "magic"],
)
def test_idx_of_another_length_or_magic_number_is_refused(damage):
    with pytest.raises(InvalidInput, match="the file is not what it should be"):
        parse.parse_idx(damage(factories.idx(factories.made(5, (4, 6))[0])), 3, "the file")


def test_idx_with_a_header_of_huge_numbers_takes_no_memory():
    with pytest.raises(InvalidInput, match="holds 0 values; allowed: the 79,228,162,458,924,105,385,300,197,375"):
        parse.parse_idx(bytes((0, 0, 8, 3)) + struct.pack(">3I", *[2**32 - 1] * 3), 3, "f")


def test_cifar_records_hold_label_then_red_green_blue_planes():
    record = bytes([7]) + bytes([1]) * 1024 + bytes([2]) * 1024 + bytes([3]) * 1024

    x, y = parse.parse_cifar_batch(record * 2, "f")

    assert x.shape == (2, 32, 32, 3)
    assert y.tolist() == [7, 7]
    assert x[0, 5, 9].tolist() == [1, 2, 3]


def test_cifar_rows_and_columns_are_not_exchanged():
    x, y = factories.made(3, (32, 32, 3))
    rows = np.concatenate([y[:, None], x.transpose(0, 3, 1, 2).reshape(3, -1)], axis=1).astype(np.uint8)

    np.testing.assert_array_equal(parse.parse_cifar_batch(rows.tobytes(), "f")[0], x)


@pytest.mark.parametrize("length", [0, 1, 3072, 3074])
def test_cifar_of_partial_records_is_refused(length):
    with pytest.raises(InvalidInput, match="a multiple of 3,073"):
        parse.parse_cifar_batch(bytes(length), "f")


def test_a_letter_is_its_grey_values():
    image = factories.made(1, (28, 28))[0][0]

    assert parse.png_pixels(factories.png(image)) == image.tobytes()


def test_a_black_and_white_letter_is_read_as_grey():
    image = np.eye(28, dtype=bool)
    sink = io.BytesIO()
    Image.fromarray(image).save(sink, "PNG")

    assert parse.png_pixels(sink.getvalue()) == (image * 255).astype(np.uint8).tobytes()


def bomb() -> bytes:
    """A PNG whose header claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")


def other(array: np.ndarray, kind: str = "PNG") -> bytes:
    sink = io.BytesIO()
    Image.fromarray(array).save(sink, kind)
    return sink.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        factories.png(np.zeros((28, 28), np.uint8))[:40],
        factories.png(factories.made(1, (28, 28))[0][0])[:-40],
        factories.png(np.zeros((28, 27), np.uint8)),
        other(np.zeros((28, 28, 3), np.uint8)),
        other(np.zeros((28, 28), np.uint8), "BMP"),
        bomb(),
    ],
    ids=["empty", "text", "header only", "truncated", "another size", "colour", "not PNG", "bomb"],
)
def test_what_is_no_letter_is_left_out(data):
    assert parse.png_pixels(data) is None


def test_letters_come_sorted_by_class_and_name_and_corrupt_ones_are_counted():
    images, _ = factories.made(3, (28, 28))
    files = [
        ("n/B/z.png", factories.png(images[0])),
        ("n/B/bad.png", b""),
        ("n/B/a.png", factories.png(images[1])),
        ("n/A/x.png", factories.png(images[2])),
    ]

    x, y, skipped = parse.parse_letters(files)

    np.testing.assert_array_equal(x[..., 0], images[[2, 1, 0]])
    assert y.tolist() == [0, 1, 1]
    assert skipped == 1


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("n/A/x.png", True),
        ("J/x.png", True),
        ("n/K/x.png", False),
        ("n/A/._x.png", False),
        ("n/A/x.txt", False),
        ("x.png", False),
    ],
)
def test_only_png_files_in_folders_a_to_j_are_letters(name, good):
    assert parse.is_letter_file(name) is good


@given(st.binary(max_size=400), st.integers(1, 3))
def test_random_bytes_are_an_array_or_refused(data, dimensions):
    for read in (lambda: parse.parse_idx(data, dimensions, "f"), lambda: parse.parse_cifar_batch(data, "f")):
        reason = ""
        try:
            read()
        except InvalidInput as error:
            reason = str(error)
        assert "\n" not in reason


_LETTER = factories.png(np.arange(784, dtype=np.uint32).reshape(28, 28).astype(np.uint8))


@given(st.lists(st.tuples(st.integers(0, len(_LETTER) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_letter_with_random_damage_is_read_or_left_out(changes):
    data = bytearray(_LETTER)
    for at, value in changes:
        data[at] = value

    assert parse.png_pixels(bytes(data)) is None or len(parse.png_pixels(bytes(data))) == 784
