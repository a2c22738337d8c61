"""SIGTERM and Ctrl-C end every program within two seconds with 143, whatever it waits for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiment.errors import Interrupted
from k8s.interrupts import interrupted_by_signals
from tests.k8s.factories import AGGREGATOR, IMAGE

ROOT = Path(__file__).parents[2]
STUCK = {  # what holds a program: a wait, a call that goes on after a signal, a thread that is waited for, a child
    "sleep": "time.sleep(60)",
    "a library": "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",
    "threads": "wait_for_threads()",
    "a child": "subprocess.run(['sh', '-c', 'sleep 0.3; echo began; exec sleep 60'])",
    "no end of errors": "stubborn()",
}
PROGRAM = """
import concurrent.futures, hashlib, subprocess, time
from k8s.interrupts import end_process
from k8s.verbs import run_verb

def wait_for_threads():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(time.sleep, [60, 60]))

def stubborn():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

def verb(arguments):
    CHILD or print("began", flush=True)
    STUCK

end_process(run_verb(verb, None))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stuck", STUCK)
def test_a_program_ends_within_two_seconds_whatever_holds_it(stuck, number):
    code = PROGRAM.replace("STUCK", STUCK[stuck]).replace("CHILD", str(stuck == "a child"))
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=-1, stderr=-1, text=True) as program:
        assert program.stdout.readline() == "began\n"
        began = time.monotonic()
        program.send_signal(number)
        _, err = program.communicate(timeout=30)
        took = time.monotonic() - began

    assert program.returncode == 143
    assert err == f"error: stopped by {number.name}; what is done so far is kept, and the same command goes on\n"
    assert took < 2.5  # the machine may be busy


def test_after_the_block_signals_mean_what_they_meant_before():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    def wait():
        with interrupted_by_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    with pytest.raises(Interrupted, match="SIGTERM"):
        wait()

    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    assert signal.set_wakeup_fd(-1) == -1


IMAGES = ("--image", IMAGE, "--aggregator-image", AGGREGATOR)
VERBS = {
    **dict.fromkeys(("status", "cancel", "cleanup"), ()),
    "logs": ("--cell", "0"),
    "retry": IMAGES,
    "collect": ("--job", "mine-collect-1"),
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("verb", [*VERBS, "setup", "launch"])
def test_every_verb_ends_within_two_seconds_while_the_api_server_is_silent(verb, number, api, launched, moto_store):
    api.silent = True
    if verb == "setup":
        flags = ["--apply"]
    elif verb == "launch":
        flags = ["--grid", "smoke", "--store", moto_store.url, "--wait", *IMAGES]
    else:
        flags = ["--run", f"{launched.url}/runs/mine", *VERBS[verb]]
    command = [sys.executable, "-m", f"k8s.{verb}", *flags]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        with subprocess.Popen(command, env=env, stdout=-1, stderr=-1, text=True) as program:
            while not api.requests:
                assert program.poll() is None, program.stderr.read()
                time.sleep(0.02)
            began = time.monotonic()
            program.send_signal(number)
            _, err = program.communicate(timeout=30)
    finally:
        api.silent = False

    assert (program.returncode, time.monotonic() - began < 2.5) == (143, True)
    assert err.splitlines()[-1].startswith(f"error: stopped by {number.name}; what is done so far is kept")
    assert "Traceback" not in err


def test_a_launch_ends_within_two_seconds_while_the_store_is_silent(s3_environment, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        s3_environment(f"http://127.0.0.1:{server.getsockname()[1]}")
        command = [sys.executable, "-m", "k8s.launch", "--grid", "smoke", "--executor", "local", "--store", "s3://b/p"]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, env=env, cwd=tmp_path, stdout=-1, stderr=-1, text=True) as program:
            connection, _ = server.accept()
            began = time.monotonic()
            program.send_signal(signal.SIGTERM)
            _, err = program.communicate(timeout=30)
            connection.close()

    assert (program.returncode, time.monotonic() - began < 2.5) == (143, True)
    assert err == "error: stopped by SIGTERM; what is done so far is kept, and the same command goes on\n"
