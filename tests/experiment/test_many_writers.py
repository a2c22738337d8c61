"""Eight writers want the same hundred keys at the same time: each key has one winner, and its content whole."""

from __future__ import annotations

import threading

import pytest

from experiment.s3 import S3Store
from experiment.store import LocalStore

WRITERS, KEYS = 8, [f"results/{number:03d}" for number in range(100)]


def content(writer, key):
    """Different for each writer and key, in bytes and length."""
    return f"{writer} wrote {key}\n".encode() * (2000 + writer)


def opened_again(store):
    """The store as another process opens it, with a client of its own."""
    return LocalStore(store.root) if isinstance(store, LocalStore) else S3Store(store.url)


@pytest.fixture
def writers(store):
    opened = [opened_again(store) for _ in range(WRITERS)]
    yield opened
    for each in opened:
        if isinstance(each, S3Store):
            each._client.close()


def test_each_key_has_one_winner_and_its_content_whole(store, writers):
    together, wins = threading.Barrier(WRITERS), {key: [] for key in KEYS}

    def write(number):
        for key in KEYS:
            together.wait(60)
            if writers[number].put_once(key, content(number, key), f"attempt-{number}"):
                wins[key].append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {key: len(found) for key, found in wins.items()} == dict.fromkeys(KEYS, 1)
    assert [key for key, (winner,) in wins.items() if store.read(key) != content(winner, key)] == []
    assert list(store.list("results/")) == KEYS
