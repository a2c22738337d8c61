"""Reads of many small objects in parallel, with as many threads as suit the store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from experiment.store import Store

T = TypeVar("T")
R = TypeVar("R")
LOCAL_THREADS = os.cpu_count() or 2
REMOTE_THREADS = 32  # the S3 client keeps as many connections; threads wait for the network there
MOST_IN_BATCH = 32  # one thread reads, joins and frees a batch: freeing in another thread is slow
SHARES = 4  # batches per thread at least, so that all threads end at about the same time


def map_parallel(store: Store, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Returns the result of ``function`` for every item, in order."""
    batches = map_batches(store, lambda batch: [function(item) for item in batch], list(items))
    return [answer for answers in batches for answer in answers]


def map_batches(
    store: Store, function: Callable[[Sequence[T]], R], items: Sequence[T], threads: int | None = None
) -> list[R]:
    """Returns the result of ``function`` for every batch of the items, in order.

    Batches are used because handing over small files one by one costs as much as reading them.
    """
    threads = threads or (LOCAL_THREADS if store.local_path("") else REMOTE_THREADS)
    size = max(1, min(MOST_IN_BATCH, len(items) // (SHARES * threads)))
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, [items[i : i + size] for i in range(0, len(items), size)]))
