"""A tiny data set and tiny cells, real steps in milliseconds, on the device as a trainer sets it up."""

import dataclasses

import numpy as np
import pytest

from experiment.cell import Cell
from experiment.members import Member
from trainer.model.device import prepare_device
from trainer.model.types import Dataset

SMALL = (Member(name="A", bricks=2, blocks=1, filters=3), Member(name="B", bricks=2, blocks=1, filters=4))


@pytest.fixture(scope="session")
def tiny():
    """160 training and 90 test images, 8x8: the class shows as a bright row."""
    rng = np.random.default_rng(0)

    def images(count):
        labels = rng.integers(0, 8, count).astype(np.uint8)
        pictures = rng.integers(0, 60, (count, 8, 8, 1)).astype(np.uint8)
        pictures[np.arange(count), labels] += 150
        return pictures, labels

    (x_train, y_train), (x_test, y_test) = images(160), images(90)
    return Dataset(name="digits", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, sha256="0" * 64)


def tiny_cell(**fields):
    """A cell of two tiny members, with the fields that are given."""
    base = Cell(
        dataset="digits",
        method="l2",
        alpha=0.01,
        members=SMALL,
        epochs=3,
        batch_size=32,
        train_examples=160,
        test_examples=90,
    )
    return dataclasses.replace(base, **fields)


@pytest.fixture
def make_cell():
    """Makes cells of two tiny members."""
    return tiny_cell


@pytest.fixture(scope="session", autouse=True)
def device_of_a_trainer():
    """The device as a trainer sets it up: with deterministic operations, without which nothing promises the same bits."""
    prepare_device()
