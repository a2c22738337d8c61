"""Has cells trained by the trainer's pool, shows how they fare, and has tried again what may work another time."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from experiment.cell import Cell
from experiment.errors import PERMANENT, ExperimentError, Interrupted, InvalidInput, Misconfigured, kind_of
from experiment.records import Outcome, Progress, Turn
from k8s.local.board import Board, Seat
from k8s.local.display import Screen
from k8s.local.pool_process import PoolProcess
from k8s.wording import format_duration

ATTEMPTS = 3  # of a cell, within one launch
BACK_OFF = 2.0  # seconds before the second attempt; doubled for the third
Start = Callable[[], Awaitable[PoolProcess]]


class Training:
    """The cells of one launch.

    Attributes:
        failed: by index, why cells were given up.
    """

    def __init__(self, cells: Mapping[int, Cell], board: Board, screen: Screen) -> None:
        self.failed: dict[int, str] = {}
        self._cells, self._board, self._screen = cells, board, screen
        self._left = set(cells)  # neither done nor given up
        self._resting = set[int]()  # of these, those whose next attempt has to wait
        indexes = {c.id: i for i, c in cells.items()}
        taught = {i: c.teacher.id for i, c in cells.items() if c.teacher}
        self._teachers = {i: indexes[t] for i, t in taught.items() if t in indexes}  # of those that wait for them
        self._tries: Counter[int] = Counter()
        self._places: dict[int, str] = {}  # of the cells that a worker tries
        self._pool: PoolProcess | None = None

    def drop(self, reasons: Mapping[int, str]) -> None:
        """Gives up cells, and says why; by index."""
        for index, reason in ((i, why) for i, why in reasons.items() if i in self._left):
            self._forget(index, reason)
            self._screen.note(f"{self._cells[index].id} is given up: {reason}")

    async def run(self, start: Start) -> None:
        """Returns when every cell is done or given up. Cancelled, it has the workers stop first.

        Raises:
            Misconfigured: no worker starts with these settings.
            Interrupted: somebody else has stopped the pool.
        """
        while self._left:
            self._pool = await start()
            try:
                self._pool.send(sorted(self._left - self._resting - self._teachers.keys()))
                async for record in self._pool.records():
                    self._note(record)
                    if isinstance(record, Outcome) and not self._left:
                        self._pool.quit()
                code, last_words = await self._pool.end()
            except BaseException:
                await self._pool.stop()
                raise
            if self._left:
                self._note_death(code, last_words)

    def kill(self) -> None:
        """Has the workers, which were told to stop, killed: what is in training is lost up to its last checkpoint."""
        if self._pool:
            self._pool.signal()

    def _note(self, record: Turn | Progress | Outcome) -> None:
        if isinstance(record, Turn):
            self._places[record.index] = record.place
            self._board.start(record.place, self._cells[record.index], time.monotonic())
            self._screen.start(record.place)
        elif isinstance(record, Outcome):
            self._conclude(record)
        elif place := next((p for i, p in self._places.items() if self._cells[i].id == record.cell), None):
            self._board.progress(place, record)
            self._screen.progress(place)

    def _conclude(self, outcome: Outcome) -> None:
        index = outcome.index
        if outcome.state == "failed":
            self._again_or_give_up(index, outcome.kind, outcome.message)
        elif outcome.state == "held":
            self._leave(index, "is being trained by another process: waited for", done=None)
        else:
            seat, trained = self._board.seats[self._places[index]], outcome.state == "committed"
            self._left.discard(index)
            self._board.settle(index, done=True, trained=trained)
            self._leave(index, describe_end(seat) if trained else "was done by another launch", done=True)
            self._send_students(index)

    def _again_or_give_up(self, index: int, kind: str, message: str) -> None:
        self._tries[index] += 1
        if kind in PERMANENT or self._tries[index] >= ATTEMPTS:
            self._leave(index, f"failed: {message}", done=False)
            self._forget(index, f"{kind}: {message}")
            return
        pause = BACK_OFF * 2 ** (self._tries[index] - 1)
        self._resting.add(index)
        asyncio.get_running_loop().call_later(pause, self._send_again, index)
        text = f"failed ({kind}: {message}); attempt {self._tries[index] + 1} of {ATTEMPTS} in {pause:.0f} s"
        self._leave(index, text, done=None)

    def _send_again(self, index: int) -> None:
        self._resting.discard(index)
        if self._pool:
            self._pool.send([index])

    def _send_students(self, index: int) -> None:
        """Has the students of a cell trained that wait for it."""
        students = [i for i, teacher in self._teachers.items() if teacher == index]
        for student in students:
            del self._teachers[student]
        if students and self._pool:
            self._pool.send(students)

    def _leave(self, index: int, text: str, *, done: bool | None) -> None:
        """Notes and shows that the worker at the cell has ended its attempt."""
        place = self._places.pop(index)
        self._board.leave(place)
        self._screen.end(place, self._cells[index].id, text, done=done)

    def _forget(self, index: int, reason: str) -> None:
        self.failed[index] = reason
        self._left.discard(index)
        self._board.settle(index, done=False, trained=False)
        taught = f"its teacher {self._cells[index].id} is given up"
        self.drop({i: taught for i, t in self._teachers.items() if t == index and i in self._left})

    def _note_death(self, code: int, last_words: str) -> None:
        """Notes that the pool has ended before its cells: one that was killed costs each cell in training an attempt."""
        kind = kind_of(code)
        if kind == InvalidInput.kind:
            raise Misconfigured(last_words)
        if kind == Interrupted.kind:
            raise Interrupted(last_words)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if code < 0 and self._places:
            for index in list(self._places):
                self._again_or_give_up(index, ExperimentError.kind, f"the trainer {how}")
            return
        reason = last_words or f"the trainer {how}"
        for index in list(self._places):
            self._leave(index, f"failed: {reason}", done=False)
        self.drop(dict.fromkeys(sorted(self._left), reason))


def describe_end(seat: Seat) -> str:
    """Returns how long the training of a cell took, and how fast it was."""
    speed = f" at {seat.record.images_per_second:,.0f} images/s" if seat.record else ""
    return f"done in {format_duration(time.monotonic() - seat.since)}{speed}"
