"""The launcher's part of a training, with a pool that is played; with a real pool it is tested through the launch."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from experiment.errors import Interrupted, Misconfigured
from experiment.records import Outcome, Turn
from k8s.local import training
from k8s.local.board import Board
from k8s.local.training import Training
from tests.k8s.local.conftest import CELLS, progress_at

TWO = {0: CELLS[0], 1: CELLS[1]}


class Screen:
    """Keeps what is shown."""

    def __init__(self):
        self.shown = []

    def note(self, text):
        self.shown.append(text)

    def start(self, place):
        self.shown.append(f"{place} begins")

    def progress(self, place):
        self.shown.append(f"{place} goes on")

    def end(self, place, cell, text, *, done):
        self.shown.append(f"{place} {text}")


class PlayedPool:
    """Answers each cell that it is sent with records, and ends as it is told: with these, once the cells are all sent."""

    def __init__(self, answers, code=0, last_words=""):
        self.answers, self.code, self.last_words = answers, code, last_words
        self.sent, self.stopped = [], 0
        self.said = asyncio.Queue()

    def send(self, indexes):
        for index in indexes:
            self.sent.append(index)
            for record in self.answers.get(index, [[]]).pop(0):
                self.said.put_nowait(record)

    def quit(self):
        self.said.put_nowait(None)

    async def records(self):
        while (record := await self.said.get()) is not None:
            yield record

    async def end(self):
        return self.code, self.last_words

    async def stop(self):
        self.stopped += 1


def turn(index, place="cpu0"):
    return Turn(index=index, cell=CELLS[index].id, place=place)


def ends(index, state="committed", kind="", message=""):
    return Outcome(index=index, cell=CELLS[index].id, state=state, kind=kind, message=message)


def train(*pools, cells=TWO):
    """Trains with these pools, one after the other; returns the training and what was shown."""
    screen, waiting = Screen(), list(pools)
    found = Training(cells, Board(len(cells), 0, cells, now=0.0), screen)

    async def start():
        return waiting.pop(0)

    asyncio.run(found.run(start))
    return found, screen.shown


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(training, "BACK_OFF", 0.02)


def test_cells_dropped_before_they_were_tried_start_no_pool():
    screen = Screen()
    found = Training(TWO, Board(2, 0, TWO, now=0.0), screen)
    found.drop(dict.fromkeys(TWO, "no data"))

    async def start():
        pytest.fail("a pool was started")

    asyncio.run(found.run(start))

    assert found.failed == {0: "no data", 1: "no data"}
    assert screen.shown == [f"{CELLS[i].id} is given up: no data" for i in TWO]


def test_what_a_place_does_is_shown():
    answers = {0: [[turn(0), progress_at(50), ends(0)]], 1: [[turn(1, "cpu1"), ends(1, "found")]]}
    found, shown = train(PlayedPool(answers))

    assert [line.replace("less than a second", "0 s") for line in shown] == [
        "cpu0 begins",
        "cpu0 goes on",
        "cpu0 done in 0 s at 1,234 images/s",
        "cpu1 begins",
        "cpu1 was done by another launch",
    ]
    assert found.failed == {}


def test_a_cell_that_another_process_has_is_the_pools_to_try_again():
    held = [turn(0), ends(0, "held"), turn(0, "cpu1"), ends(0, "found")]
    pool = PlayedPool({0: [held]})
    _, shown = train(pool, cells={0: CELLS[0]})

    assert pool.sent == [0]
    assert shown[1] == "cpu0 is being trained by another process: waited for"
    assert shown[-1] == "cpu1 was done by another launch"


def test_what_may_work_another_time_is_sent_again_and_what_cannot_is_not():
    again = [turn(0), ends(0, "failed", "transient", "the store was away")]
    never = [turn(1), ends(1, "failed", "diverged", "cost is nan")]
    pool = PlayedPool({0: [again, again, again], 1: [never]})
    found, shown = train(pool)

    assert pool.sent == [0, 1, 0, 0]
    assert found.failed == {0: "transient: the store was away", 1: "diverged: cost is nan"}
    assert "cpu0 failed (transient: the store was away); attempt 2 of 3 in 0 s" in shown
    assert "cpu0 failed: the store was away" in shown


def test_a_pool_that_is_killed_costs_the_cells_in_training_an_attempt_and_another_one_goes_on():
    killed = PlayedPool({0: [[turn(0)]], 1: [[turn(1, "cpu1"), ends(1), None]]}, code=-9)
    next_pool = PlayedPool({0: [[turn(0), ends(0)]]})
    found, shown = train(killed, next_pool)

    assert next_pool.sent == [0]
    assert "cpu0 failed (error: the trainer was killed by SIGKILL); attempt 2 of 3 in 0 s" in shown
    assert found.failed == {}


def test_pools_that_are_killed_again_and_again_do_not_go_on_for_ever():
    pools = [PlayedPool({0: [[turn(0), None]]}, code=-9) for _ in range(training.ATTEMPTS)]
    found, _ = train(*pools, cells={0: CELLS[0]})

    assert found.failed == {0: "error: the trainer was killed by SIGKILL"}


@pytest.mark.parametrize(("code", "words"), [(75, "no worker starts: no tensorflow"), (-9, ""), (1, "")])
def test_a_pool_that_cannot_go_on_gives_up_what_is_left(code, words):
    pool = PlayedPool({0: [[]], 1: [[None]]}, code, words)
    found, shown = train(pool)

    reason = words or ("the trainer was killed by SIGKILL" if code < 0 else "the trainer ended with exit code 1")
    assert found.failed == {0: reason, 1: reason}
    assert shown == [f"{CELLS[i].id} is given up: {reason}" for i in TWO]


@pytest.mark.parametrize(("code", "error"), [(42, Misconfigured), (143, Interrupted)])
def test_settings_that_no_worker_starts_with_and_a_pool_that_somebody_stops_end_the_launch(code, error):
    pool = PlayedPool({0: [[turn(0)]], 1: [[None]]}, code, "the last words")

    with pytest.raises(error, match=r"^the last words$"):
        train(pool)


def test_a_training_that_is_cancelled_has_its_pool_stop():
    pool = PlayedPool({})
    found = Training(TWO, Board(2, 0, TWO, now=0.0), Screen())

    async def start():
        return pool

    async def play():
        task = asyncio.ensure_future(found.run(start))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())

    assert pool.stopped == 1


TAUGHT = {0: CELLS[0], 1: dataclasses.replace(CELLS[0], method="distillation", alpha=1.0, teacher=CELLS[0])}


def test_a_student_is_sent_when_its_teacher_is_done_whoever_has_trained_it():
    for state in ("committed", "found"):
        pool = PlayedPool({0: [[turn(0), ends(0, state)]], 1: [[turn(1), ends(1)]]})
        found, _ = train(pool, cells=TAUGHT)

        assert (pool.sent, found.failed) == ([0, 1], {})


def test_a_student_of_a_teacher_that_is_given_up_is_given_up_with_it():
    pool = PlayedPool({0: [[turn(0), ends(0, "failed", "diverged", "no")]]})
    found, shown = train(pool, cells=TAUGHT)
    why = f"its teacher {CELLS[0].id} is given up"

    assert pool.sent == [0]
    assert found.failed == {0: "diverged: no", 1: why}
    assert shown[-1] == f"{TAUGHT[1].id} is given up: {why}"


def test_a_student_still_waits_when_a_pool_was_killed_while_its_teacher_trained():
    killed = PlayedPool({0: [[turn(0), None]]}, code=-9)
    again = PlayedPool({0: [[turn(0), ends(0)]], 1: [[turn(1), ends(1)]]})
    train(killed, again, cells=TAUGHT)

    assert (killed.sent, again.sent) == ([0], [0, 1])
