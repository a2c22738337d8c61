"""Trains cells in warm workers, one for each slot of this machine, and tries again what may work another time."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence

from experiment import keys, records
from experiment.cell import Cell
from experiment.errors import PERMANENT, ExperimentError, Misconfigured, kind_of
from experiment.outage import Patience, outage_seconds
from experiment.records import Failure, Outcome, Progress, utc_now
from experiment.store import Store
from experiment.workload import compiled_shape, multiply_adds
from k8s.local.board import Board
from k8s.local.devices import Slot
from k8s.local.display import Screen
from k8s.local.held import HeldCells
from k8s.local.pending import PendingCell, PendingCells
from k8s.local.worker import Died, Worker
from k8s.wording import format_duration

ATTEMPTS = 3  # of a cell, within one launch
BACK_OFF = 2.0  # seconds before the second attempt; doubled for the third
HELD = 2.0  # seconds until a cell that another process trains is looked at again
GRACE = 10.0  # seconds that a worker has to stop
STILLBORN = 3  # workers in a row that died before their first word: the next would too
Start = Callable[[Slot], Awaitable[Worker]]


class Pool:
    """The workers of one launch and the cells that wait for them.

    Attributes:
        failed: by index, why cells were given up.
    """

    def __init__(self, store: Store, cells: Mapping[int, Cell], board: Board, screen: Screen, start: Start) -> None:
        self.failed: dict[int, str] = {}
        outage = outage_seconds(os.environ)  # as its workers wait
        self._store, self._cells, self._board, self._screen, self._new = store, cells, board, screen, start
        self._pending = PendingCells(
            PendingCell(index=i, shape=compiled_shape(c), work=multiply_adds(c)) for i, c in cells.items()
        )
        self._busy: set[int] = set()
        self._held = HeldCells(store, Patience(seconds=outage, say=screen.note, stopping=lambda: self._ended))
        self._ended = False
        self._workers: set[Worker] = set()
        self._stillborn = 0
        self._answered = False  # whether any worker has ever said anything

    def drop(self, reasons: Mapping[int, str]) -> None:
        """Gives up cells before they were tried."""
        waiting = self._pending.drain()
        for pending in waiting:
            if pending.index not in reasons:
                self._pending.add(pending)
        self._give_up(reasons)

    def _give_up(self, reasons: Mapping[int, str]) -> None:
        for index, reason in reasons.items():
            self.failed[index] = reason
            self._board.settle(index, done=False, trained=False)
            self._screen.note(f"{self._cells[index].id} is given up: {reason}")

    async def run(self, slots: Sequence[Slot]) -> None:
        """Returns when every cell is done or given up. Cancelled, it has the workers stop first."""
        try:
            async with asyncio.TaskGroup() as group:
                for slot in slots:
                    group.create_task(self._serve(slot))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            self._ended = True

    def kill(self) -> None:
        """Kills the workers: what is in training is lost up to its last checkpoint."""
        for worker in self._workers:
            worker.kill()

    async def _serve(self, slot: Slot) -> None:
        worker, last = None, None
        try:
            while self._busy or self._pending.wait(time.monotonic()) is not None:
                pending = self._pending.take(last, time.monotonic())
                if pending is None:  # others are at work, and their cells may come back
                    await asyncio.sleep(0.1)
                    continue
                self._busy.add(pending.index)
                if pending.index in self._held and not await asyncio.to_thread(self._held.is_free, pending.index):
                    self._pending.add(dataclasses.replace(pending, not_before=time.monotonic() + HELD))
                    self._busy.discard(pending.index)
                    continue
                last = pending.shape
                worker = worker or await self._start(slot)
                if not await self._train(worker, slot, pending):
                    self._pending.leave(last)
                    await self._end(worker, stop=True)
                    worker, last = None, None
                self._busy.discard(pending.index)
        except BaseException:
            if worker:
                await self._end(worker, stop=True)
            raise
        if worker:
            await self._end(worker, stop=False)

    async def _start(self, slot: Slot) -> Worker:
        worker = await self._new(slot)
        self._workers.add(worker)
        return worker

    async def _end(self, worker: Worker, *, stop: bool) -> None:
        await worker.end(GRACE, stop=stop)
        self._workers.discard(worker)

    async def _train(self, worker: Worker, slot: Slot, pending: PendingCell) -> bool:
        """Makes one attempt at a cell; returns False if the worker did not survive it."""
        began, attempt, epoch = time.monotonic(), uuid.uuid4().hex, None
        cell = self._cells[pending.index]
        self._board.start(slot.name, cell, began)
        self._screen.start(slot.name)
        try:
            async for record in worker.train(pending.index):
                self._answered = True
                if isinstance(record, Progress):
                    attempt, epoch = record.attempt, record.epoch
                    self._board.progress(slot.name, record)
                    self._screen.progress(slot.name)
                else:
                    self._conclude(slot, pending, record, time.monotonic() - began)
        except Died as death:
            kind = kind_of(death.code)
            if kind == Misconfigured.kind and not self._answered:  # a cell that is at fault is told by its worker
                raise Misconfigured(f"no worker starts: {death.last_words.removeprefix('error: ')}") from death
            failure = Failure(
                cell=cell.id,
                attempt=attempt,
                kind=kind,
                exit_code=death.code,
                message=death.message,
                time=utc_now(),
                epoch=epoch,
            )
            await asyncio.to_thread(self._record, failure)
            self._again_or_give_up(slot, pending, kind, death.message)
            self._count_stillborn(worker, death)
            return False
        self._stillborn = 0
        return True

    def _record(self, failure: Failure) -> None:
        """Writes the failure record that a killed worker could not write."""
        with contextlib.suppress(ExperimentError):  # the next use of the store tells its trouble
            self._store.put(keys.failure(failure.cell, failure.attempt), records.to_bytes(failure))

    def _conclude(self, slot: Slot, pending: PendingCell, outcome: Outcome, seconds: float) -> None:
        if outcome.state == "failed":
            self._again_or_give_up(slot, pending, outcome.kind, outcome.message)
        elif outcome.state == "held":
            self._held.add(pending.index, self._cells[pending.index])
            self._put_back(slot, pending, HELD, "is being trained by another process: waited for")
        else:
            trained = outcome.state == "committed"
            text = f"done in {format_duration(seconds)}" if trained else "was done by another launch"
            self._settle(slot, pending, text, done=True, trained=trained)

    def _again_or_give_up(self, slot: Slot, pending: PendingCell, kind: str, message: str) -> None:
        pending = dataclasses.replace(pending, tries=pending.tries + 1)
        if kind in PERMANENT or pending.tries >= ATTEMPTS:
            self.failed[pending.index] = f"{kind}: {message}"
            self._settle(slot, pending, f"failed: {message}", done=False, trained=False)
        else:
            pause = BACK_OFF * 2 ** (pending.tries - 1)
            text = f"failed ({kind}: {message}); attempt {pending.tries + 1} of {ATTEMPTS} in {pause:.0f} s"
            self._put_back(slot, pending, pause, text)

    def _put_back(self, slot: Slot, pending: PendingCell, pause: float, text: str) -> None:
        seat = self._board.leave(slot.name)
        self._pending.add(dataclasses.replace(pending, not_before=time.monotonic() + pause))
        self._screen.end(slot.name, seat.cell.id, text, done=None)

    def _settle(self, slot: Slot, pending: PendingCell, text: str, *, done: bool, trained: bool) -> None:
        seat = self._board.leave(slot.name)
        self._board.settle(pending.index, done=done, trained=trained)
        speed = f" at {seat.record.images_per_second:,.0f} images/s" if trained and seat.record else ""
        self._screen.end(slot.name, seat.cell.id, text + speed, done=done)

    def _count_stillborn(self, worker: Worker, death: Died) -> None:
        self._stillborn = 0 if worker.answered else self._stillborn + 1
        if self._stillborn >= STILLBORN:
            self._give_up({t.index: f"no worker starts: {death.message}" for t in self._pending.drain()})
