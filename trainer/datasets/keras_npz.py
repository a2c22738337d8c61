"""Others' .npz files in the layout of Keras' mnist.npz, read without trust: no pickle, nothing larger than it may be."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from trainer.datasets.npz import ARRAYS, UNREADABLE, array_header

MOST = 4 << 30  # bytes of one array; the largest data set has 0.4 GiB
HEADER = 8 << 10  # bytes of an array before its first item


def read_npz(name: str, path: Path) -> dict[str, np.ndarray]:
    """x_train, y_train, x_test, y_test as uint8 arrays, images (N, H, W, C); a file of one channel may leave the C out.

    Raises:
        InvalidInput: another layout, kind of number or range; an array of pickled objects; a size beyond ``MOST``.
    """
    shape = DATASETS[name].shape
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {part: _array(archive, part) for part in ARRAYS}
    except UNREADABLE as error:
        raise InvalidInput(f"{path} is not a usable .npz ({error}); allowed: arrays {', '.join(ARRAYS)} of whole numbers "
                           "from 0 to 255, images (N, height, width) or (N, height, width, channels); correct it") from error  # fmt: skip
    return {part: a.reshape(len(a), *shape) if part[0] == "x" and a.shape[1:] == shape[:2] and shape[2] == 1 else a
            for part, a in arrays.items()}  # fmt: skip


def _array(archive: zipfile.ZipFile, part: str) -> np.ndarray:
    entry = archive.getinfo(f"{part}.npy")
    if entry.file_size > MOST:
        raise ValueError(f"{part} would take {entry.file_size:,} bytes, more than {MOST:,}")
    with archive.open(entry) as member:
        shape, fortran, dtype = array_header(member)
        if dtype.kind not in "iu" or fortran:
            raise ValueError(f"{part} is of {dtype}{' in Fortran order' if fortran else ''}")
        size = math.prod(shape) * dtype.itemsize
        # The shape is only a claim: memory is taken for what the entry holds, never for what it says.
        if not 0 <= entry.file_size - size <= HEADER:
            raise ValueError(f"{part} says {size:,} bytes and holds {entry.file_size:,}")
        data = member.read(size)
    if len(data) != size:
        raise ValueError(f"{part} ends early")
    array = np.frombuffer(data, dtype).reshape(shape)
    if array.size and (array.min() < 0 or array.max() > 255):
        raise ValueError(f"{part} has values from {array.min()} to {array.max()}")
    return array.astype(np.uint8, copy=False)
