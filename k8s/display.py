"""Shows a launch on this machine while it runs: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Protocol

from experiment.cell import Cell
from experiment.records import Progress
from k8s.board import Board
from k8s.plan import duration


class Screen(Protocol):
    """Where a launch says what happens. Every method returns at once."""

    def note(self, text: str) -> None:
        """A line that stays."""

    def start(self, slot: str, cell: Cell) -> None:
        """A worker begins a cell."""

    def progress(self, slot: str, record: Progress) -> None:
        """A worker's word on its cell."""

    def end(self, slot: str, index: int, text: str, *, done: bool | None, trained: bool = True) -> None:
        """A worker's work on a cell ended; ``done`` is None if the cell will be tried again."""

    def skip(self, index: int, text: str) -> None:
        """A cell is given up before a worker began it."""


@contextlib.contextmanager
def show(board: Board) -> Iterator[Screen]:
    """A screen for as long as the block runs: bars if standard output is a terminal and not that of a CI."""
    if sys.stdout.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb":
        with contextlib.suppress(ImportError):  # rich is part of the demo extra, not of the launcher's image
            from k8s.display_bars import Bars

            with Bars(board) as bars:
                yield bars
            return
    yield Lines(board)


class Lines:
    """Plain lines: one when a cell begins, one when it ends, and one for each worker now and then."""

    EVERY = 30.0  # seconds between two lines on one cell

    def __init__(self, board: Board) -> None:
        self._board = board
        self._spoke: dict[str, float] = {}

    def note(self, text: str) -> None:
        print(text, flush=True)

    def start(self, slot: str, cell: Cell) -> None:
        self._board.start(slot, cell, time.monotonic())
        self._spoke[slot] = time.monotonic()
        self.note(f"{slot}: {cell.id} begins")

    def progress(self, slot: str, record: Progress) -> None:
        self._board.progress(slot, record)
        if time.monotonic() - self._spoke[slot] >= self.EVERY:
            self._spoke[slot] = time.monotonic()
            self.note(f"{slot}: {record.cell} {word(record)}; {whole(self._board)}")

    def end(self, slot: str, index: int, text: str, *, done: bool | None, trained: bool = True) -> None:
        seat = self._board.leave(slot)
        if done is not None:
            self._board.settle(index, done=done, trained=trained)
        self.note(f"{slot}: {seat.cell.id} {text}; {whole(self._board)}")

    def skip(self, index: int, text: str) -> None:
        self._board.settle(index, done=False, trained=False)
        self.note(text)


def word(record: Progress) -> str:
    """A cell's progress in words."""
    left = duration(record.seconds_left)
    return f"epoch {record.epoch}/{record.epochs}, {record.images_per_second:,.0f} images/s, {left} left"


def whole(board: Board) -> str:
    """The grid's progress in words."""
    failed = f", {board.failed} failed" * (board.failed > 0)
    left = board.seconds_left(time.monotonic())
    ahead = f", about {duration(left)} left" if left and board.done + board.failed < board.total else ""
    return f"{board.done} of {board.total} cells done{failed}{ahead}"
