"""Waiting for a data set that another process prepares, as the pods of a run do before they train."""

from __future__ import annotations

import threading
import time

from experiment import keys
from experiment.errors import Interrupted, Misconfigured, NotFound, Transient, describe_error
from experiment.store import Store

POLL_SECONDS = 5.0


def await_dataset(store: Store, name: str, seconds: float, stop: threading.Event) -> int:
    """Waits until the store has the data set; returns 0.

    Raises:
        NotFound: it was not there after ``seconds``, and the store answered.
        Transient: the store did not answer, or refused, at the end of ``seconds``.
        Interrupted: ``stop`` was set while waiting.
    """
    deadline = time.monotonic() + seconds
    while True:
        is_last = time.monotonic() >= deadline  # before it is asked: an answer may come long after the deadline
        if _is_prepared(store, name, is_last=is_last):
            return 0
        if is_last:
            raise NotFound(f"{name} is not in {store.url} after {seconds:g} s; look at the Job that prepares it")
        if stop.wait(min(POLL_SECONDS, max(0.0, deadline - time.monotonic()))):
            raise Interrupted(f"told to stop while waiting for {name}; launch again to go on")


def _is_prepared(store: Store, name: str, *, is_last: bool) -> bool:
    try:
        return name in keys.prepared_datasets(store.list(f"{keys.DATASETS}{name}"))
    except (Transient, Misconfigured) as error:
        if is_last:
            raise Transient(describe_error(error)) from error
        return False  # the store may answer again before the deadline
