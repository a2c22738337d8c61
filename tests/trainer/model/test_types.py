"""The values that training takes and gives."""

import numpy as np
import pytest

from experiment.errors import InvalidInput
from trainer.model.types import figure_columns


def test_the_first_examples_are_the_beginning_of_the_split(tiny):
    part = tiny.first(train=7)

    np.testing.assert_array_equal(part.x_train, tiny.x_train[:7])
    assert (len(part.y_train), len(part.y_test)) == (7, 90)
    assert (part.name, part.sha256) == (tiny.name, tiny.sha256)


def test_more_examples_than_there_are_is_refused(tiny):
    with pytest.raises(InvalidInput, match=r"test_examples of digits is 91; allowed: 0 \(all\) to 90"):
        tiny.first(test=91)


def test_figures_become_one_row_per_epoch_and_model():
    figures = [[{"test_error": 0.5}, {"test_error": 0.4}], [{"test_error": 0.3}, {"test_error": 0.2}]]

    assert figure_columns(figures, ("A", "Ens")) == {
        "model": ["A", "Ens", "A", "Ens"],
        "epoch": [1, 1, 2, 2],
        "test_error": [0.5, 0.4, 0.3, 0.2],
    }


def test_the_last_training_examples_are_held_out(tiny):
    kept, images, labels = tiny.hold_out(30)
    np.testing.assert_array_equal(np.concatenate([kept.x_train, images]), tiny.x_train)
    np.testing.assert_array_equal(np.concatenate([kept.y_train, labels]), tiny.y_train)
    assert (len(labels), kept.sha256) == (30, tiny.sha256)
    np.testing.assert_array_equal(tiny.hold_out(0)[0].y_train, tiny.y_train)
    assert len(tiny.hold_out(0)[2]) == 0


def test_something_must_be_left_to_train_on(tiny):
    with pytest.raises(InvalidInput, match="validation_examples of digits is 160; allowed: 0 to 159"):
        tiny.hold_out(160)
