"""A pool as a process: where its lines come from, and that nothing of it is left. Its ends in pods are in test_main.py."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from experiment import keys, records
from experiment.grid import Grid
from experiment.records import Turn
from experiment.run import Run
from experiment.urls import run_url
from tests.waiting import until
from trainer import pooling

ROOT = Path(__file__).parents[2]
POOL = """
import sys
from experiment.program import run_program
from trainer import arguments
from trainer.__main__ import main
arguments.PROGRAM = (sys.executable, "-c", {worker!r})
run_program(main)
"""
# Says nothing, hears no signal but SIGKILL, and tells where it is.
DEAF = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
print(os.getpid(), file=sys.stderr, flush=True)
time.sleep(600)
"""
DYING = "import sys; sys.exit('error: no such thing')"


@pytest.fixture
def url(local_store, make_cell):
    grid = Grid(name="test", cells=tuple(make_cell(seed=s) for s in range(4)))
    local_store.put(keys.grid("test"), Run(name="test", grid=grid).to_bytes())
    return run_url(local_store.url, "test")


@pytest.fixture
def start(url):
    """Starts a pool of such workers, whose pipes are closed in the end."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with contextlib.ExitStack() as stack:

        def begin(worker, workers=1):
            flags = ["--run", url, "--indexes", "-", "--workers", str(workers)]
            command = [sys.executable, "-c", POOL.format(worker=worker), *flags]
            started = subprocess.Popen(command, text=True, cwd=ROOT, start_new_session=True, **pipes)
            return stack.enter_context(started)

        yield begin


def send(pool, text):
    pool.stdin.write(text)
    pool.stdin.flush()


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return True


def worker_pids(pool, count):
    found = []
    while len(found) < count:
        line = pool.stderr.readline().strip()
        found += [int(line)] if line.isdigit() else []
    return found


def test_lines_are_those_of_a_file_as_they_come():
    reading, writing = os.pipe()
    got = []
    thread = threading.Thread(target=lambda: got.extend(pooling.read_lines(reading)))
    thread.start()
    for text in (b"1 2", b"3\nqu", b"it\n"):
        os.write(writing, text)
        time.sleep(0.02)
    os.close(writing)
    thread.join(30)
    os.close(reading)

    assert got == ["1 23\n", "quit\n"]


def test_a_pool_whose_launcher_has_nothing_to_train_starts_no_worker(start):
    pool = start(DYING)
    out, err = pool.communicate("quit\n", timeout=60)

    assert (pool.returncode, out, err.replace("ignored from the environment: MPLBACKEND\n", "")) == (0, "", "")


def test_a_pool_whose_workers_do_not_start_ends_though_its_launcher_would_send_more(start):
    pool = start(DYING)
    send(pool, "0 1 2 3\n")

    assert pool.wait(60) == 75
    assert pool.stderr.read().splitlines()[-1].startswith("error: no worker starts: its worker ended with exit code 1")
    turns = [r for line in pool.stdout if isinstance(r := records.parse_record(line, "line"), Turn)]
    assert [t.place for t in turns] == ["cpu0"] * 3


def test_a_second_signal_leaves_no_worker(start):
    pool = start(DEAF, workers=2)
    send(pool, "0 1\n")
    workers = worker_pids(pool, 2)
    pool.send_signal(signal.SIGTERM)
    time.sleep(1)
    assert pool.poll() is None, "it waits for its workers, which do not hear"
    pool.send_signal(signal.SIGTERM)

    assert pool.wait(30) == 143
    assert all(map(is_gone, workers))


OBEDIENT = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
import os
print(os.getpid(), file=sys.stderr, flush=True)
time.sleep(600)
"""


def test_a_pool_whose_launcher_dies_has_its_workers_stop(start, local_store):
    pool = start(OBEDIENT, workers=2)
    send(pool, "0 1\n")
    workers = worker_pids(pool, 2)
    for pipe in (pool.stdin, pool.stdout, pool.stderr):
        pipe.close()

    assert pool.wait(30) == 143
    until(lambda: all(map(is_gone, workers)), "the end of the workers", seconds=5, state=lambda: f"{workers}")
    assert list(local_store.list(keys.FAILURES)) == []
