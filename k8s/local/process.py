"""Child processes and signals of the local executor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TypeVar

from experiment.errors import Interrupted
from experiment.interrupts import GRACE, SIGNALS, restored_signals

T = TypeVar("T")
LINE = 1 << 20  # bytes: the longest line that is read from a program


async def start_program(command: Sequence[str], env: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Starts a program with pipes, in a session of its own: a Ctrl-C in the terminal reaches the launcher alone."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, limit=LINE, env=env, start_new_session=True
    )


async def run_to_end(command: Sequence[str], env: Mapping[str, str], line: Callable[[str], None]) -> tuple[int, str]:
    """Runs a program to its end and gives its output to ``line``; returns its exit code and its last line on stderr."""
    process = await start_program(command, env)
    assert process.stdin and process.stdout and process.stderr
    process.stdin.close()
    try:
        last, _ = await asyncio.gather(_follow(process.stderr, line), _follow(process.stdout, line))
        return await process.wait(), last
    finally:
        if process.returncode is None:
            await _stop_program(process)


async def _stop_program(process: asyncio.subprocess.Process) -> None:
    """Tells the program to stop, and kills it if it has not ended a moment later."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE)
    kill_program(process)
    await process.wait()


async def _follow(stream: asyncio.StreamReader, line: Callable[[str], None]) -> str:
    last = ""
    async for raw in stream:
        text = raw.decode(errors="replace").rstrip()
        line(text)
        last = text or last
    return last


def kill_program(process: asyncio.subprocess.Process) -> None:
    """Kills the program and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run_interruptible(work: Coroutine[None, None, T], stopping: Callable[[], None], kill: Callable[[], None]) -> T:
    """Runs ``work``; a signal cancels it, a second one calls ``kill`` so that it need not wait.

    Raises:
        Interrupted: it was cancelled and has ended.
    """

    async def run() -> T:
        task = asyncio.ensure_future(work)
        received: list[int] = []

        def stop(number: int) -> None:
            received.append(number)
            if len(received) > 1:
                kill()
            else:
                stopping()
                task.cancel()

        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, stop, number)
        try:
            return await task
        except asyncio.CancelledError:
            name = signal.Signals(received[0]).name if received else "its caller"
            raise Interrupted(f"stopped by {name}; finished cells are kept, the same command goes on") from None

    with restored_signals():
        return asyncio.run(run())
