"""The launch as bars on a terminal (rich): the whole grid, and the cell of every worker."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn
from rich.progress import Progress as RichProgress

from experiment.cell import Cell
from experiment.records import Progress
from k8s.board import Board
from k8s.plan import duration


class Bars:
    """A screen with one bar for the grid and one for every worker; what has ended scrolls away above them."""

    def __init__(self, board: Board, console: Console | None = None) -> None:
        self._board = board
        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console or Console(highlight=False),
            refresh_per_second=4,
        )
        self._grid = self._bars.add_task("[bold]grid", total=board.total, completed=board.done, detail="")
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def note(self, text: str) -> None:
        self._bars.console.print(escape(text), soft_wrap=True)

    def start(self, slot: str, cell: Cell) -> None:
        self._board.start(slot, cell, time.monotonic())
        if slot not in self._rows:
            self._rows[slot] = self._bars.add_task("", detail="")
        self._bars.update(
            self._rows[slot],
            description=f"[dim]{slot}[/] {cell.id}",
            total=1,
            completed=0,
            detail="starts",
            visible=True,
        )

    def progress(self, slot: str, record: Progress) -> None:
        self._board.progress(slot, record)
        detail = f"epoch {record.epoch}/{record.epochs}  {record.images_per_second:,.0f} images/s  {duration(record.seconds_left)} left"
        self._bars.update(self._rows[slot], completed=self._board.seats[slot].share, detail=detail)
        self._whole()

    def end(self, slot: str, index: int, text: str, *, done: bool | None, trained: bool = True) -> None:
        seat = self._board.leave(slot)
        if done is not None:
            self._board.settle(index, done=done, trained=trained)
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]↻[/]"}[done]
        self._bars.console.print(f"{mark} {seat.cell.id} {escape(text)}", soft_wrap=True)
        self._bars.update(self._rows[slot], visible=False)
        self._whole()

    def skip(self, index: int, text: str) -> None:
        self._board.settle(index, done=False, trained=False)
        self._bars.console.print(f"[red]✗[/] {escape(text)}", soft_wrap=True)
        self._whole()

    def _whole(self) -> None:
        board = self._board
        left = board.seconds_left(time.monotonic())
        failed = f"  [red]{board.failed} failed[/]" * (board.failed > 0)
        ahead = f"  about {duration(left)} left" if left else ""
        detail = f"{board.done} of {board.total} cells{failed}  {board.images_per_second:,.0f} images/s{ahead}"
        running = sum(s.share for s in board.seats.values())
        self._bars.update(self._grid, completed=board.done + board.failed + running, detail=detail)
