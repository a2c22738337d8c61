"""A program ends within two seconds of SIGTERM, SIGHUP or Ctrl-C, whatever it is doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiment.errors import Interrupted
from experiment.interrupts import SIGNALS, interrupted_by_signals

ROOT = Path(__file__).parents[2]
PROGRAM = """
import concurrent.futures, ctypes, hashlib, subprocess, sys, time
from experiment.interrupts import interrupted_by_signals
from experiment.program import report_errors, run_program

def wait_for_threads():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(time.sleep, [60, 60]))

class Finalized:
    def __del__(self):
        print('began', flush=True)
        time.sleep(60)

def finalize():
    try:
        Finalized()
        time.sleep(60)
    finally:
        print('ended by itself', flush=True)

def swallow():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

def work():
    with interrupted_by_signals("nothing is kept"):
        {began}
        {work}

run_program(lambda: report_errors(work))
"""
BEGAN = "print('began', flush=True)"
WORK = {
    "a wait": "time.sleep(60)",
    "a call that knows nothing of signals": "[ctypes.CDLL(None).sleep(60) for _ in range(9)]",
    "a library's work": "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",
    "threads that are waited for": "wait_for_threads()",
    "a child": "subprocess.run(['sh', '-c', 'sleep 0.3; echo began; exec sleep 60'])",
    "a finalizer, whose errors Python drops": "finalize()",
    "code that swallows it": "swallow()",
}


def start(began, work, *wrapper):
    command = [*wrapper, sys.executable, "-c", PROGRAM.format(began=began, work=work)]
    return subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("work", WORK)
def test_it_ends_in_time_with_one_line_and_143(work, number):
    with start("pass" if work.startswith(("a child", "a finalizer")) else BEGAN, WORK[work]) as program:
        assert program.stdout.readline() == "began\n"
        sent = time.monotonic()
        program.send_signal(number)
        _, said = program.communicate(timeout=30)
        took = time.monotonic() - sent

    assert program.returncode == 143
    assert said == f"error: stopped by {number.name}; nothing is kept\n"
    assert took < 2.5  # the machine may be busy


def test_a_signal_that_a_finalizer_took_ends_the_block_and_not_the_process():
    with start("pass", "finalize()") as program:
        assert program.stdout.readline() == "began\n"
        program.terminate()
        printed, _ = program.communicate(timeout=30)

    assert printed == "ended by itself\n"


def test_nohup_keeps_it_running_when_its_terminal_closes():
    with start(BEGAN, "time.sleep(1.5)", "sh", "-c", "trap '' HUP; exec \"$@\"", "sh") as program:
        assert program.stdout.readline() == "began\n"
        program.send_signal(signal.SIGHUP)
        program.communicate(timeout=30)

    assert program.returncode is not None
    assert program.returncode not in (143, -signal.SIGHUP)


def test_after_the_block_signals_mean_what_they_meant_before():
    before = [signal.getsignal(number) for number in SIGNALS]

    def wait():
        with interrupted_by_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    with pytest.raises(Interrupted, match="SIGTERM"):
        wait()

    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_descriptors_of_a_block_end_with_it():
    def opened():
        return len(list(Path("/proc/self/fd").iterdir()))

    before = opened()
    for _ in range(20):
        with interrupted_by_signals():
            pass
    deadline = time.monotonic() + 10
    while opened() > before and time.monotonic() < deadline:
        time.sleep(0.05)

    assert opened() <= before
