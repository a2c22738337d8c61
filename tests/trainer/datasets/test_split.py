"""The fixed split."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from tests.trainer.datasets import factories
from trainer.datasets.split import Original, fixed_order, split_examples

GOLDEN_ORDER = [3, 5, 1, 7, 2, 0, 6, 4]
GOLDEN_SHA = "6810096967ea42ce9c20ee5b6278949d7be026b0b50b9cb4a4a08326222e6c09"


def original(train=(30, 0), test=(10, 1), shape=(28, 28, 1)):
    (a, b), (c, d) = factories.made(train[0], shape, train[1]), factories.made(test[0], shape, test[1])
    return Original(x_train=a, y_train=b, x_test=c, y_test=d, files=())


def test_the_shuffle_is_the_same_for_ever():
    """Golden: were it to change, every store would hold another data set under the same name."""
    assert fixed_order(8, 0).tolist() == GOLDEN_ORDER
    assert hashlib.sha256(fixed_order(70_000, 0).astype("<i8").tobytes()).hexdigest() == GOLDEN_SHA


def test_a_shuffle_holds_each_index_once():
    assert sorted(fixed_order(1000, 3)) == list(range(1000))


def test_pooled_sets_are_shuffled_once_and_lose_nothing():
    given = original()

    parts = split_examples("mnist", DATASETS["mnist"], given, any_count=True)

    together = np.concatenate([parts["x_train"], parts["x_test"]])
    before = np.concatenate([given.x_train, given.x_test])
    assert sorted(i.tobytes() for i in together) == sorted(i.tobytes() for i in before)
    assert len(parts["y_train"]) == 30
    label = {i.tobytes(): y for i, y in zip(before, np.concatenate([given.y_train, given.y_test]), strict=True)}
    for part in ("train", "test"):
        assert [label[i.tobytes()] for i in parts[f"x_{part}"]] == parts[f"y_{part}"].tolist()
    assert {i.tobytes() for i in parts["x_test"]} != {i.tobytes() for i in given.x_test}


def test_pooled_sets_of_another_count_are_refused_with_the_way_out():
    with pytest.raises(
        InvalidInput, match=r"mnist has 40 examples in all; allowed: 70,000; .*DATASET_MNIST_COUNTS=any"
    ):
        split_examples("mnist", DATASETS["mnist"], original())


def test_sets_kept_apart_have_as_many_of_each_class_and_their_own_test_set():
    given = original(train=(95, 0), test=(17, 1))

    parts = split_examples("notmnist", DATASETS["notmnist"], given, any_count=True)

    assert np.bincount(parts["y_train"]).tolist() == [9] * 10
    assert sorted(i.tobytes() for i in parts["x_test"]) == sorted(i.tobytes() for i in given.x_test)
    assert {i.tobytes() for i in parts["x_train"]} < {i.tobytes() for i in given.x_train}
    assert parts["y_train"][:10].tolist() != sorted(parts["y_train"][:10]), (
        "classes are mixed: the first n are a fair sample"
    )


def test_too_few_of_a_class_or_another_test_set_are_refused(monkeypatch):
    small = DATASETS["notmnist"].__class__(shape=(28, 28, 1), train=90, test=18, pooled=False, title="", balanced=True)
    monkeypatch.setitem(DATASETS, "notmnist", small)

    with pytest.raises(InvalidInput, match=r"8 training examples of class 5; allowed: 9"):
        split_examples("notmnist", DATASETS["notmnist"], original(train=(85, 0), test=(18, 1)))
    with pytest.raises(InvalidInput, match=r"17 test examples; allowed: 18"):
        split_examples("notmnist", DATASETS["notmnist"], original(train=(95, 0), test=(17, 1)))
    assert len(split_examples("notmnist", DATASETS["notmnist"], original(train=(95, 0), test=(18, 1)))["y_train"]) == 90


def test_another_shape_is_refused():
    with pytest.raises(InvalidInput, match=r"train images of mnist have shape \(30, 28, 27, 1\)"):
        split_examples("mnist", DATASETS["mnist"], original(shape=(28, 27, 1)), any_count=True)


def test_a_label_beyond_the_classes_is_refused():
    given = original()
    given.y_test[3] = 10

    with pytest.raises(InvalidInput, match="a test label of mnist is 10; allowed: 0 to 9"):
        split_examples("mnist", DATASETS["mnist"], given, any_count=True)


def test_an_empty_part_is_refused():
    with pytest.raises(InvalidInput, match="empty"):
        split_examples("notmnist", DATASETS["notmnist"], original(train=(9, 0)), any_count=True)
