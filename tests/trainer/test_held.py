"""A cell that another process holds is looked at again; a store that is away meanwhile is waited for."""

from __future__ import annotations

import pytest

from experiment import outage
from experiment.errors import Interrupted, Transient
from experiment.grid import load_grid
from experiment.outage import Patience
from tests.factories import commit
from trainer.held import HeldCells

CELLS = load_grid("demo").cells


class Away:
    """A store that cannot be asked a few times."""

    def __init__(self, store, times):
        self.store, self.times = store, times
        self.lock, self.list, self.read = store.lock, store.list, store.read

    def exists(self, key):
        self.times -= 1
        if self.times >= 0:
            raise Transient("the store is away")
        return self.store.exists(key)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(outage, "FIRST_PAUSE", 0.01)


def test_a_cell_is_free_when_the_other_launch_has_released_or_finished_it(local_store):
    held = HeldCells(local_store, Patience(seconds=0, say=print))
    held.add(3, CELLS[0])

    assert held.is_free(3)
    assert held.is_free(4), "nobody had it"
    with local_store.lock(CELLS[0].id):
        assert not held.is_free(3)
        commit(local_store, CELLS[0])
        assert held.is_free(3)


def test_a_store_that_is_away_is_waited_for(local_store):
    said = []
    held = HeldCells(Away(local_store, 3), Patience(seconds=60, say=said.append))
    held.add(3, CELLS[0])
    with local_store.lock(CELLS[0].id):
        assert not held.is_free(3)

    assert said[0] == "the store is away; trying again for up to 60 s"
    assert len(said) == 2


def test_the_waiting_ends_with_the_launch(local_store):
    held = HeldCells(Away(local_store, 3), Patience(seconds=60, say=print, stopping=lambda: True))
    held.add(3, CELLS[0])

    with local_store.lock(CELLS[0].id), pytest.raises(Interrupted):
        held.is_free(3)
