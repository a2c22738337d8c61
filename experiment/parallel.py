"""Reads of many small objects in parallel, with as many threads as suit the store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
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


@contextlib.contextmanager
def fetch_ahead(store: Store, keys: Iterable[str], threads: int | None = None) -> Iterator[Callable[[str], bytes]]:
    """Yields a function that returns the object under one of these keys, once each, which threads of their own read meanwhile.

    Many threads wait for a distant store; where each of them also parsed what it read, they would hold one another up.
    """
    pool = ThreadPoolExecutor(threads or REMOTE_THREADS)
    try:
        coming = {key: pool.submit(store.read_in_bulk, key) for key in keys}
        yield lambda key: coming.pop(key).result()
    finally:
        pool.shutdown(cancel_futures=True)


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
