"""One process takes a cell, shows that it lives, and finds out when another has the cell."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from experiment import keys, records
from experiment.errors import Transient
from experiment.lease import Holder, LeaseLost, end_lease, newest_lease, take_lease
from tests.experiment.stores import Flaky

FIRST, SECOND = Holder(name="first"), Holder(name="second")


def leases(store):
    return [keys.number_of(key) for key in store.list(keys.LEASES)]


def test_a_held_cell_is_not_taken_until_it_is_released(store):
    first = take_lease(store, "c", FIRST)

    assert first is not None
    assert take_lease(store, "c", SECOND) is None
    assert take_lease(store, "other", SECOND) is not None
    first.release()
    assert take_lease(store, "c", SECOND) is not None


@pytest.mark.parametrize("kind", ["local_store", pytest.param("minio_store", marks=pytest.mark.s3)])
@pytest.mark.parametrize("was", ["free", "ended"])
def test_of_many_that_race_for_a_cell_one_takes_it(kind, was, request):
    """The decision is put_once's, which moto does not make atomic."""
    store = request.getfixturevalue(kind)
    if was == "ended":
        end_lease(store, "c", 3, None)
    won = race(store, lambda number: Holder(name=f"{number}"))

    assert len(won) == 1


@pytest.mark.parametrize("kind", ["local_store", pytest.param("minio_store", marks=pytest.mark.s3)])
def test_of_many_that_take_over_in_one_seat_the_last_keeps_the_cell(kind, request):
    """Only a cut-off node can bring this about: its pod and the one that replaces it have the same index."""
    store = request.getfixturevalue(kind)
    won = race(store, lambda number: Holder(name=f"{number}", seat="job/3"))
    for lease in won:
        lease.renew()

    assert sum(not lease.is_lost for lease in won) == 1


def race(store, holder):
    """Eight take the cell at the same time; returns the leases that they got."""
    barrier = threading.Barrier(8)

    def take(number):
        barrier.wait(60)
        return take_lease(store, "c", holder(number))

    with ThreadPoolExecutor(8) as pool:
        return [lease for lease in pool.map(take, range(8)) if lease is not None]


@pytest.mark.parametrize("seen", ["free", "held", "ended"])
@pytest.mark.parametrize("taken_anew", [False, True])
def test_whoever_puts_after_a_release_that_it_had_not_seen_does_not_hold_the_cell_beside_the_next(
    local_store, seen, taken_anew
):
    """Between its look at the leases and its own, another released the cell, and a third may have it now."""
    first = None if seen == "free" else take_lease(local_store, "c", FIRST)
    if seen == "ended":
        end_lease(local_store, "c", *newest_lease(local_store, "c"))
    third = []

    def release():
        (first if seen == "held" else take_lease(local_store, "c", FIRST)).release()

    def take_anew():
        if seen != "held":
            release()
        if taken_anew:
            third.append(take_lease(local_store, "c", FIRST))

    before = {"read": release if seen == "held" else lambda: None, "put_once": take_anew}
    late = take_lease(Between(local_store, before), "c", SECOND)
    held = [lease for lease in (late, *third) if lease is not None]
    for lease in held:
        lease.renew()

    assert sum(not lease.is_lost for lease in held) <= 1
    assert all(not lease.is_lost for lease in third), "who has the cell keeps it"
    for lease in held:
        lease.release()
    assert leases(local_store) == []


def test_whoever_ends_a_lease_that_was_released_meanwhile_does_not_open_the_cell_of_the_next(local_store):
    take_lease(local_store, "c", FIRST)
    end_lease(local_store, "c", *newest_lease(local_store, "c"))
    quiet = take_lease(local_store, "c", FIRST)
    seen = newest_lease(local_store, "c")
    quiet.release()
    anew = take_lease(local_store, "c", FIRST)

    end_lease(local_store, "c", *seen)
    assert take_lease(local_store, "c", SECOND) is None
    anew.renew()
    assert not anew.is_lost


class Between:
    """A store in which something happens before the first call of an operation."""

    def __init__(self, store, before):
        self._store, self._before = store, before

    def __getattr__(self, name):
        self._before.pop(name, lambda: None)()
        return getattr(self._store, name)


def test_a_renewal_changes_what_others_see(local_store):
    lease = take_lease(local_store, "c", FIRST)
    seen = set()
    for _ in range(3):
        seen.add(newest_lease(local_store, "c"))
        lease.renew()

    assert len(seen) == 3
    lease.check()


def test_a_holder_that_was_replaced_finds_out_at_its_next_renewal_and_leaves_the_lease_of_the_other_alone(local_store):
    first = take_lease(local_store, "c", FIRST)
    end_lease(local_store, "c", *newest_lease(local_store, "c"))
    second = take_lease(local_store, "c", SECOND)

    first.renew()
    with pytest.raises(LeaseLost, match="c is in the hands of another process"):
        first.check()
    first.release()
    second.renew()
    second.check()
    second.release()

    assert leases(local_store) == []


def test_a_holder_that_comes_back_when_all_is_over_or_begun_anew_has_lost_its_lease(local_store):
    first = take_lease(local_store, "c", FIRST)
    end_lease(local_store, "c", *newest_lease(local_store, "c"))
    take_lease(local_store, "c", SECOND).release()
    first.renew()
    assert first.is_lost
    third = take_lease(local_store, "c", SECOND)  # it has the number of the first
    first.renew()
    first.release()
    third.renew()

    assert (first.is_lost, third.is_lost) == (True, False)
    assert leases(local_store) == [1]


def test_the_next_process_in_a_seat_takes_over_at_once_and_nobody_else(local_store):
    seated = Holder(name="pod", seat="job/3")
    before = take_lease(local_store, "c", seated)

    assert take_lease(local_store, "c", Holder(name="pod", seat="job/4")) is None
    assert take_lease(local_store, "c", FIRST) is None
    after = take_lease(local_store, "c", seated)
    before.renew()
    after.renew()
    assert (before.is_lost, after.is_lost) == (True, False)


def test_a_store_that_is_away_neither_renews_nor_loses_a_lease(local_store):
    store = Flaky(local_store)
    lease = take_lease(store, "c", FIRST)
    store.away = True
    with pytest.raises(Transient):
        lease.renew()
    store.away = False
    lease.renew()

    assert not lease.is_lost


@pytest.mark.parametrize("content", [b"", b"torn", records.to_bytes(records.Outcome(index=0, cell="c", state="held"))])
def test_a_lease_that_cannot_be_read_holds_the_cell_until_it_is_ended(local_store, content):
    local_store.put(keys.lease("c", 4), content)

    assert take_lease(local_store, "c", FIRST) is None
    end_lease(local_store, "c", 4, content)
    taken = take_lease(local_store, "c", FIRST)
    taken.release()
    assert leases(local_store) == []
