"""Objects are read in parallel, in order, and a failure of one reaches the caller."""

from __future__ import annotations

import threading

import pytest

from experiment.errors import InvalidInput, NotFound
from experiment.parallel import MOST_IN_BATCH, fetch_ahead, map_batches, map_parallel


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


def test_objects_are_fetched_ahead_by_threads_of_their_own_and_given_once(local_store):
    for i in range(9):
        local_store.put(f"k/{i}", bytes([i]))
    with fetch_ahead(local_store, [f"k/{i}" for i in range(9)], threads=2) as fetch:
        assert [fetch(f"k/{i}") for i in (3, 0, 8)] == [b"\3", b"\0", b"\10"]
        with pytest.raises(KeyError):
            fetch("k/3")


def test_an_object_that_cannot_be_fetched_is_an_error_where_it_is_asked_for(local_store):
    local_store.put("k", b"x")
    with fetch_ahead(local_store, ["none", "k"]) as fetch:
        assert fetch("k") == b"x"
        with pytest.raises(NotFound):
            fetch("none")
