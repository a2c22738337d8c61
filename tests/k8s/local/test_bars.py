"""On a terminal a user sees bars: the grid and each worker's cell, with speed and time left."""

from __future__ import annotations

import io

from rich.console import Console

from k8s.local.bars import Bars
from tests.k8s.local.conftest import CELLS, progress_at


def test_bars_show_the_grid_and_each_worker_s_cell(board):
    screen = io.StringIO()
    with Bars(board, Console(file=screen, force_terminal=True, width=160, highlight=False)) as bars:
        board.start("cpu0", CELLS[0], 0.0)
        bars.start("cpu0")
        board.progress("cpu0", progress_at(50))
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
