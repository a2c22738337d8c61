"""The power goes at any touch of the store: what the next attempt commits is bit-identical to an undisturbed cell."""

import itertools

import pytest

from experiment import keys
from experiment.lease import Holder
from trainer import checkpoint
from trainer.attempt import attempt_cell
from trainer.background import BackgroundWriter
from trainer.model import training
from trainer.model.types import STATE
from trainer.options import AttemptOptions
from trainer.verify_resume import differing_columns


class PowerCut(BaseException):
    """Not an error that any code handles: the process is gone."""


class Failing:
    """A store whose process dies at its n-th touch, before or after the touch takes effect, and stays dead."""

    def __init__(self, store, touches, *, after):
        self._store, self._left, self._after = store, touches, after
        self.url = store.url

    def __getattr__(self, name):
        method = getattr(self._store, name)
        if name not in ("put", "put_once", "delete", "read"):
            return method

        def touch(*args):
            self._left -= 1
            if self._left < 0:
                raise PowerCut
            if self._left == 0 and not self._after:
                raise PowerCut
            result = method(*args)
            if self._left == 0:
                self._left = -1
                raise PowerCut
            return result

        return touch


@pytest.fixture(autouse=True)
def one_step_per_call(monkeypatch):
    monkeypatch.setattr(training, "SECONDS_PER_CALL", 0.0)


@pytest.fixture(autouse=True)
def every_write_is_awaited(monkeypatch):
    """Otherwise the steps would outrun the checkpoints, and the touches of the store would differ from run to run."""
    start = BackgroundWriter.start

    def start_and_wait(self, what, write):
        start(self, what, write)
        self.drain()

    monkeypatch.setattr(BackgroundWriter, "start", start_and_wait)


def options(store, tiny, name):
    return AttemptOptions(
        store=store,
        attempt=name,
        load=lambda _: tiny,
        stopping=lambda: False,
        holder=Holder(name=name, term=1e6),  # its renewals would come at moments of their own
        checkpoint_seconds=0.0,
    )


def cut_at_every_touch(store, calm, cell, tiny, stride):
    """Cuts the power at touch 1, 1 + stride, ... of an attempt until one survives; returns the touches that were tried."""
    for touches in itertools.count(1, stride):
        survived = False
        try:
            attempt_cell(cell, options(Failing(store, touches, after=touches % 2), tiny, f"cut{touches}"))
            survived = True
        except PowerCut:
            pass
        assert attempt_cell(cell, options(store, tiny, f"next{touches}")) in ("committed", "found")
        assert differing_columns(cell, calm, store) == []
        assert not list(store.list(keys.folder(keys.CHECKPOINTS, cell.id)))
        if survived:
            return touches
        for key in [*store.list(keys.RESULTS), *store.list(keys.MODELS)]:
            store.delete(key)
    raise AssertionError("unreachable")


@pytest.fixture
def calm(local_store, make_cell, tiny):
    """A store with the undisturbed cell."""
    other = type(local_store)(local_store.root.with_name("calm"), create=True)
    assert attempt_cell(make_cell(epochs=2), options(other, tiny, "calm")) == "committed"
    return other


def test_on_a_directory_at_every_third_touch(local_store, calm, make_cell, tiny):
    assert cut_at_every_touch(local_store, calm, make_cell(epochs=2), tiny, 3) > 25


def test_on_s3_at_every_fifth_touch(moto_store, calm, make_cell, tiny):
    assert cut_at_every_touch(moto_store, calm, make_cell(epochs=2), tiny, 5) > 25


@pytest.mark.s3
def test_on_a_real_s3_server_at_every_fifth_touch(minio_store, calm, make_cell, tiny):
    assert cut_at_every_touch(minio_store, calm, make_cell(epochs=2), tiny, 5) > 25


def test_a_torn_checkpoint_costs_the_steps_since_the_one_before_and_nothing_else(local_store, calm, make_cell, tiny):
    cell = make_cell(epochs=2)
    looks = iter([False] * 6)
    stopping = options(local_store, tiny, "cut")
    with pytest.raises(BaseException, match="told to stop"):
        attempt_cell(cell, AttemptOptions(**{**vars(stopping), "stopping": lambda: next(looks, True)}))
    [key] = local_store.list(keys.folder(keys.CHECKPOINTS, cell.id))
    whole = local_store.read(key)
    later = keys.checkpoint(cell.id, keys.number_of(key) + 1)
    for torn in (whole[: len(whole) // 2], b"", whole[:-1] + bytes([whole[-1] ^ 1])):
        local_store.put(later, torn)
        assert checkpoint.newest_checkpoint(local_store, cell.id, lambda _: None).step == keys.number_of(key)
    assert attempt_cell(cell, options(local_store, tiny, "next")) == "committed"
    assert differing_columns(cell, calm, local_store) == []


def test_every_value_of_the_state_is_in_the_checkpoint(local_store, make_cell, tiny):
    """A value that the next step depends on and the checkpoint lacks would show only as a subtle difference."""
    looks = iter([False] * 3)
    with pytest.raises(BaseException, match="told to stop"):
        attempt_cell(
            make_cell(),
            AttemptOptions(**{**vars(options(local_store, tiny, "x")), "stopping": lambda: next(looks, True)}),
        )
    assert set(checkpoint.newest_checkpoint(local_store, make_cell().id, print).arrays) == set(STATE)
