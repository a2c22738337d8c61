"""The user's cache on this machine: where it is, its locks, and files that are whole or absent."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest

from trainer.datasets.cache import cache_folder, wait_for_lock, write_whole


def test_the_cache_is_the_users_own(tmp_path):
    assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/collaborative-ensembles")
    assert cache_folder({"HOME": str(tmp_path)}) == tmp_path / ".cache" / "collaborative-ensembles"
    for environment in ({}, {"HOME": str(tmp_path / "absent")}, {"XDG_CACHE_HOME": "relative"}):
        assert cache_folder(environment).is_relative_to(tempfile.gettempdir())


def test_a_lock_is_held_by_one_at_a_time(tmp_path):
    released = threading.Event()

    def second():
        with wait_for_lock(tmp_path / "lock"):
            released.set()

    with wait_for_lock(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        assert not released.wait(0.2)
    thread.join(20)
    assert released.is_set()


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(self, data):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "folder" / "file", b"data")

    assert list((tmp_path / "folder").iterdir()) == []
