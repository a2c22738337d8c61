"""Waiting for a data set that another process prepares."""

from __future__ import annotations

import threading
import time

import pytest

from experiment import keys
from experiment.errors import Interrupted, Misconfigured, NotFound, Transient
from trainer.datasets import waiting
from trainer.datasets.waiting import await_dataset

SHA256 = "0" * 64


def put_dataset(store):
    store.put(keys.dataset("digits", SHA256), b"")
    store.put(keys.dataset_manifest("digits"), b"{}")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)


def test_it_ends_as_soon_as_the_data_set_is_there(store):
    threading.Timer(0.05, put_dataset, (store,)).start()

    assert await_dataset(store, "digits", 30, threading.Event()) == 0


@pytest.mark.parametrize("lost", [keys.dataset_manifest("digits"), keys.dataset("digits", SHA256)])
def test_a_data_set_of_which_one_object_is_lost_is_waited_for_until_it_is_prepared_again(store, lost):
    put_dataset(store)
    store.delete(lost)
    store.put(keys.dataset("digits", SHA256) + ".part", b"")

    with pytest.raises(NotFound, match="digits is not in"):
        await_dataset(store, "digits", 0.05, threading.Event())


def test_it_ends_at_its_limit(store):
    with pytest.raises(NotFound, match=r"mnist is not in .* after 0\.05 s; look at the Job that prepares it"):
        await_dataset(store, "mnist", 0.05, threading.Event())


def test_a_store_that_fails_across_the_deadline_is_not_taken_for_one_without_the_data_set(store, monkeypatch):
    def fail_late(key):
        time.sleep(0.1)
        raise Transient("no answer")

    monkeypatch.setattr(store, "list", fail_late)
    with pytest.raises(Transient, match="no answer"):
        await_dataset(store, "mnist", 0.05, threading.Event())


@pytest.mark.parametrize("error", [Transient("no route to the store"), Misconfigured("refused; log in again")])
def test_a_store_that_fails_to_the_end_is_the_reason_and_another_attempt_may_help(store, monkeypatch, error):
    def fail(key):
        raise error

    monkeypatch.setattr(store, "list", fail)
    with pytest.raises(Transient, match=str(error)):
        await_dataset(store, "mnist", 0.05, threading.Event())


def test_it_ends_when_told_to(store):
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()

    with pytest.raises(Interrupted, match="told to stop while waiting for mnist"):
        await_dataset(store, "mnist", 30, stop)


def test_a_store_that_fails_for_a_while_is_asked_again(store, monkeypatch):
    listed, answers = store.list, iter([Transient("away"), Transient("away")])

    def flaky(key):
        if error := next(answers, None):
            raise error
        return listed(key)

    monkeypatch.setattr(store, "list", flaky)
    put_dataset(store)

    assert await_dataset(store, "digits", 30, threading.Event()) == 0
