"""The launch as bars on a terminal (rich): the whole grid, and the cell of every worker."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn
from rich.progress import Progress as RichProgress
from rich.table import Column

from k8s.local.board import Board
from k8s.wording import describe_progress


class Bars:
    """A screen with one bar for the grid and one for every worker; what has ended scrolls away above them."""

    def __init__(self, board: Board, console: Console | None = None) -> None:
        self._board = board
        console = console or Console(highlight=False)
        self._bars = RichProgress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=34)),
            BarColumn(bar_width=20 if console.width >= 120 else 8),
            TaskProgressColumn(),
            TextColumn("{task.fields[detail]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
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

    def start(self, slot: str) -> None:
        if slot not in self._rows:
            self._rows[slot] = self._bars.add_task("", total=1, detail="")
        name = f"[dim]{slot}[/] {self._board.seats[slot].cell.id}"
        self._bars.update(self._rows[slot], description=name, completed=0, detail="starts", visible=True)
        self._whole()

    def progress(self, slot: str) -> None:
        seat = self._board.seats[slot]
        detail = describe_progress(seat.record) if seat.record else ""
        self._bars.update(self._rows[slot], completed=seat.share, detail=detail)
        self._whole()

    def end(self, slot: str, cell: str, text: str, *, done: bool | None) -> None:
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]↻[/]"}[done]
        self._bars.console.print(f"{mark} {cell} {escape(text)}", soft_wrap=True)
        if slot in self._rows:
            self._bars.update(self._rows[slot], visible=False)
        self._whole()

    def _whole(self) -> None:
        speed = self._board.images_per_second
        detail = self._board.summary + f", {speed:,.0f} images/s" * (speed > 0)
        self._bars.update(self._grid, completed=self._board.share * self._board.total, detail=detail)
