"""One process of a machine holds a lock, and loses it the moment it ends, however it ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import pytest

from experiment.locks import machine_locks
from experiment.store import open_store

HOLDER = """
import sys
from experiment.store import open_store
with open_store(sys.argv[1]).lock("cell-1") as held:
    print(held is not None, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold(store, monkeypatch, tmp_path):
    """Starts a process that holds cell-1 until it is killed."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    started = []

    def start() -> tuple[subprocess.Popen, bool]:
        pipe = subprocess.PIPE
        started.append(subprocess.Popen([sys.executable, "-c", HOLDER, store.url], stdin=pipe, stdout=pipe, text=True))
        return started[-1], started[-1].stdout.readline() == "True\n"

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_cell_is_held_by_one_process_until_that_is_killed(hold, store):
    first, first_holds = hold()
    _, second_holds = hold()

    assert (first_holds, second_holds) == (True, False)
    with store.lock("cell-1") as held, store.lock("cell-2") as other:
        assert (held, other is not None) == (None, True)
    first.kill()
    first.wait()
    with store.lock("cell-1") as held:
        assert held


def test_a_lock_ends_with_its_block(store):
    for _ in range(2):
        with store.lock("cell-1") as held:
            assert held


def test_locks_are_no_objects_of_the_store(store):
    with store.lock("cell-1"):
        assert not list(store.list("results/"))


def test_stores_do_not_share_their_locks():
    assert machine_locks("s3://a/b") != machine_locks("s3://a/c")


SECOND_USER = """
import os, sys
from experiment.errors import ExperimentError
from experiment.store import open_store
try:
    store = open_store(sys.argv[1])
    with store.lock("cell-1") as held:
        print("held" if held else "not held", store.put_once("k", b"x", "a"))
except ExperimentError as error:
    print(error.exit_code, error)
"""
NO_LOCKS = "#include <errno.h>\nint flock(int file, int operation) { errno = ENOLCK; return -1; }\n"
NO_LOCKS_IN_STORES = """
#define _GNU_SOURCE
#include <errno.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int flock(int file, int operation) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    if (strstr(path, "/locks/")) { errno = ENOLCK; return -1; }
    return ((int (*)(int, int)) dlsym(RTLD_NEXT, "flock"))(file, operation);
}
"""
TWICE = """
import os, sys
from experiment.store import open_store
with open_store(sys.argv[1]).lock("cell-1") as first, open_store(sys.argv[1]).lock("cell-1") as second:
    print(first is not None, second is not None)
"""


@pytest.mark.parametrize("state", ["lock of another user", "folder of another user", "neither can be read"])
def test_the_second_user_of_a_shared_store_trains(state, shared_folder, unprivileged):
    locks = shared_folder / "locks"
    locks.mkdir()
    if state != "folder of another user":
        (locks / "cell-1.lock").touch()
        (locks / "cell-1.lock").chmod(0o444 if state == "lock of another user" else 0)
    locks.chmod(0o555 if state != "neither can be read" else 0)

    assert unprivileged(SECOND_USER, shared_folder).stdout == "held True\n"


def test_a_second_user_does_not_get_a_cell_that_the_first_holds(shared_folder, unprivileged):
    with open_store(str(shared_folder)).lock("cell-1") as held:
        assert held
        assert unprivileged(SECOND_USER, shared_folder).stdout == "not held True\n"


def test_a_store_that_may_not_be_written_is_told_in_one_line(shared_folder, unprivileged):
    (shared_folder / "store").mkdir(mode=0o555)
    said = unprivileged(SECOND_USER, shared_folder / "store").stdout

    assert said.startswith(f"42 {shared_folder}/store/k cannot be used: Permission denied")
    assert said.count("\n") == 1


def test_a_file_system_without_locks_leaves_the_locks_to_the_machine(preloaded, shared_folder):
    done = preloaded(NO_LOCKS_IN_STORES, TWICE, shared_folder)

    assert done.stdout == "True False\n", done.stderr


def test_a_machine_without_any_locks_trains(preloaded, shared_folder):
    assert preloaded(NO_LOCKS, TWICE, shared_folder).stdout == "True True\n"


def test_an_error_within_a_lock_is_the_caller_s_and_ends_the_lock(local_store):
    with pytest.raises(OSError, match="mine"), local_store.lock("cell-1"):
        raise OSError("mine")
    with local_store.lock("cell-1") as held:
        assert held


def test_the_place_of_a_lock_is_the_same_for_the_next_holder_and_no_other_cells(local_store):
    places = []
    for cell in ("cell-1", "cell-1", "cell-2"):
        with local_store.lock(cell) as lock:
            places.append(lock.place)

    assert places[0] == places[1] != places[2]
    assert all(places)
