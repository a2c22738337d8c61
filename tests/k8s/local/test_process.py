"""Programs of their own: their output is followed, and they end with all that they started."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from experiment.errors import Interrupted
from k8s.local.process import kill_program, run_interruptible, run_to_end, start_program
from tests.waiting import until


def test_a_program_is_followed_to_its_end():
    lines = []
    code = "import sys; print('out'); print('first', file=sys.stderr); print('last', file=sys.stderr); sys.exit(7)"

    found = asyncio.run(run_to_end([sys.executable, "-c", code], os.environ, lines.append))

    assert found == (7, "last")
    assert sorted(lines) == ["first", "last", "out"]


def test_a_killed_program_takes_its_children_with_it():
    async def play():
        program = await start_program(["sh", "-c", "sleep 60 & echo $!; wait"], os.environ)
        child = int(await program.stdout.readline())
        kill_program(program)
        await program.wait()
        return child

    child = asyncio.run(play())

    until(lambda: has_ended(child), "the end of the child", seconds=5, state=lambda: f"process {child} still runs")


def has_ended(pid: int) -> bool:
    """Whether a process is gone or dead; a killed one of a busy machine takes a moment."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_signal_cancels_the_work_and_a_second_one_kills():
    stopped, killed = [], []

    async def work():
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        try:
            await asyncio.sleep(60)
        finally:
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
            await asyncio.sleep(0.5)

    with pytest.raises(Interrupted, match="stopped by SIGTERM"):
        run_interruptible(work(), lambda: stopped.append(1), lambda: killed.append(1))
    assert (stopped, killed) == ([1], [1])
