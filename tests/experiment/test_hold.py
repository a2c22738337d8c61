"""A cell is held while it is trained, and who waits for it gets it at once or after a term, as the holder ended."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
import uuid

import pytest

from experiment import keys
from experiment.errors import Transient
from experiment.hold import CellWatch, hold_cell
from experiment.lease import HeldLease, Holder, take_lease
from experiment.locks import Lock
from tests.experiment.stores import Flaky

SHORT = Holder(name="short", term=0.4)
HOLDING = """
import sys
from experiment.hold import hold_cell
from experiment.lease import Holder
from experiment.store import open_store
with hold_cell(open_store(sys.argv[1]), "c", Holder(name="child", seat=sys.argv[2], term=1.0)) as lease:
    print(lease is not None, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def start(store, monkeypatch, tmp_path):
    """Starts a process that holds cell c, on another machine: it has other temporary files, and a directory has no locks."""
    started = []

    def begin(seat: str = "", machine: str = "there") -> tuple[subprocess.Popen, bool]:
        (tmp_path / machine).mkdir(exist_ok=True)
        monkeypatch.setenv("TMPDIR", str(tmp_path / machine))
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", HOLDING, store.url, seat]
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
        return started[-1], started[-1].stdout.readline() == "True\n"

    yield begin
    for process in started:
        with process:
            process.kill()


@pytest.fixture(params=["moto_store", pytest.param("minio_store", marks=pytest.mark.s3)])
def store(request):
    return request.getfixturevalue(request.param)


def wait_for(watch, seconds=20.0):
    """Seconds until the cell can be taken."""
    began = time.monotonic()
    while not watch.look():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began


def test_a_cell_is_held_between_machines_while_its_holder_lives(start, store):
    _, held = start()
    watch = CellWatch(store, "c", term=3.0)
    until = time.monotonic() + 4.5

    assert held
    while time.monotonic() < until:
        assert not watch.look()
        time.sleep(0.2)
    assert watch.holder == "child"
    with hold_cell(store, "c", SHORT) as lease:
        assert lease is None


def test_a_holder_that_ends_releases_the_cell_at_once_and_one_that_is_killed_after_a_term(start, store):
    first, _ = start()
    first.stdin.close()
    first.wait()
    assert CellWatch(store, "c", term=1.0).look()

    second, held = start()
    assert held
    second.kill()
    second.wait()
    assert wait_for(CellWatch(store, "c", term=1.0)) >= 0.9
    with hold_cell(store, "c", SHORT) as lease:
        assert lease is not None
    assert list(store.list(keys.LEASES)) == []


def test_what_replaces_a_killed_holder_in_its_seat_or_on_its_machine_takes_over_at_once(start, store):
    for seat, machine in [("job/3", "here"), ("job/3", "there"), ("", "there"), ("", "there")]:
        process, held = start(seat, machine)
        process.kill()
        process.wait()
        if (seat, machine) == ("job/3", "there"):  # no seat of the next
            wait_for(CellWatch(store, "c", term=1.0))

        assert held


@pytest.mark.parametrize("kind", ["local_store", pytest.param("minio_store", marks=pytest.mark.s3)])
def test_many_that_wait_for_a_stalled_holder_get_the_cell_one_after_another(kind, request, monkeypatch):
    """As on machines without common locks; the writes of moto are not atomic."""
    store = request.getfixturevalue(kind)
    monkeypatch.setattr(type(store), "lock", lambda *_: contextlib.nullcontext(_lock()))
    stalled = take_lease(store, "c", Holder(name="stalled"))
    training, trained, most = [], [], []

    def work(number):
        watch = CellWatch(store, "c", term=2.0)
        while number not in trained:
            if not watch.look():
                time.sleep(0.02)
                continue
            with hold_cell(store, "c", Holder(name=f"{number}", term=2.0)) as lease:
                if lease is None:
                    continue
                training.append(number)
                most.append(len(training))
                time.sleep(0.03)
                training.remove(number)
                trained.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stalled.renew()

    assert sorted(trained) == list(range(6))
    assert max(most) == 1
    assert stalled.is_lost
    assert list(store.list(keys.LEASES)) == []


def test_a_holder_that_stalls_past_its_term_finds_out_when_it_comes_back(local_store, monkeypatch):
    stall, renew = threading.Event(), HeldLease.renew
    monkeypatch.setattr(HeldLease, "renew", lambda lease: stall.wait(20) and renew(lease))
    with hold_cell(local_store, "c", SHORT) as first:
        monkeypatch.setattr(type(local_store), "lock", lambda *_: contextlib.nullcontext(_lock()))
        wait_for(CellWatch(local_store, "c", term=0.4))
        with hold_cell(local_store, "c", Holder(name="second")) as second:
            stall.set()
            until(lambda: first.is_lost)
            assert not second.is_lost
            second.renew()
            assert not second.is_lost


def test_time_in_which_the_store_was_away_counts_against_no_holder(local_store):
    store, now = Flaky(local_store), [0.0]
    lease = take_lease(store, "c", Holder(name="far"))
    watch = CellWatch(store, "c", term=60.0, clock=lambda: now[0])
    assert not watch.look()
    store.away = True
    now[0] = 1000.0
    with pytest.raises(Transient):
        watch.look()
    store.away = False

    assert not watch.look()
    lease.renew()
    for now[0] in (1010.0, 1020.0, 1030.0, 1040.0, 1050.0, 1060.0, 1069.0):
        assert not watch.look()
    now[0] = 1071.0
    assert watch.look()


def test_holding_costs_few_requests(local_store):
    store = Flaky(local_store)
    with hold_cell(store, "c", Holder(name="one")) as lease:
        taken = sum(store.asked.values())
        lease.renew()
        renewed = sum(store.asked.values()) - taken
    released = sum(store.asked.values()) - taken - renewed

    # Taken: a look, the lease, and a look whether it is the one that counts.
    assert (taken, renewed, released) == (3, 3, 3)


def _lock():
    """A lock of a machine of its own."""
    return Lock(place=uuid.uuid4().hex)


def until(look):
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.01)
