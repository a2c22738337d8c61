"""Images are read only of files that are what their manifest says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from aggregator.reading.images import read_images
from experiment import keys
from experiment.errors import InvalidInput, NotFound
from tests.aggregator import factories


def test_a_whole_data_set_is_read(store):
    factories.prepare_digits(store)

    assert read_images(store, "digits").x.shape == (100, 8, 8, 1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"digest": "0" * 64}, "does not have the sha256"),
        ({"x_train": np.zeros((60, 8, 8, 1))}, "holds images of shape"),
        ({"y_train": np.zeros(3, np.uint8)}, "holds images of shape"),
        ({"x_train": np.array([{"a": 1}])}, "is not a prepared data set"),
    ],
)
def test_what_is_not_whole_is_refused(store, given, words):
    factories.prepare_digits(store, **given)

    with pytest.raises(InvalidInput, match=words):
        read_images(store, "digits")


def test_a_manifest_that_was_changed_is_refused(store):
    factories.prepare_digits(store)
    key = keys.dataset_manifest("digits")
    store.put(key, json.dumps({**json.loads(store.read(key)), "skipped": 7}).encode())

    with pytest.raises(InvalidInput, match="is damaged"):
        read_images(store, "digits")


def test_a_store_without_the_data_set_says_so(store):
    with pytest.raises(NotFound, match="holds no prepared data set digits"):
        read_images(store, "digits")
