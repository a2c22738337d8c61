"""SIGKILL follows SIGTERM before the last checkpoint is whole: the cell goes on from the one before, to the same numbers."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys
from trainer import checkpoint
from trainer.attempt import attempt_cell
from trainer.background import BackgroundWriter
from trainer.model import training
from trainer.options import AttemptOptions
from trainer.verify_resume import differing_columns

LOOKS = 6  # at the stop; each but the last is followed by a checkpoint


class Killed(BaseException):
    """Not an error that any code handles: the process is gone."""


class CutShort:
    """A store whose process is killed while it puts its n-th checkpoint, and stays dead."""

    def __init__(self, store, checkpoints):
        self._store, self._left, self.url = store, checkpoints, store.url

    def put(self, key, data):
        self._left -= key.startswith(keys.CHECKPOINTS)
        if self._left <= 0:
            raise Killed
        self._store.put(key, data)

    def __getattr__(self, name):
        if self._left <= 0:
            raise Killed
        return getattr(self._store, name)


@pytest.fixture(autouse=True)
def every_step_has_its_checkpoint(monkeypatch):
    monkeypatch.setattr(training, "SECONDS_PER_CALL", 0.0)
    start = BackgroundWriter.start

    def start_and_wait(self, what, write):
        start(self, what, write)
        self.drain()

    monkeypatch.setattr(BackgroundWriter, "start", start_and_wait)


def test_it_goes_on_from_the_checkpoint_before(local_store, make_cell, tiny):
    cell, looks = make_cell(), iter([False] * LOOKS)
    options = AttemptOptions(
        store=local_store, attempt="next", load=lambda _: tiny, stopping=lambda: False, checkpoint_seconds=0.0
    )
    stopped = dataclasses.replace(
        options, store=CutShort(local_store, LOOKS + 1), attempt="cut", stopping=lambda: next(looks, True)
    )
    with pytest.raises(Killed):
        attempt_cell(cell, stopped)

    before = checkpoint.newest_checkpoint(local_store, cell.id, lambda _: None).step
    assert before > 0
    assert not local_store.exists(keys.failure(cell.id, "cut"))
    assert attempt_cell(cell, options) == "committed"
    assert f'"resumed", "step": {before}' in local_store.read(keys.log(cell.id, "next")).decode()

    calm = type(local_store)(local_store.root.with_name("calm"), create=True)
    assert attempt_cell(cell, dataclasses.replace(options, store=calm, attempt="calm")) == "committed"
    assert differing_columns(cell, calm, local_store) == []
