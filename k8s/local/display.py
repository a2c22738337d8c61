"""Shows a launch on this machine while it runs: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Protocol

from k8s.local.board import Board
from k8s.wording import describe_progress


class Screen(Protocol):
    """Where a launch shows what happens, from its board. Every method returns at once."""

    def note(self, text: str) -> None:
        """Shows a line that stays."""

    def start(self, slot: str) -> None:
        """Shows that a worker has begun a cell."""

    def progress(self, slot: str) -> None:
        """Shows a worker's new progress record."""

    def end(self, slot: str, cell: str, text: str, *, done: bool | None) -> None:
        """Shows that a worker's attempt at a cell has ended; ``done`` is None if the cell will be tried again."""


@contextlib.contextmanager
def show_progress(board: Board) -> Iterator[Screen]:
    """Yields a screen for the block: bars if standard output is a terminal and not a CI's, else plain lines."""
    if sys.stdout.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb" and find_spec("rich"):
        from k8s.local.bars import Bars  # rich is part of the demo extra, not of the launcher's image

        with Bars(board) as bars:
            yield bars
    else:
        yield Lines(board)


class Lines:
    """Plain lines: one when a cell begins, one when it ends, and one for each worker now and then."""

    EVERY = 30.0  # seconds between two lines on one cell

    def __init__(self, board: Board) -> None:
        self._board = board
        self._spoke: dict[str, float] = {}

    def note(self, text: str) -> None:
        print(text, flush=True)

    def start(self, slot: str) -> None:
        self._spoke[slot] = time.monotonic()
        self.note(f"{slot}: {self._board.seats[slot].cell.id} begins")

    def progress(self, slot: str) -> None:
        record = self._board.seats[slot].record
        if record and time.monotonic() - self._spoke[slot] >= self.EVERY:
            self._spoke[slot] = time.monotonic()
            self.note(f"{slot}: {record.cell} {describe_progress(record)}; {self._board.summary}")

    def end(self, slot: str, cell: str, text: str, *, done: bool | None) -> None:
        self.note(f"{slot}: {cell} {text}; {self._board.summary}")
