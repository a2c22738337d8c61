"""Users' .npz files in the layout of Keras' mnist.npz, read without trust: no pickles, and nothing above its limit."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from trainer.datasets.npz import ARRAYS, UNREADABLE, read_array_header

MOST = 4 << 30  # bytes of one array; the largest data set takes 0.4 GiB
HEADER = 8 << 10  # bytes of an array before its first item


def read_keras_npz(name: str, path: Path) -> dict[str, np.ndarray]:
    """Returns x_train, y_train, x_test, y_test as uint8 arrays, images (N, H, W, C); the file may leave out a C of 1.

    Raises:
        InvalidInput: the layout, kind of number or range is another; an array is pickled, or larger than ``MOST``.
    """
    shape = DATASETS[name].shape
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {part: _array(archive, part) for part in ARRAYS}
    except UNREADABLE as error:
        allowed = (
            f"arrays {', '.join(ARRAYS)} of whole numbers from 0 to 255, "
            "images (N, height, width) or (N, height, width, channels)"
        )
        raise InvalidInput(f"{path} is not a usable .npz ({error}); allowed: {allowed}; correct it") from error
    for part in ("x_train", "x_test"):
        if shape[2] == 1 and arrays[part].shape[1:] == shape[:2]:
            arrays[part] = arrays[part][..., None]
    return arrays


def _array(archive: zipfile.ZipFile, part: str) -> np.ndarray:
    entry = archive.getinfo(f"{part}.npy")
    if entry.file_size > MOST:
        raise ValueError(f"{part} would take {entry.file_size:,} bytes, more than {MOST:,}")
    with archive.open(entry) as member:
        shape, fortran, dtype = read_array_header(member)
        if dtype.kind not in "iu" or fortran:
            raise ValueError(f"{part} is of {dtype}{' in Fortran order' if fortran else ''}")
        size = math.prod(shape) * dtype.itemsize
        # The header may lie: memory is taken for the bytes that the entry holds, never for those that the header claims.
        if not 0 <= entry.file_size - size <= HEADER:
            raise ValueError(f"{part} claims {size:,} bytes and holds {entry.file_size:,}")
        data = member.read(size)
    if len(data) != size:
        raise ValueError(f"{part} ends early")
    array = np.frombuffer(data, dtype).reshape(shape)
    if array.size and (array.min() < 0 or array.max() > 255):
        raise ValueError(f"{part} has values from {array.min()} to {array.max()}")
    return array.astype(np.uint8, copy=False)
