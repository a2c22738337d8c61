"""The device's tensors of a data set: the data's own memory where that may be, a copy elsewhere."""

import mmap

import numpy as np
import pytest

from trainer import device
from trainer.datasets.npz import ALIGNMENT


def at(offset):
    """Ten numbers of a private mapping, which begins at a page."""
    mapped = mmap.mmap(-1, 4096)
    mapped[offset : offset + 10] = bytes(range(10))
    return np.frombuffer(mapped, np.uint8, 10, offset)


def test_an_aligned_array_is_shared_though_it_is_marked_read_only():
    memory = at(ALIGNMENT)
    array = memory[:]
    array.flags.writeable = False
    tensor = device.resident(array)
    memory[3] = 77
    assert tensor.numpy().tolist() == [0, 1, 2, 77, 4, 5, 6, 7, 8, 9]
    assert not array.flags.writeable


@pytest.mark.parametrize("array", [at(ALIGNMENT + 1), at(0)[::2], np.frombuffer(bytes(range(10)), np.uint8)],
                         ids=["elsewhere", "strided", "bytes"])  # fmt: skip
def test_any_other_array_is_copied(array):
    assert device.resident(array).numpy().tolist() == array.tolist()


def test_the_data_outlive_the_array():
    tensor = device.resident(at(0))
    assert tensor.numpy().tolist() == list(range(10))
