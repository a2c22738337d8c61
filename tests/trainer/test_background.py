"""Writes beside the training are done in turn, may fail, and end with the writer."""

from __future__ import annotations

import threading

import pytest

from experiment.errors import Misconfigured, Transient
from trainer.background import BackgroundWriter


@pytest.fixture
def said():
    return []


@pytest.fixture
def writer(said):
    made = BackgroundWriter(said.append)
    yield made
    made.close()


def test_writes_are_done_in_turn(writer):
    done = []
    for number in range(20):
        writer.start("a number", lambda number=number: done.append(number))
    writer.drain()

    assert done == list(range(20))
    assert writer.is_idle


def test_it_is_busy_while_the_store_keeps_it_waiting(writer):
    answer = threading.Event()
    writer.start("a checkpoint", lambda: answer.wait(30))
    assert not writer.is_idle
    answer.set()
    writer.drain()

    assert writer.is_idle


@pytest.mark.parametrize("error", [Transient("no route"), Misconfigured("refused")])
def test_a_write_that_fails_is_said_and_the_next_one_is_done(writer, said, error):
    def fail():
        raise error

    done = []
    writer.start("the checkpoint of step 7", fail)
    writer.start("the next", lambda: done.append(1))
    writer.drain()

    assert said == [f"the checkpoint of step 7 was not kept: {error}"]
    assert done == [1]


@pytest.mark.parametrize("use", ["start", "drain", "close"])
def test_an_unforeseen_error_is_raised_where_the_writer_is_used(said, use):
    class Unforeseen(BaseException):
        pass

    def fail():
        raise Unforeseen

    writer = BackgroundWriter(said.append)
    writer.start("a checkpoint", fail)
    while not writer.is_idle:
        pass
    with pytest.raises(Unforeseen):
        writer.start("more", lambda: None) if use == "start" else getattr(writer, use)()
    writer.close()
