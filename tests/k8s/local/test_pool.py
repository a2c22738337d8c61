"""The pool trains what it is given and drops what cannot be trained; its whole behaviour is tested through the launch."""

from __future__ import annotations

import asyncio

import pytest

from k8s.local.board import Board
from k8s.local.devices import Slot
from k8s.local.pool import Pool
from tests.k8s.local.conftest import CELLS


class Screen:
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def test_cells_dropped_before_they_were_tried_start_no_worker(local_store):
    async def start(slot):
        pytest.fail("a worker was started")

    screen, cells = Screen(), {0: CELLS[0], 1: CELLS[1]}
    pool = Pool(local_store, cells, Board(2, 0, cells, now=0.0), screen, start)
    pool.drop(dict.fromkeys(cells, "no data"))
    asyncio.run(pool.run([Slot(name="cpu0")]))

    assert pool.failed == {0: "no data", 1: "no data"}
    assert screen.notes == [f"{CELLS[i].id} is given up: no data" for i in cells]
