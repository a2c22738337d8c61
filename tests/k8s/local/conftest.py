"""A board of the demo grid and progress records of its first cell, for the tests of what is shown."""

from __future__ import annotations

import pytest

from experiment.grid import load_grid
from experiment.records import Progress
from k8s.local import board as board_module
from k8s.local.board import Board

CELLS = dict(enumerate(load_grid("demo").cells))


def progress_at(step, steps=100, speed=1234.0):
    left = {"images_per_second": speed, "seconds_left": 95.0, "time": "t"}
    return Progress(cell=CELLS[0].id, attempt="a", epoch=step // 10, epochs=10, step=step, steps=steps, **left)


@pytest.fixture
def board(monkeypatch):
    """A board of the demo grid, 100 s after its beginning."""
    monkeypatch.setattr(board_module.time, "monotonic", lambda: 100.0)
    return Board(len(CELLS), 0, CELLS, now=0.0)
