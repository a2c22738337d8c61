"""Waiting for a data set that another process prepares: what the pods of a run do before they train."""

from __future__ import annotations

import threading
import time

from experiment import keys
from experiment.errors import Interrupted, Transient
from experiment.store import Store

POLL_SECONDS = 5.0


def await_dataset(store: Store, name: str, seconds: float, stop: threading.Event) -> int:
    """Returns 0 once the store has the data set.

    Raises:
        Transient: it was not there within ``seconds``.
        Interrupted: ``stop`` was set meanwhile.
    """
    deadline = time.monotonic() + seconds
    while not _there(store, name):
        if time.monotonic() >= deadline:
            raise Transient(f"{name} is not in {store.url} after {seconds:g} s; look at the Job that prepares it")
        if stop.wait(min(POLL_SECONDS, max(0.0, deadline - time.monotonic()))):
            raise Interrupted(f"told to stop while waiting for {name}")
    return 0


def _there(store: Store, name: str) -> bool:
    try:
        return store.exists(keys.dataset_manifest(name))
    except Transient:
        return False  # the store may be back before the deadline
