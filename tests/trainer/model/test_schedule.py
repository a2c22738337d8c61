"""Order and rates as pure functions of seed, epoch and step."""

import numpy as np
import pytest

from trainer.model import schedule


def test_an_epoch_order_is_a_function_of_seed_and_epoch():
    first = schedule.epoch_order(3, 5, 1000, 64)
    np.testing.assert_array_equal(first, schedule.epoch_order(3, 5, 1000, 64))
    assert (first != schedule.epoch_order(3, 6, 1000, 64)).any()
    assert (first != schedule.epoch_order(4, 5, 1000, 64)).any()


def test_the_order_never_changes_between_versions():
    """A change here changes every result: raise NUMERICS with it."""
    assert schedule.epoch_order(0, 0, 10, 4).tolist() == GOLDEN


GOLDEN = [[5, 9, 6, 0], [3, 2, 1, 8]]


def test_an_epoch_uses_each_example_at_most_once_and_leaves_out_the_last_short_batch():
    order = schedule.epoch_order(0, 0, 1000, 64)
    assert order.shape == (15, 64)
    assert len(np.unique(order)) == order.size
    left = [set(range(1000)) - set(schedule.epoch_order(0, e, 1000, 64).ravel().tolist()) for e in range(2)]
    assert left[0] != left[1]


def test_weights_and_order_come_from_different_streams():
    a, b = (schedule.random_generator(s, 0, 0).integers(0, 2**31, 8) for s in (schedule.WEIGHTS, schedule.ORDER))
    assert (a != b).any()


@pytest.mark.parametrize(
    ("epochs", "halvings"),
    [(30, {0: 0, 14: 0, 15: 1, 22: 1, 23: 2, 27: 2, 28: 3, 29: 3}), (15, {7: 0, 8: 1, 11: 1, 12: 2, 13: 2, 14: 3})],
)
def test_the_rate_is_halved_as_the_paper_says(epochs, halvings):
    for epoch, count in halvings.items():
        assert schedule.learning_rate(2.0**-10, epoch, epochs) == 2.0 ** (-10 - count)
