"""Objects are read in parallel, in order, and a failure of one reaches the caller."""

from __future__ import annotations

import threading

import pytest

from experiment.errors import InvalidInput
from experiment.parallel import MOST_IN_BATCH, map_batches, map_parallel


@pytest.mark.parametrize("count", [0, 1, 7, 1000])
def test_results_come_in_the_order_of_the_items(count, store):
    assert map_parallel(store, lambda item: item * 2, range(count)) == [2 * i for i in range(count)]


@pytest.mark.parametrize("count", [0, 1, 7, 1000])
def test_batches_hold_every_item_once_and_are_bounded(count, local_store):
    batches = map_batches(local_store, list, range(count))

    assert [item for batch in batches for item in batch] == list(range(count))
    assert all(1 <= len(batch) <= MOST_IN_BATCH for batch in batches)


def test_several_threads_work_at_the_same_time(local_store):
    together = threading.Barrier(3, timeout=20)

    assert len(map_batches(local_store, lambda _: together.wait(), range(3), threads=3)) == 3


def test_the_error_of_one_item_is_raised(local_store):
    def fail_at_five(item):
        if item == 5:
            raise InvalidInput("five")

    with pytest.raises(InvalidInput, match="five"):
        map_parallel(local_store, fail_at_five, range(10))
