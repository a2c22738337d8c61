"""SIGTERM, SIGHUP and Ctrl-C end every verb within two seconds with 143, whatever it waits for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiment.interrupts import SIGNALS
from tests.k8s.factories import AGGREGATOR, IMAGE

ROOT = Path(__file__).parents[2]
IMAGES = ("--image", IMAGE, "--aggregator-image", AGGREGATOR)
VERBS = {
    **dict.fromkeys(("status", "cancel", "cleanup"), ()),
    "logs": ("--cell", "0"),
    "retry": IMAGES,
    "collect": ("--job", "mine-collect-1"),
}


@pytest.mark.parametrize("number", SIGNALS)
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
