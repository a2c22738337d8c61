"""The pool's process from the launcher's side: what it tells, its last words, and how it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

import pytest

from experiment.records import Outcome, Turn, to_line
from k8s.local import pool_process
from k8s.local.pool_process import PoolProcess

TURN, DONE = Turn(index=3, cell="c", place="cpu0"), Outcome(index=3, cell="c", state="committed")


async def start(code):
    return await PoolProcess.start([sys.executable, "-c", code], os.environ)


def test_it_is_sent_cells_together_and_what_is_no_record_is_passed_over():
    code = f"""
import sys
assert [sys.stdin.readline() for _ in range(3)] == ["3 1 2\\n", "7\\n", "quit\\n"]
print("chatter", flush=True)
print({to_line(TURN)!r})
print({to_line(DONE)!r})
"""

    async def play():
        pool = await start(code)
        for indexes in ((3, 1, 2), (), (7,)):
            pool.send(indexes)
        pool.quit()
        return [record async for record in pool.records()], await pool.end()

    assert asyncio.run(play()) == ([TURN, DONE], (0, ""))


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("import sys; print('error: no such\\n  thing\\n\\n', file=sys.stderr); sys.exit(7)", (7, "thing")),
        ("import sys; print('error: no such  thing', file=sys.stderr); sys.exit(42)", (42, "no such thing")),
        ("import os; os.kill(os.getpid(), 9)", (-9, "")),
    ],
)
def test_its_end_is_told_by_its_exit_code_and_its_last_words(code, end):
    async def play():
        pool = await start(code)
        assert [record async for record in pool.records()] == []
        pool.send([1])  # of no avail, and no error
        return await pool.end()

    assert asyncio.run(play()) == end


TOLD = """
import signal, sys, time
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
print("ready", flush=True)
while len(told) < {times}:
    time.sleep(0.01)
sys.stdout.write("x" * 300_000)
sys.exit(143)
"""


@pytest.mark.parametrize(("times", "code"), [(1, 143), (2, 143), (3, -signal.SIGKILL)])
def test_told_to_stop_it_has_its_time_and_is_told_once_more_and_killed(times, code, monkeypatch):
    monkeypatch.setattr(pool_process, "GRACE", 0.5 if times > 1 else 30)
    monkeypatch.setattr(pool_process, "LAST", 0.5 if times > 2 else 30)

    async def play():
        pool = await start(TOLD.format(times=times))
        assert await pool._out.readline() == b"ready\n"
        began = time.monotonic()
        await pool.stop()
        return (await pool.end())[0], time.monotonic() - began

    ended, seconds = asyncio.run(play())

    assert ended == code
    assert (times - 1) * 0.5 <= seconds < 20
