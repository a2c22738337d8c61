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
from k8s.local.words import whole, word


class Screen(Protocol):
    """Where a launch says what happens, from its board. Every method returns at once."""

    def note(self, text: str) -> None:
        """A line that stays."""

    def start(self, slot: str) -> None:
        """A worker has begun a cell."""

    def progress(self, slot: str) -> None:
        """A worker has said something on its cell."""

    def end(self, slot: str, cell: str, text: str, *, done: bool | None) -> None:
        """A worker's work on a cell has ended; ``done`` is None if the cell will be tried again."""


@contextlib.contextmanager
def show(board: Board) -> Iterator[Screen]:
    """A screen for as long as the block runs: bars if standard output is a terminal and not that of a CI."""
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
            self.note(f"{slot}: {record.cell} {word(record)}; {whole(self._board)}")

    def end(self, slot: str, cell: str, text: str, *, done: bool | None) -> None:
        self.note(f"{slot}: {cell} {text}; {whole(self._board)}")
