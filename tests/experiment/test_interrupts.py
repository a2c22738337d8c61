"""A program ends within two seconds of SIGTERM or Ctrl-C, whatever it is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from experiment.interrupts import end_on_signals
end_on_signals("error: interrupted")
try:
    {work}
except KeyboardInterrupt:
    sys.exit(143)
"""
READY = "print('ready', flush=True)"
WORK = {
    "the main thread sleeps": f"{READY}; time.sleep(60)",
    "a thread of a pool does not end": f"pool = ThreadPoolExecutor(); pool.submit(time.sleep, 60); {READY}; pool.shutdown()",
    "the signal is swallowed": f"""
    {READY}
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
""",
    "a call knows nothing of signals": f"import ctypes; {READY}; [ctypes.CDLL(None).sleep(60) for _ in range(9)]",
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("work", WORK)
def test_it_ends_in_time_with_its_message_and_143(work, number):
    command = [sys.executable, "-c", PROGRAM.format(work=WORK[work])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        start = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=30)

        assert time.monotonic() - start < 2
        assert process.returncode == 143
        assert said == "error: interrupted\n"
