"""Order and rates as pure functions of seed, epoch and step."""

import numpy as np
import pytest

from experiment.extensions import CHOICES
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


@pytest.mark.parametrize(("epochs", "from_one"), [(30, (15, 23, 28)), (15, (8, 12, 14))])
def test_counted_from_one_the_rate_is_halved_an_epoch_earlier_as_in_the_author_s_records(epochs, from_one):
    for number in range(1, epochs + 1):  # the program calls with the number of the epoch, from 1
        halvings = sum(number >= first for first in from_one)
        assert schedule.learning_rate(1.0, number, epochs) == 0.5**halvings


def test_fixed_batches_are_the_same_in_every_epoch_and_leave_nothing_out():
    first, again = (schedule.epoch_batches(seed, epoch, 10, 4, fixed=True) for seed, epoch in ((0, 0), (5, 3)))
    assert [b.tolist() for b in first] == [[[0, 1, 2, 3], [4, 5, 6, 7]], [[8, 9]]] == [b.tolist() for b in again]
    assert [b.tolist() for b in schedule.epoch_batches(0, 0, 8, 4, fixed=True)] == [[[0, 1, 2, 3], [4, 5, 6, 7]]]
    assert {b.dtype for b in first} == {np.dtype(np.int32)}


def test_batches_that_are_not_fixed_are_the_epoch_s_order():
    (batches,) = schedule.epoch_batches(1, 2, 100, 8, fixed=False)
    np.testing.assert_array_equal(batches, schedule.epoch_order(1, 2, 100, 8))


PLANS = {
    "constant": [2.0, 2.0, 2.0, 2.0],
    "rise": [0.5, 1.0, 1.5, 2.0],
    "fall": [2.0, 1.5, 1.0, 0.5],
    "late": [0.0, 0.0, 2.0, 2.0],
}


@pytest.mark.parametrize("plan", CHOICES["alpha_plan"])
def test_alpha_follows_its_plan(plan):
    assert [schedule.collaboration_weight(2.0, plan, epoch, 4) for epoch in range(4)] == PLANS[plan]
    for epochs in (2, 3, 7, 30):
        weights = [schedule.collaboration_weight(0.3, plan, epoch, epochs) for epoch in range(epochs)]
        assert max(weights) == 0.3
        assert weights == sorted(weights, reverse=plan == "fall")
