"""Workers' threads are given cells as they come, wait while there are none, and leave when none will come."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from experiment.grid import Grid
from experiment.outage import Patience
from experiment.run import Run
from trainer import dealing
from trainer.dealing import Dealer
from trainer.held import HeldCells


@pytest.fixture
def run(make_cell):
    cells = (make_cell(), make_cell(seed=1), make_cell(method="ce", alpha=1.0))
    return Run(name="test", grid=Grid(name="test", cells=cells))


@pytest.fixture
def ending():
    return threading.Event()


@pytest.fixture
def dealer(local_store, run, ending):
    return Dealer(run, HeldCells(local_store, Patience(seconds=0, say=print)), ending.is_set)


def test_who_waits_gets_a_cell_as_soon_as_it_comes(dealer, monkeypatch):
    monkeypatch.setattr(dealing, "LOOK_SECONDS", 60)
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(dealer.next_cell, place) for place in ("cpu0", "cpu1")]
        time.sleep(0.1)
        dealer.add([2])
        dealer.add([0])
        assert sorted(w.result(30).index for w in waiting) == [0, 2]


def test_who_waits_leaves_when_no_more_will_come(dealer, monkeypatch):
    monkeypatch.setattr(dealing, "LOOK_SECONDS", 60)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(dealer.next_cell, "cpu0")
        time.sleep(0.1)
        dealer.close()
        assert waiting.result(30) is None


def test_nothing_is_dealt_when_the_end_has_come(dealer, ending):
    dealer.add([0])
    ending.set()

    assert dealer.next_cell("cpu0") is None


def test_a_worker_keeps_to_the_shape_that_it_has_compiled(dealer):
    dealer.add([0, 1, 2])

    assert [dealer.next_cell("cpu0").index for _ in range(3)] == [0, 1, 2]


def test_cells_that_an_earlier_pod_has_begun_come_last(dealer):
    dealer.add([0, 1])
    dealer.add([2], rank=1)
    dealer.close()

    assert [dealer.next_cell("cpu0").index for _ in range(3)] == [0, 1, 2]
    assert dealer.next_cell("cpu0") is None
    assert dealer.given == {0, 1, 2}


def test_a_cell_that_another_process_has_is_dealt_again_when_it_is_free(dealer, local_store, run, monkeypatch):
    monkeypatch.setattr(dealing, "HELD_SECONDS", 0.05)
    dealer.add([0])
    dealer.close()
    pending = dealer.next_cell("cpu0")
    with ThreadPoolExecutor(1) as threads:
        with local_store.lock(run.grid.cells[0].id):
            dealer.hold_back(pending)
            again = threads.submit(dealer.next_cell, "cpu0")
            time.sleep(0.3)
            assert not again.done()
        assert again.result(30).index == 0


def test_looking_at_a_cell_that_another_process_has_does_not_count_its_worker_twice(dealer, monkeypatch):
    """Workers were counted out of their shape at every look, until the work per worker was divided by none."""
    monkeypatch.setattr(dealing, "HELD_SECONDS", 0.01)
    answers = iter([True, False, False, False, True])
    monkeypatch.setattr(dealer._held, "is_free", lambda _: next(answers))
    dealer.add([0])
    assert dealer.next_cell("cpu0").index == 0
    dealer.add([2])
    assert dealer.next_cell("cpu0").index == 2
    dealer.leave("cpu0")
    dealer.leave("cpu1")  # had no cell

    assert set(dealer._pending._at.values()) == {0}
