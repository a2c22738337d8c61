"""SIGTERM and Ctrl-C end a process within two seconds with 143, whatever it is doing."""

import os
import signal
import subprocess
import sys
import time

import pytest

from trainer.stopping import Stop

LIMIT = 2.0  # seconds from the signal to the end of the process
PROGRAM = """
import hashlib, sys, time
from trainer.stopping import Stop, stop_on_signals
stop = Stop()
stop_on_signals(stop)
print("ready", flush=True)
{body}
sys.exit(0)
"""
IN_A_LIBRARY = "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"  # minutes, in which no Python code runs


def told(body, number, times=1):
    """(exit code, seconds from the last signal to the end) of a program that is told to stop."""
    command = [sys.executable, "-c", PROGRAM.format(body=body)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        for _ in range(times):
            time.sleep(0.2)
            process.send_signal(number)
        started = time.monotonic()
        return process.wait(30), time.monotonic() - started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("body", ["time.sleep(60)", IN_A_LIBRARY], ids=["idle", "in a library"])
def test_a_program_that_does_not_look_is_ended(body, number):
    code, seconds = told(body, number)

    assert code == 143
    assert seconds < LIMIT


def test_a_program_that_has_noticed_ends_in_its_own_time():
    code, seconds = told("stop.wait(); time.sleep(3); sys.exit(7)", signal.SIGTERM)

    assert code == 7
    assert seconds > 2.5


def test_a_block_is_finished_first_and_then_the_program_ended():
    body = "with stop.finish_first():\n    time.sleep(3)\ntime.sleep(60)"
    code, seconds = told(body, signal.SIGTERM)

    assert code == 143
    assert 2.5 < seconds < 3 + LIMIT


def test_a_second_signal_ends_it_at_once():
    code, seconds = told("stop.wait(); time.sleep(60)", signal.SIGINT, times=2)

    assert code == 143
    assert seconds < 1, "the watch alone would have taken 1.2 s"


def test_without_a_signal_nothing_ends():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body="time.sleep(2.5)")], stdout=subprocess.DEVNULL
    ) as process:
        assert process.wait(30) == 0


def test_asking_is_noticing():
    stop = Stop()
    assert not stop.is_awaited
    stop.set()
    assert not stop.is_awaited
    assert stop.is_set()
    assert stop.is_awaited

    waiting = Stop()
    waiting.set()
    assert waiting.wait(0)
    assert waiting.is_awaited


def test_no_descriptor_leaks_into_children():
    """A child that held the pipe would keep it open, and read signals that are not its own."""
    code = (
        "import os, subprocess, sys; from trainer.stopping import *; stop_on_signals(Stop()); "
        "print(subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=True, close_fds=False).stdout.split())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)

    assert found.stdout.strip() == "['0', '1', '2', '3']"
