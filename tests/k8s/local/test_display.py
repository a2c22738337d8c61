"""What a user sees while a grid is trained: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from k8s.local import display
from k8s.local.bars import Bars
from k8s.local.display import Lines, show_progress
from tests.k8s.local.conftest import CELLS, progress_at


def test_plain_lines_tell_beginning_end_and_now_and_then_between(board, monkeypatch, capsys):
    lines = Lines(board)
    board.start("cpu0", CELLS[0], 0.0)
    lines.start("cpu0")
    for step in (10, 20):
        board.progress("cpu0", progress_at(step))
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
    with show_progress(board) as screen:
        assert type(screen) is kind


def test_without_rich_there_are_plain_lines(board, monkeypatch):
    monkeypatch.setattr(display, "find_spec", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    with show_progress(board) as screen:
        assert type(screen) is Lines
