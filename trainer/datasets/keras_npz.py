"""Users' .npz files in the layout of Keras' mnist.npz, read without trust: no pickles, and nothing above its limit."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from experiment.datasets import DatasetInfo
from experiment.errors import InvalidInput
from trainer.datasets.npy_header import read_array_header
from trainer.datasets.npz import ARRAYS, LABELS, UNREADABLE, label_type

MOST = 4 << 30  # bytes of one array; the largest data set takes 0.4 GiB
HEADER = 8 << 10  # bytes of an array before its first item


def read_keras_npz(info: DatasetInfo, path: Path) -> dict[str, np.ndarray]:
    """Returns x_train, y_train, x_test, y_test: images (N, H, W, C) uint8 and labels (N,), uint8 or as many as need it uint16.

    The file may have images with the channels first, or without a single channel, and labels (N, 1).

    Raises:
        InvalidInput: the layout, kind of number or range is another; an array is pickled, or larger than ``MOST``.
    """
    shape, kind = info.shape, label_type(info.classes)
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {part: read_array(archive, part, LABELS[0] if part[0] == "x" else kind) for part in ARRAYS}
            arranged = {part: (_images if part[0] == "x" else _labels)(part, a, shape) for part, a in arrays.items()}
    except UNREADABLE as error:
        height, width, channels = shape
        images = f"(N, {height}, {width}, {channels}), (N, {channels}, {height}, {width})"
        images += f" or (N, {height}, {width})" * (channels == 1)
        labels = f"labels (N,) or (N, 1) from 0 to {info.classes - 1}"
        allowed = f"arrays {', '.join(ARRAYS)} of whole numbers, images {images} from 0 to 255, {labels}"
        raise InvalidInput(f"{path} is not a usable .npz ({error}); allowed: {allowed}; correct it") from error
    return arranged


def _images(part: str, array: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    height, width, channels = shape
    if array.shape[1:] == shape:
        return array
    if array.shape[1:] == (channels, height, width):  # as Keras itself gives them where keras.json asks for it
        return array.transpose(0, 2, 3, 1)
    if channels == 1 and array.shape[1:] == (height, width):
        return array[..., None]
    raise ValueError(f"{part} has shape {array.shape}")


def _labels(part: str, array: np.ndarray, _: tuple[int, int, int]) -> np.ndarray:
    if array.ndim == 1 or array.shape[1:] == (1,):  # the latter in Keras' cifar10
        return array.reshape(-1)
    raise ValueError(f"{part} has shape {array.shape}")


def read_array(archive: zipfile.ZipFile, part: str, kind: np.dtype) -> np.ndarray:
    """Returns one array of an archive, of numbers that fit into ``kind``.

    Raises:
        ValueError: it is of other numbers, too large, or not whole.
        KeyError: there is none of that name.
    """
    entry = archive.getinfo(f"{part}.npy" if f"{part}.npy" in archive.namelist() else part)
    if entry.file_size > MOST:
        raise ValueError(f"{part} would take {entry.file_size:,} bytes, more than {MOST:,}")
    with archive.open(entry) as member:
        shape, fortran, dtype = read_array_header(member)
        if dtype.kind not in "iu":
            raise ValueError(f"{part} is of {dtype}")
        size = math.prod(shape) * dtype.itemsize
        # The header may lie: memory is reserved for the bytes of the entry, never for those that the header claims.
        if not 0 <= entry.file_size - size <= HEADER:
            raise ValueError(f"{part} claims {size:,} bytes and holds {entry.file_size:,}")
        data = member.read(size)
    if len(data) != size:
        raise ValueError(f"{part} ends early")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    if array.size and (array.min() < 0 or array.max() > np.iinfo(kind).max):
        raise ValueError(f"{part} has values from {array.min()} to {array.max()}")
    return array.astype(kind, copy=False)
