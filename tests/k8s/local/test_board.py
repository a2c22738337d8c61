"""The state of a launch is counted, and its end foreseen from the pace so far."""

from __future__ import annotations

import pytest

from tests.k8s.local.conftest import CELLS, progress_at


def test_the_board_counts_and_foresees(board):
    assert (board.share, board.seconds_left(100.0)) == (0, None)
    board.start("cpu0", CELLS[0], 0.0)
    board.start("cpu1", CELLS[1], 0.0)
    board.progress("cpu0", progress_at(1))
    assert board.seconds_left(100.0) is None, "one step of a hundred shows no pace"
    board.progress("cpu0", progress_at(50))
    board.progress("cpu1", progress_at(50))

    assert board.images_per_second == 2468
    assert board.share == pytest.approx(1 / 13)
    assert board.seconds_left(100.0) == pytest.approx(1200)
    for slot, index in (("cpu0", 0), ("cpu1", 1)):
        board.leave(slot)
        board.settle(index, done=True, trained=True)
    assert board.seconds_left(200.0) == pytest.approx(1100)
    assert board.summary == "2 of 13 cells done, about 9 min 10 s left"


def test_what_another_launch_did_does_not_count_for_the_pace(board):
    board.settle(0, done=True, trained=False)

    assert (board.done, board.seconds_left(100.0)) == (1, None)


def test_failed_cells_are_counted_apart(board):
    board.settle(0, done=False, trained=False)

    assert board.summary == "0 of 13 cells done, 1 failed"
