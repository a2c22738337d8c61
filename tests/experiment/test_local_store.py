"""What a store in a directory promises beyond the interface: durable, whole, hidden until done."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiment.errors import InvalidInput, NotFound, Transient
from experiment.local_store import LocalStore

WRITER = """
import os, pathlib, sys
from experiment import durable as module
from experiment.local_store import LocalStore

def stop(file, data, write=module.write_through):
    if sys.argv[2] == "during":
        file.write(data[: len(data) // 2]); file.flush()
        print("there", flush=True); sys.stdin.read()
    write(file, data)

def link(*names, link=os.link):
    if sys.argv[2] == "before":
        print("there", flush=True); sys.stdin.read()
    link(*names)

module.write_through, os.link = stop, link
LocalStore(pathlib.Path(sys.argv[1])).put_once("a/key", b"x" * 1_000_000, "one")
"""


@pytest.mark.parametrize("moment", ["during", "before"])
def test_a_writer_killed_outright_leaves_nothing_visible(moment, local_store):
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, local_store.url, moment], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout.readline() == b"there\n"
        assert list((local_store.root / "a").iterdir()), "the killed writer had begun"
        writer.send_signal(signal.SIGKILL)

    assert list(local_store.list("")) == []
    assert not local_store.exists("a/key")
    assert local_store.put_once("a/key", b"whole", "two")
    assert list(local_store.list("")) == ["a/key"]


def test_what_is_written_is_synced_with_its_folder_before_it_counts(local_store, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.path.realpath(f"/proc/self/fd/{fd}")))
    local_store.put_once("a/key", b"x", "one")

    assert [Path(s).name[:5] for s in synced] == [".key.", "a"]


@pytest.mark.parametrize("method", ["put", "put_once"])
def test_a_failed_write_leaves_no_file_aside(method, local_store, monkeypatch):
    def full(fd):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Transient, match="a/key: No space left on device; free space"):
        getattr(local_store, method)("a/key", b"x", *(["one"] if method == "put_once" else []))

    assert list((local_store.root / "a").iterdir()) == []


def test_an_error_of_the_disk_is_transient_and_one_of_rights_is_not(local_store, monkeypatch):
    local_store.put("key", b"x")
    for number, meaning in ((errno.EIO, Transient), (errno.ESTALE, Transient), (errno.EACCES, InvalidInput)):

        def fail(path, number=number):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("pathlib.Path.read_bytes", fail)
        with pytest.raises(meaning, match="key"):
            local_store.read("key")


def test_a_store_may_be_named_from_the_folder_beside_it(local_store, tmp_path, monkeypatch):
    local_store.put("a/key", b"x")
    (tmp_path / "beside").mkdir()
    monkeypatch.chdir(tmp_path / "beside")

    assert LocalStore(Path("../store")).read("a/key") == b"x"


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd"])
def test_no_key_leads_out_of_the_store(key, local_store):
    with pytest.raises(InvalidInput, match="allowed: one inside the store"):
        local_store.put(key, b"x")


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InvalidInput, match="file"):
        LocalStore(tmp_path / "file", create=True)
    with pytest.raises(InvalidInput, match="cannot be used: Not a directory"):
        LocalStore(tmp_path / "file" / "store", create=True)


def test_a_store_deleted_while_in_use_is_named(local_store):
    local_store.root.rmdir()
    with pytest.raises(NotFound, match="does not exist"):
        local_store.read("key")


def test_a_reader_never_sees_half_of_an_object_that_is_replaced(local_store):
    sizes = set()
    code = f"""
import itertools, pathlib
from experiment.local_store import LocalStore
store = LocalStore(pathlib.Path({local_store.url!r}))
for i in itertools.count():
    store.put("k", bytes([i % 256]) * 100_000)
"""
    local_store.put("k", b"\0" * 100_000)
    with subprocess.Popen([sys.executable, "-c", code]) as writer:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            data = local_store.read("k")
            sizes.add((len(data), len(set(data))))
        writer.kill()

    assert sizes == {(100_000, 1)}
