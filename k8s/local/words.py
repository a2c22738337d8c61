"""A launch's progress in words: one cell's, and the whole grid's."""

from __future__ import annotations

import time

from experiment.records import Progress
from k8s.local.board import Board
from k8s.planning.plan import duration


def word(record: Progress) -> str:
    """A cell's progress in words."""
    if not record.images_per_second:
        return "starts"
    left = duration(record.seconds_left)
    return f"epoch {record.epoch}/{record.epochs}, {record.images_per_second:,.0f} images/s, {left} left"


def whole(board: Board) -> str:
    """The grid's progress in words."""
    failed = f", {board.failed} failed" * (board.failed > 0)
    left = board.seconds_left(time.monotonic())
    ahead = f", about {duration(left)} left" if left and board.done + board.failed < board.total else ""
    return f"{board.done} of {board.total} cells done{failed}{ahead}"
