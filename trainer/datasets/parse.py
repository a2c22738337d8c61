"""The formats of the original files, read from bytes into arrays. Nothing here opens a file or trusts a header."""

from __future__ import annotations

import io
import math
import re
import struct
import zlib
from collections.abc import Iterable

import numpy as np

from experiment.errors import InvalidInput

LETTERS = "ABCDEFGHIJ"
SIDE = 28  # pixels of a letter's height and width
_LETTER_FILE = re.compile(r"(?:.*/)?(?P<letter>[A-J])/(?P<file>[^/.][^/]*\.png)")  # not hidden files
_CIFAR_RECORD = 1 + 3 * 32 * 32


def parse_idx(data: bytes, dimensions: int, source: str) -> np.ndarray:
    """Returns an array of uint8 from the idx format of MNIST.

    Raises:
        InvalidInput: the magic number or the length is not what it should be.
    """
    head = 4 + 4 * dimensions
    if len(data) < head or data[:4] != bytes((0, 0, 8, dimensions)):
        raise _not(source, f"it begins with {data[:4].hex()}", f"an idx file of uint8 in {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", data[4:head])
    expected = math.prod(shape)
    if len(data) - head != expected:
        raise _not(source, f"it holds {len(data) - head:,} values", f"the {expected:,} that its header says")
    try:
        return np.frombuffer(data, np.uint8, offset=head).reshape(shape)
    except ValueError as error:  # one number is 0, and the product of the others is beyond an array's
        raise _not(source, f"its header says {shape}", "a shape that an array can have") from error


def parse_cifar_batch(data: bytes, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns (images (N, 32, 32, 3), labels (N,)) of one batch of CIFAR-10's binary version.

    Raises:
        InvalidInput: it does not consist of whole records.
    """
    if not data or len(data) % _CIFAR_RECORD:
        raise _not(source, f"it has {len(data):,} bytes", f"a multiple of {_CIFAR_RECORD:,}")
    records = np.frombuffer(data, np.uint8).reshape(-1, _CIFAR_RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0]


def is_letter_file(name: str) -> bool:
    """Returns whether a member of a notMNIST archive is an image: a PNG in a folder A to J."""
    return _LETTER_FILE.fullmatch(name) is not None


def parse_letters(files: Iterable[tuple[str, bytes]]) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns (images (N, 28, 28, 1), labels (N,), number of corrupt files left out) of notMNIST's PNG files.

    They are ordered by letter and file name, whatever the order of the archive.
    """
    names: list[list[str]] = [[] for _ in LETTERS]
    pixels = [bytearray() for _ in LETTERS]
    skipped = 0
    for path, data in files:
        match = _LETTER_FILE.fullmatch(path)
        image = png_pixels(data)
        if match is None or image is None:
            skipped += 1
            continue
        label = LETTERS.index(match["letter"])
        names[label].append(match["file"])
        pixels[label] += image
    counts = [len(n) for n in names]
    x = np.empty((sum(counts), SIDE, SIDE, 1), np.uint8)
    end = 0
    for label, count in enumerate(counts):
        ordered = sorted(range(count), key=names[label].__getitem__)
        x[end : end + count] = np.frombuffer(pixels[label], np.uint8).reshape(-1, SIDE, SIDE, 1)[ordered]
        pixels[label] = bytearray()  # frees half a gigabyte in all
        end += count
    return x, np.repeat(np.arange(len(LETTERS), dtype=np.uint8), counts), skipped


def png_pixels(data: bytes) -> bytes | None:
    """Returns the 28 x 28 grey values of a PNG file, row by row; None if it is corrupt, of another size or in colour."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[16:24] != struct.pack(">II", SIDE, SIDE):
        return None  # without decoding it: the size betrays a decompression bomb
    from PIL import Image  # only notMNIST needs it

    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.size != (SIDE, SIDE) or image.mode not in ("L", "1"):
                return None
            return image.convert("L").tobytes()
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError):
        return None


def _not(source: str, given: str, allowed: str) -> InvalidInput:
    return InvalidInput(f"{source} is not what it should be: {given}; allowed: {allowed}; get the original file")
