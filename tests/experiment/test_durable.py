"""A file is published whole, once and durably, on file systems with and without hard links."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from experiment.durable import is_aside, publish_new, rename_new, replace_file, sync_folder, write_aside

NO_LINKS = """
#include <errno.h>
int link(const char *from, const char *to) { errno = %(error)s; return -1; }
int linkat(int a, const char *from, int b, const char *to, int flags) { errno = %(error)s; return -1; }
"""
NO_RENAMES = """
int renameat2(int a, const char *from, int b, const char *to, unsigned int flags) { errno = EINVAL; return -1; }
"""
NO_FOLDER_SYNC = """
#include <errno.h>
#include <sys/stat.h>
int fsync(int file) {
    struct stat status;
    if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) { errno = EINVAL; return -1; }
    return 0;
}
"""
TWO_WRITERS = """
import sys
from experiment.errors import ExperimentError
from experiment.store import open_store
store = open_store(sys.argv[1])
try:
    won = [store.put_once("a/k", attempt.encode(), attempt) for attempt in ("first", "second")]
    print(won, store.read("a/k"), list(store.list("")), [p.name for p in (store.root / "a").iterdir()])
except ExperimentError as error:
    print(error.exit_code, error)
"""
ONCE = "[True, False] b'first' ['a/k'] ['k']\n"


@pytest.fixture
def no_links(monkeypatch):
    """Hard links fail as on exFAT, in this process."""

    def fail(*_):
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "link", fail)


@pytest.mark.parametrize("error", ["EOPNOTSUPP", "EPERM", "ENOSYS", "EMLINK"])
def test_a_file_system_without_hard_links_keeps_the_first_of_two_writes(error, preloaded, local_store):
    assert preloaded(NO_LINKS % {"error": error}, TWO_WRITERS, local_store.url).stdout == ONCE


def test_a_file_system_that_cannot_keep_the_first_write_is_named_with_what_it_lacks(preloaded, local_store):
    said = preloaded(NO_LINKS % {"error": "EPERM"} + NO_RENAMES, TWO_WRITERS, local_store.url).stdout

    assert said.startswith(f"42 the file system of {local_store.url}/a has neither hard links nor renames that fail")
    assert "choose a --store on another file system" in said
    assert said.count("\n") == 1
    assert list((local_store.root / "a").iterdir()) == []


def test_a_file_system_that_cannot_sync_a_folder_is_used(preloaded, local_store):
    assert preloaded(NO_FOLDER_SYNC, TWO_WRITERS, local_store.url).stdout == ONCE


@pytest.mark.usefixtures("no_links")
def test_without_links_too_exactly_one_of_many_writers_wins(local_store):
    winners: list[int] = []
    gate = threading.Barrier(8)

    def write(writer: int) -> None:
        gate.wait()
        if local_store.put_once("k", bytes([writer]) * 1000, f"{writer}"):
            winners.append(writer)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(winners) == 1
    assert local_store.read("k") == bytes(winners) * 1000


def test_a_link_that_was_made_though_its_answer_was_lost_is_ours(local_store, monkeypatch):
    def lose_the_answer(aside, path, link=os.link):
        link(aside, path)
        raise FileExistsError(errno.EEXIST, "the repeated request found the link of the first")

    monkeypatch.setattr(os, "link", lose_the_answer)

    assert local_store.put_once("k", b"x", "me")
    assert local_store.read("k") == b"x"


def test_another_s_link_is_not_ours(tmp_path):
    (tmp_path / "k").write_bytes(b"theirs")
    with write_aside(tmp_path / "k", b"mine") as aside:
        assert not publish_new(aside, tmp_path / "k")
        assert is_aside(aside)

    assert [p.name for p in tmp_path.iterdir()] == ["k"]


def test_an_error_that_is_no_lack_of_links_is_raised(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "link", fail)
    with write_aside(tmp_path / "k", b"") as aside, pytest.raises(OSError, match="full"):
        publish_new(aside, tmp_path / "k")


def test_a_rename_refuses_a_name_that_is_taken_and_tells_other_errors(tmp_path):
    (tmp_path / "from").write_bytes(b"x")
    (tmp_path / "taken").write_bytes(b"y")

    assert not rename_new(tmp_path / "from", tmp_path / "taken")
    assert rename_new(tmp_path / "from", tmp_path / "free")
    with pytest.raises(FileNotFoundError):
        rename_new(tmp_path / "from", tmp_path / "other")


def test_a_replaced_file_is_synced_with_its_folder(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink()))
    with write_aside(tmp_path / "k", b"x") as aside:
        replace_file(aside, tmp_path / "k")

    assert [is_aside(synced[0]), *synced[1:]] == [True, tmp_path]


def test_an_error_of_the_disk_while_a_folder_is_synced_is_raised(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="broken"):
        sync_folder(tmp_path)
