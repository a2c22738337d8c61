"""What is written while a cell trains: checkpoints and progress when they are due, without holding up the training."""

from __future__ import annotations

import threading
import time
import types

import numpy as np
import pytest

from experiment import keys
from experiment.errors import Interrupted, Transient
from trainer import watcher
from trainer.log import Log
from trainer.model.types import STATE, Pace, Snapshot
from trainer.options import AttemptOptions
from trainer.watcher import Watcher


@pytest.fixture
def watch(local_store, tiny, make_cell, monkeypatch):
    """Makes a watcher and returns a function that lets it look after a step."""
    monkeypatch.setattr(watcher, "PROGRESS_SECONDS", 0.0)
    made = []

    def make(**fields):
        options = AttemptOptions(
            **{"store": local_store, "attempt": "a", "load": lambda _: tiny, "stopping": lambda: False, **fields}
        )
        made.append(Watcher(make_cell(), options, Log(make_cell().id, "a", echo=False)))

        def look(step):
            arrays = {name: np.zeros(1) for name in STATE}
            pace = Pace(epoch=0, step=step, steps=9, images_per_second=1.0, seconds_left=1.0)
            made[0](
                pace, lambda: Snapshot(step=step, arithmetic="float32", arrays=arrays, figures=[], seconds=(0.0, 0.0))
            )

        return look

    yield make
    for each in made:
        each.__exit__()


@pytest.fixture
def slow_store(local_store, monkeypatch):
    """A store whose puts end when they are let; returns the event that lets them."""
    let, put = threading.Event(), local_store.put
    monkeypatch.setattr(local_store, "put", lambda key, data: (let.wait(30), put(key, data)))
    return let


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_store_that_answers_late_does_not_hold_up_the_training(watch, slow_store, local_store, make_cell):
    look = watch(checkpoint_seconds=0.0)
    began = time.monotonic()
    for step in range(1, 6):
        look(step)
    took = time.monotonic() - began
    slow_store.set()

    assert took < 5
    until(
        lambda: (
            list(local_store.list(keys.folder(keys.CHECKPOINTS, make_cell().id)))
            == [keys.checkpoint(make_cell().id, 1)]
        )
    )


def test_what_is_not_due_is_not_written(watch, local_store):
    look = watch(checkpoint_seconds=3600.0)
    look(1)
    until(lambda: list(local_store.list(keys.PROGRESS)))

    assert list(local_store.list(keys.CHECKPOINTS)) == []


def test_progress_is_told_less_often_the_longer_a_cell_trains(watch, local_store, monkeypatch):
    now, told = [0.0], []
    monkeypatch.setattr(watcher, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(watcher, "PROGRESS_SECONDS", 10.0)
    monkeypatch.setattr(local_store, "put", lambda key, data: told.append(now[0]))
    look = watch(checkpoint_seconds=1e9)
    for now[0] in range(0, 7200, 5):
        look(1)
        time.sleep(0.0005)

    assert 20 <= sum(t < 600 for t in told) <= 60
    assert 5 <= sum(t >= 6600 for t in told) <= 21


def test_a_stop_waits_for_the_write_under_way_and_leaves_the_newest_checkpoint(
    watch, slow_store, local_store, make_cell
):
    told = threading.Event()
    look = watch(checkpoint_seconds=0.0, stopping=told.is_set)
    look(1)
    told.set()
    threading.Timer(0.2, slow_store.set).start()
    with pytest.raises(Interrupted, match="was told to stop at step 2 of 9"):
        look(2)

    assert list(local_store.list(keys.folder(keys.CHECKPOINTS, make_cell().id))) == [keys.checkpoint(make_cell().id, 2)]


def test_a_stop_is_a_stop_though_the_store_takes_no_checkpoint(watch, local_store, monkeypatch):
    def fail(key, data):
        raise Transient("no route")

    monkeypatch.setattr(local_store, "put", fail)
    with pytest.raises(Interrupted):
        watch(stopping=lambda: True)(4)
