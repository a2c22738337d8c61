"""What a user sees while a grid is trained: per cell, whole grid, images per second, time left."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from experiment.grid import load_grid
from experiment.records import Progress
from k8s.local import display
from k8s.local.bars import Bars
from k8s.local.board import Board
from k8s.local.display import Lines, show
from k8s.local.words import whole, word

CELLS = dict(enumerate(load_grid("demo").cells))


def progress(step, steps=100, speed=1234.0):
    return Progress(cell=CELLS[0].id, attempt="a", epoch=step // 10, epochs=10, step=step, steps=steps,
                    images_per_second=speed, seconds_left=95.0, time="t")  # fmt: skip


@pytest.fixture
def board(monkeypatch):
    monkeypatch.setattr(display.time, "monotonic", lambda: 100.0)
    return Board(len(CELLS), 0, CELLS, now=0.0)


def test_the_board_counts_and_foresees(board):
    assert (board.share, board.seconds_left(100.0)) == (0, None)
    board.start("cpu0", CELLS[0], 0.0)
    board.start("cpu1", CELLS[1], 0.0)
    board.progress("cpu0", progress(1))
    assert board.seconds_left(100.0) is None, "one step of a hundred shows no pace"
    board.progress("cpu0", progress(50))
    board.progress("cpu1", progress(50))

    assert board.images_per_second == 2468
    assert board.share == pytest.approx(1 / 13)
    assert board.seconds_left(100.0) == pytest.approx(1200)
    for slot, index in (("cpu0", 0), ("cpu1", 1)):
        board.leave(slot)
        board.settle(index, done=True, trained=True)
    assert board.seconds_left(200.0) == pytest.approx(1100)
    assert whole(board) == "2 of 13 cells done, about 9 min 10 s left"


def test_what_another_launch_did_does_not_count_for_the_pace(board):
    board.settle(0, done=True, trained=False)

    assert (board.done, board.seconds_left(100.0)) == (1, None)


def test_failed_cells_are_counted_apart(board):
    board.settle(0, done=False, trained=False)

    assert whole(board) == "0 of 13 cells done, 1 failed"


def test_a_cell_s_progress_is_told_in_words():
    assert word(progress(0, speed=0.0)) == "starts"
    assert word(progress(50)) == "epoch 5/10, 1,234 images/s, 1 min 35 s left"


def test_plain_lines_tell_beginning_end_and_now_and_then_between(board, monkeypatch, capsys):
    lines = Lines(board)
    board.start("cpu0", CELLS[0], 0.0)
    lines.start("cpu0")
    for step in (10, 20):
        board.progress("cpu0", progress(step))
        lines.progress("cpu0")
    monkeypatch.setattr(display.time, "monotonic", lambda: 131.0)
    lines.progress("cpu0")
    lines.end("cpu0", board.leave("cpu0").cell.id, "done in 3 s", done=True)
    out = capsys.readouterr().out.splitlines()

    assert [line.split(";")[0] for line in out] == [
        f"cpu0: {CELLS[0].id} begins",
        f"cpu0: {CELLS[0].id} epoch 2/10, 1,234 images/s, 1 min 35 s left",
        f"cpu0: {CELLS[0].id} done in 3 s",
    ]


def test_bars_show_the_grid_and_each_worker_s_cell(board):
    screen = io.StringIO()
    with Bars(board, Console(file=screen, force_terminal=True, width=160, highlight=False)) as bars:
        board.start("cpu0", CELLS[0], 0.0)
        bars.start("cpu0")
        board.progress("cpu0", progress(50))
        bars.progress("cpu0")
        bars.note("a [bracket] stays")
        bars._bars.refresh()
        during = screen.getvalue()
        board.leave("cpu0")
        board.settle(0, done=True, trained=True)
        bars.end("cpu0", CELLS[0].id, "done in 3 s", done=True)
    after = screen.getvalue()[len(during) :]

    assert all(t in during for t in ("cpu0", CELLS[0].id, " 50%", "epoch 5/10, 1,234 images/s, 1 min 35 s left"))
    assert "0 of 13 cells done" in during
    assert "a [bracket] stays" in during
    assert "✓" in after
    assert f"{CELLS[0].id} done in 3 s" in after
    assert "1 of 13 cells done" in after


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "env", "kind"),
    [
        (Terminal(), {}, Bars),
        (io.StringIO(), {}, Lines),
        (Terminal(), {"CI": "true"}, Lines),
        (Terminal(), {"TERM": "dumb"}, Lines),
    ],
)
def test_bars_are_for_a_terminal_that_somebody_watches(stream, env, kind, board, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stream)
    with show(board) as screen:
        assert type(screen) is kind


def test_without_rich_there_are_plain_lines(board, monkeypatch):
    monkeypatch.setattr(display, "find_spec", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    with show(board) as screen:
        assert type(screen) is Lines
